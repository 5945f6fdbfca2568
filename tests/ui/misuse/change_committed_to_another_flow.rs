//! The change is of another flow than the front door.
#[path = "../common.rs"]
mod common;
use common::*;

async fn misuse(door: Onramp<Offboarding>, it: Onboarding<Signup, InProgress>) {
    let _ = door.commit(it.cancel()).await;
}

fn main() {}
