//! The condition reads the company, and no earlier step yields it.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps()
        .when(|company: &Company| !company.0.is_empty()).ask::<Branding>()
        .build();
}
