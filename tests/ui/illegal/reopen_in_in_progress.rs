//! Only what is completed is reopened.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    let _ = it.reopen();
}

fn main() {}
