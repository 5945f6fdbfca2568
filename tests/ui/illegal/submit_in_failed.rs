//! Answers are taken again after a retry.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>, company: Company) {
    let _ = it.submit(company);
}

fn main() {}
