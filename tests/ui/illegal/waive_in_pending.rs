//! Nothing is waived before the start.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>, reason: Reason) {
    let _ = it.waive::<Payment>(reason, "ann");
}

fn main() {}
