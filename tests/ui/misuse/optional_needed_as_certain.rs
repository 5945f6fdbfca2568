//! The branding may be skipped, so the task must take `Option<Branding>`.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps().ask_optional::<Branding>().run(PaintSite).build();
}
