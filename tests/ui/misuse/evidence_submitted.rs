//! A payment is what a third party says, never the subject.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, payment: Payment) {
    let _ = it.submit(payment);
}

fn main() {}
