//! Which operation is legal where is the table's to say.
#[path = "../common.rs"]
mod common;
use common::*;

impl onramp::lifecycle::CanRetry for Completed {
    type To = InProgress;
}

fn main() {}
