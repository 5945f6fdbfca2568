//! Only what is under way goes on under another version.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>) {
    let _ = it.adopt();
}

fn main() {}
