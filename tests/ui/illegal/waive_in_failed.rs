//! What has failed is retried before a step is waived.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>, reason: Reason) {
    let _ = it.waive::<Payment>(reason, "ann");
}

fn main() {}
