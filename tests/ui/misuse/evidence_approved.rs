//! Evidence is attested by the host, not approved by an operator.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, payment: Payment) {
    let _ = it.approve(payment, "ann");
}

fn main() {}
