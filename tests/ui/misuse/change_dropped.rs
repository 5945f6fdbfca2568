//! A change does nothing until it is committed.
#![deny(unused_must_use)]
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>) {
    it.cancel();
}

fn main() {}
