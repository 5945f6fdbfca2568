//! What has failed is retried before a form is filled in.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>, draft: Draft<Company>) {
    let _ = it.draft(&draft);
}

fn main() {}
