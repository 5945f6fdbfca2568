//! Once is enough.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>) {
    let _ = it.complete();
}

fn main() {}
