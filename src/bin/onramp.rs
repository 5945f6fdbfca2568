//! The operator's command line, without any flow of a host's: see `onramp::cli`.

use std::process::ExitCode;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    onramp::cli::Cli::new().run().await
}

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn main() -> ExitCode {
    compile_error!("add the features of the databases to reach: sqlite, postgres, mysql")
}
