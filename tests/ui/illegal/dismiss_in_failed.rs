//! Nobody is asked for anything any more.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, Failed>) {
    let _ = it.dismiss();
}

fn main() {}
