//! It is over: answers are closed.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, company: Company) {
    let _ = it.submit(company);
}

fn main() {}
