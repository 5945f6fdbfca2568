//! What is complete stays as it is.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, company: Company) {
    let _ = it.revise(company);
}

fn main() {}
