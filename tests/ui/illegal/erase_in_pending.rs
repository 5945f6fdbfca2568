//! It may still begin: cancel it first.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>) {
    let _ = it.erase();
}

fn main() {}
