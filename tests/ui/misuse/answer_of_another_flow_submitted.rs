//! `Motive` is an answer of another flow.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, reason: Motive) {
    let _ = it.submit(reason);
}

fn main() {}
