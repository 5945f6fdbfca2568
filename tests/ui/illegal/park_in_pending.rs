//! Nothing is under way yet that could be stopped.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>, reason: Reason) {
    let _ = it.park(reason, "ann");
}

fn main() {}
