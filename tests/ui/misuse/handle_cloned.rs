//! There is one handle for one revision: it cannot be copied.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    let _: Onboarding<Signup, InProgress> = it.clone();
}

fn main() {}
