//! A handle comes from a store, not from text.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(text: &str) {
    let _: Result<Onboarding<Signup, Completed>, _> = serde_json::from_str(text);
}

fn main() {}
