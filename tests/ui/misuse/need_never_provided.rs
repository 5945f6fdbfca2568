//! The site needs the payment, and no step yields it.
#[path = "../common.rs"]
mod common;
use common::*;

fn main() {
    let _ = Signup::steps().ask::<Company>().run(BuildSite).build();
}
