//! `CloseAccount` is a task of another flow.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps().run(CloseAccount).build();
}
