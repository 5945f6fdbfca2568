//! What has failed is retried, not started.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>, clearance: Clearance<Signup>) {
    let _ = it.start(clearance);
}

fn main() {}
