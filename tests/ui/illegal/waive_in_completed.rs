//! What is done has nothing to waive.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, reason: Reason) {
    let _ = it.waive::<Payment>(reason, "ann");
}

fn main() {}
