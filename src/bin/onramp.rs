//! The operator's command line, without any flow of a host's: see `onramp::cli`.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    onramp::cli::Cli::new().run().await
}
