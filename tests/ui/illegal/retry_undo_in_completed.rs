//! What is complete is not taken back.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>) {
    let _ = it.retry_undo();
}

fn main() {}
