//! Cancelling what is under way leads to undoing first, not straight to `Failed`.
#[path = "../common.rs"]
mod common;
use common::*;

async fn misuse(door: Onramp<Signup>, it: Onboarding<Signup, InProgress>) {
    let _failed: Onboarding<Signup, Failed> = door.commit(it.cancel()).await.unwrap();
}

fn main() {}
