//! The main job: takes sign-ups from a file through a whole onboarding, durably.
//!
//! ```sh
//! cargo run --release --example quickstart
//! cargo run --release --example quickstart -- --input my.jsonl --data /tmp/there --json
//! ```
//!
//! Kill it whenever you like and run it again: it goes on where it was. Exit code 0 when every line
//! was handled, 2 when some were refused, 1 when it could not run.
//!
//! Read on in `workspace.rs` (the flow), `tasks.rs` (what provisions), `host.rs` (what a service
//! does when a request comes in).

mod board;
mod host;
mod kill;
mod platform;
mod report;
mod signup;
mod tasks;
mod workspace;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use onramp::prelude::*;

use crate::board::Board;
use crate::platform::Platform;
use crate::signup::Signups;
use crate::tasks::Faults;

#[derive(Parser)]
#[command(about = "Onboards the sign-ups of a file, durably.")]
struct Args {
    /// The sign-ups, one JSON object a line.
    #[arg(long, default_value = "examples/data/signups.jsonl")]
    input: PathBuf,
    /// Where databases are kept. Run again with the same folder to go on.
    #[arg(long, default_value = "quickstart-data")]
    data: PathBuf,
    /// Print one JSON object per subject and a summary, instead of a table.
    #[arg(long)]
    json: bool,
    /// Try those again that have failed.
    #[arg(long)]
    retry_failed: bool,
    /// List the points at which the restart test may kill this program.
    #[arg(long, hide = true)]
    list_kill_points: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    if args.list_kill_points {
        kill::POINTS.iter().for_each(|point| println!("{point}"));
        return Ok(ExitCode::SUCCESS);
    }
    let signups = Signups::read(&args.input)?;
    for refused in &signups.refused {
        eprintln!("line {}: {}", refused.line, refused.reason);
    }

    tasks::hush_staged_panics();
    let platform = Platform::open(&args.data).await?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(args.data.join("onboarding.db")).await?);
    let flow = workspace::flow(&platform, Faults::of(&signups))?;
    let board = Arc::new(Board::new(flow.plan(), &signups, args.json));
    let engine = Engine::builder(Arc::clone(&store))
        .flow(&flow)
        .worker("quickstart")
        // Short, so that what a killed run held is soon free again.
        .lease(Duration::from_secs(2))
        .observe({
            let board = Arc::clone(&board);
            move |seen| {
                kill::point("engine.commit");
                board.saw(seen.state);
            }
        })
        .build();
    let onramp = Onramp::shared(store, flow);

    let before = report::Report::load(&onramp, &signups).await?;
    for signup in &signups.accepted {
        let state = host::bring(&onramp, signup, args.retry_failed).await?;
        board.saw(&state);
    }
    engine.run_until_idle().await?;
    board.finish();

    let after = report::Report::load(&onramp, &signups).await?;
    if args.json {
        after.print_json(&signups)?;
    } else {
        after.print_table(&before, &signups, &args.data);
    }
    Ok(match signups.refused.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(2),
    })
}
