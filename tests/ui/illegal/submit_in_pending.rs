//! No answers before the start.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>, company: Company) {
    let _ = it.submit(company);
}

fn main() {}
