//! The gates of another flow say nothing about this one.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(pending: Onboarding<Signup, Pending>, clearance: Clearance<Offboarding>) {
    let _ = pending.start(clearance);
}

fn main() {}
