//! Nothing has failed: it is under way.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    let _ = it.retry();
}

fn main() {}
