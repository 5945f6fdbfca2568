//! What is complete can no longer be given up.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>) {
    let _ = it.cancel();
}

fn main() {}
