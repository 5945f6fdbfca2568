//! What is done was not parked.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>) {
    let _ = it.unpark("ann");
}

fn main() {}
