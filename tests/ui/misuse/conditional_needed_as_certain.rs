//! The branding does not apply to all, so the task must take `Option<Branding>`.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps()
        .ask::<Company>()
        .when(|company: &Company| !company.0.is_empty()).ask::<Branding>()
        .run(PaintSite)
        .build();
}
