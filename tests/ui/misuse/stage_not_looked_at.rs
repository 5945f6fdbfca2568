//! What was loaded may be in any stage: look first.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(found: Loaded<Signup>) {
    let _ = found.complete();
}

fn main() {}
