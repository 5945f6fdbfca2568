//! It is given up already.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>) {
    let _ = it.cancel();
}

fn main() {}
