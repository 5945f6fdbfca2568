//! The operator's command line, as it is typed: the real binaries on real databases.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "parts of an example are used, and a test may panic"
)]

mod support;

#[path = "cli/bare.rs"]
mod bare;
#[path = "cli/broken.rs"]
mod broken;
#[path = "cli/embedded.rs"]
mod embedded;
#[path = "cli/golden.rs"]
mod golden;
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
