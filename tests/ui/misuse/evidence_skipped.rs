//! Evidence cannot be skipped.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    let _ = it.skip::<Payment>();
}

fn main() {}
