//! Its tasks still need its facts: cancel it first.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    let _ = it.erase();
}

fn main() {}
