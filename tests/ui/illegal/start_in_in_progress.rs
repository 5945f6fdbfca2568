//! It is started already.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, clearance: Clearance<Signup>) {
    let _ = it.start(clearance);
}

fn main() {}
