//! There is no router before it is said who finds out who is asking.
#[path = "../common.rs"]
mod common;
use common::*;

fn misuse(onramp: Onramp<Signup>) {
    let _ = onramp::http::Api::new(onramp).into_router();
}

fn main() {}
