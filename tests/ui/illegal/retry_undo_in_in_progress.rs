//! A worker is still at it.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    let _ = it.retry_undo();
}

fn main() {}
