//! A stage's data come from a store.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Pending {};
}
