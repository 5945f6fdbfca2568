//! The condition reads the branding, which may be skipped.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps()
        .ask_optional::<Branding>()
        .when(|branding: &Branding| !branding.0.is_empty()).ask::<Company>()
        .build();
}
