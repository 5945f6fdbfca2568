//! The payment is expected only after the task that needs it.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps()
        .ask::<Company>()
        .run(BuildSite)
        .expect::<Payment>()
        .build();
}
