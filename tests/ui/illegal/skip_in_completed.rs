//! Nothing is left to skip.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>) {
    let _ = it.skip::<Branding>();
}

fn main() {}
