//! A clearance serves once.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(
    one: Onboarding<Signup, Pending>,
    other: Onboarding<Signup, Pending>,
    clearance: Clearance<Signup>,
) {
    let _first = one.start(clearance);
    let _second = other.start(clearance);
}

fn main() {}
