//! A fact is stored in clear: no secret goes into one.
#[path = "../common.rs"]
mod common;
use common::*;
use onramp::vault::Secret;

#[derive(Serialize)]
struct Provider {
    key: Secret,
}

fn main() {}
