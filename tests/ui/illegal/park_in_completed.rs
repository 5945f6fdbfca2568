//! Nothing is under way any more that could be stopped.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, reason: Reason) {
    let _ = it.park(reason, "ann");
}

fn main() {}
