//! Late evidence changes nothing any more.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, payment: Payment) {
    let _ = it.attest(payment);
}

fn main() {}
