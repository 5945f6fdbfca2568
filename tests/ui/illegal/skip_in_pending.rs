//! Nothing can be skipped before the start.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>) {
    let _ = it.skip::<Branding>();
}

fn main() {}
