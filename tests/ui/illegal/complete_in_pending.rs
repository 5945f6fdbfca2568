//! It has not even begun.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>) {
    let _ = it.complete();
}

fn main() {}
