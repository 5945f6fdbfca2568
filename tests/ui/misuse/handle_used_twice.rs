//! The first operation used the handle up.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, company: Company) {
    let _first = it.submit(company);
    let _second = it.cancel();
}

fn main() {}
