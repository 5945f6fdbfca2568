//! A handle exists only for what is stored; nobody can build one.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(stage: Completed) -> Onboarding<Signup, Completed> {
    Onboarding { stage }
}

fn main() {}
