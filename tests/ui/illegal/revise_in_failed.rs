//! Retry first, then revise.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>, company: Company) {
    let _ = it.revise(company);
}

fn main() {}
