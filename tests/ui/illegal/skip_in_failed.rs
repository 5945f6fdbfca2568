//! Skipping is for what is under way.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>) {
    let _ = it.skip::<Branding>();
}

fn main() {}
