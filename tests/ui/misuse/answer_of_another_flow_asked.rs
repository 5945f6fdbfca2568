//! `Motive` is an answer of another flow.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps().ask::<Motive>().build();
}
