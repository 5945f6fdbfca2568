//! What has failed is retried.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>) {
    let _ = it.unpark("ann");
}

fn main() {}
