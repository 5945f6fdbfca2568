//! There is no answer yet to revise.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Pending>, company: Company) {
    let _ = it.revise(company);
}

fn main() {}
