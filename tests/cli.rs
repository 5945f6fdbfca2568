//! The operator's command line, as it is typed: the real binaries on real databases.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::panic,
    clippy::unwrap_used,
    reason = "parts of an example are used, and a test may panic"
)]

mod support;

/// A wall: the command line compiles outside of the crate, so it uses nothing that a host could not.
#[path = "../src/cli/mod.rs"]
mod cli;
const _: fn() -> cli::Cli = cli::Cli::new;
// The crate's root, as it is seen from outside.
use onramp::*;

#[path = "cli/bare.rs"]
mod bare;
#[path = "cli/broken.rs"]
mod broken;
#[path = "cli/embedded.rs"]
mod embedded;
#[path = "cli/golden.rs"]
mod golden;
#[path = "cli/imports.rs"]
mod imports;
#[path = "cli/typed.rs"]
mod typed;

// The quickstart's flow, which the example `operator` knows.
#[path = "../examples/quickstart/kill.rs"]
mod kill;
#[path = "../examples/quickstart/platform.rs"]
mod platform;
#[path = "../examples/quickstart/signup.rs"]
mod signup;
#[path = "../examples/quickstart/tasks.rs"]
mod tasks;
#[path = "../examples/quickstart/workspace.rs"]
mod workspace;
