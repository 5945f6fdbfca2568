//! A condition is for the step that follows, and none does.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps()
        .ask::<Company>()
        .when(|company: &Company| !company.0.is_empty())
        .build();
}
