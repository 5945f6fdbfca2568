//! A plain number is not the fact of any step.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: &Onboarding<Signup, InProgress>) -> bool {
    it.has::<u32>()
}

fn main() {}
