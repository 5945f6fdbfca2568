//! A site is built by a task, not given by the subject.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(it: Onboarding<Signup, InProgress>, site: Site) {
    let _ = it.submit(site);
}

fn main() {}
