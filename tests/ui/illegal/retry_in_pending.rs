//! Nothing has failed: start it.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>) {
    let _ = it.retry();
}

fn main() {}
