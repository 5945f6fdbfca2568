//! A failure cannot be declared a success.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>) {
    let _ = it.complete();
}

fn main() {}
