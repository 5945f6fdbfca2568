//! An approval is an operator's, not the host's.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, review: Reviewed) {
    let _ = it.attest(review);
}

fn main() {}
