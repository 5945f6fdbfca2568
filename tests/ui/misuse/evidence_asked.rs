//! A payment is what a third party says, never the subject.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps().ask::<Payment>().build();
}
