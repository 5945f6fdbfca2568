//! Nothing was parked yet.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>) {
    let _ = it.unpark("ann");
}

fn main() {}
