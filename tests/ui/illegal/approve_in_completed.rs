//! What is done needs no approval.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, review: Reviewed) {
    let _ = it.approve(review, "ann");
}

fn main() {}
