//! It is over.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, clearance: Clearance<Signup>) {
    let _ = it.start(clearance);
}

fn main() {}
