//! Nothing was built, so nothing is left to undo.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>) {
    let _ = it.retry_undo();
}

fn main() {}
