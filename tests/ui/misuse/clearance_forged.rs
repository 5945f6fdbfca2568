//! A clearance is made by checking the gates.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(pending: &Onboarding<Signup, Pending>) -> Clearance<Signup> {
    Clearance { onboarding: pending.id() }
}

fn main() {}
