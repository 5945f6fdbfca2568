//! Nothing has failed: it is done.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>) {
    let _ = it.retry();
}

fn main() {}
