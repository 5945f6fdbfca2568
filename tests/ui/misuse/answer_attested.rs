//! The company is what the subject says; nobody attests it.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, company: Company) {
    let _ = it.attest(company);
}

fn main() {}
