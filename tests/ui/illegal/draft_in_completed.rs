//! Whoever is done fills nothing in any more.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Completed>, draft: Draft<Company>) {
    let _ = it.draft(&draft);
}

fn main() {}
