//! What the engine costs and needs.
//!
//! `scripts/bench engine` (private servers of its own), in four cases:
//!
//! - *onboard5*: how many onboardings it completes, each created and started by a host, with five
//!   tasks that each give a fact of 200 bytes; beside the same written by hand, without an engine (see
//!   the bench of that name).
//! - *latency*: from the start of an onboarding to that of its first task, on an engine that has
//!   nothing else to do.
//! - *memory*: of a process with 10,000 onboardings under way at once.
//! - *parked*: what an engine asks and computes that has nothing to do, beside a million onboardings
//!   that wait for somebody.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "../claim/fill.rs"]
#[expect(dead_code, reason = "the bench of claims fills in more")]
mod fill;
#[path = "../onboard5/floor.rs"]
mod floor;
mod idle;
#[path = "../onboard5/measure.rs"]
mod measure;
mod memory;
#[path = "../onboard5/meter.rs"]
mod meter;
mod onboard;
mod signup;

use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Only this store: postgres, mariadb or sqlite.
    #[arg(long)]
    store: Option<String>,
    /// Only these cases: onboard5, latency, memory, parked.
    #[arg(long, value_delimiter = ',')]
    case: Vec<String>,
    /// Interleaved rounds of each.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that a round takes.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Onboardings under way at once.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Engines that share them.
    #[arg(long, default_value_t = 1)]
    engines: usize,
    /// How often an engine looks for work, in milliseconds.
    #[arg(long, default_value_t = 5)]
    poll: u64,
    /// Leaves the floor out: for profiles.
    #[arg(long)]
    no_floor: bool,
    /// Onboardings whose latency is measured.
    #[arg(long, default_value_t = 200)]
    samples: usize,
    /// Onboardings under way at once in the case of memory.
    #[arg(long, default_value_t = 10_000)]
    under_way: usize,
    /// Onboardings that wait in the case of parked ones.
    #[arg(long, default_value_t = 1_000_000)]
    parked: u64,
    /// The process whose memory is measured: works on this database.
    #[arg(long, hide = true)]
    child: Option<String>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn wants(&self, case: &str) -> bool {
        self.case.is_empty() || self.case.iter().any(|wanted| wanted == case)
    }
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let Some(url) = &args.child {
        let store = args.store.as_deref().unwrap();
        return memory::child(store, url, args.under_way).await;
    }
    for store in ["postgres", "sqlite", "mariadb"] {
        if args.store.as_deref().is_some_and(|only| only != store) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        if args.wants("onboard5") {
            onboard::run(store, &args, folder.path()).await;
        }
        if args.wants("latency") {
            idle::latency(store, &args, folder.path()).await;
        }
        if args.wants("memory") {
            memory::run(store, &args, folder.path()).await;
        }
        if args.wants("parked") {
            idle::parked(store, &args, folder.path()).await;
        }
    }
}
