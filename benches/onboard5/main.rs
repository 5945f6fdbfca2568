//! What durability costs: one onboarding of five steps, by onramp and by hand, side by side.
//!
//! `scripts/bench onboard5` (private servers of its own). Both take as many onboardings as they can
//! from new to completed, with five steps, each durably stored with a fact of 200 bytes before the
//! next one begins. Rounds of the two are interleaved; the median of each is printed.
//!
//! The floor is what a careful developer writes by hand with sqlx: seven transactions, each a
//! compare-and-swap UPDATE (the first an INSERT) and an INSERT, with the databases' defaults for
//! durability. It has no rules, no types, no journal, no hash chain, no outbox and no idempotency.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark may panic"
)]

mod floor;
mod measure;
mod meter;
mod typed;

use std::time::Duration;

use clap::Parser;
use measure::{measure, median};
use meter::Meter;

#[derive(Parser)]
struct Args {
    /// Only this store: postgres, mariadb or sqlite.
    #[arg(long)]
    store: Option<String>,
    /// Only these numbers of concurrent onboardings.
    #[arg(long, value_delimiter = ',')]
    concurrency: Vec<usize>,
    /// Interleaved rounds of each.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that a round takes.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many connections the floor may open.
    #[arg(long, default_value_t = 64)]
    floor_connections: u32,
    /// Leaves the floor out: for profiles.
    #[arg(long)]
    no_floor: bool,
    /// Leaves onramp out: for profiles.
    #[arg(long)]
    only_floor: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Case {
    store: &'static str,
    concurrency: usize,
    /// What the floor is measured at.
    floor: usize,
}

const CASES: [Case; 8] = [
    Case {
        store: "postgres",
        concurrency: 1,
        floor: 1,
    },
    Case {
        store: "postgres",
        concurrency: 16,
        floor: 16,
    },
    Case {
        store: "postgres",
        concurrency: 64,
        floor: 64,
    },
    Case {
        store: "postgres",
        concurrency: 256,
        floor: 64,
    },
    Case {
        store: "sqlite",
        concurrency: 1,
        floor: 1,
    },
    Case {
        store: "sqlite",
        concurrency: 64,
        floor: 64,
    },
    Case {
        store: "mariadb",
        concurrency: 1,
        floor: 1,
    },
    Case {
        store: "mariadb",
        concurrency: 64,
        floor: 64,
    },
];

#[tokio::main]
async fn main() {
    let args = Args::parse();
    for case in CASES {
        let wanted = args.store.as_deref().is_none_or(|only| only == case.store)
            && (args.concurrency.is_empty() || args.concurrency.contains(&case.concurrency));
        if wanted {
            run(&case, &args).await;
        }
    }
}

async fn run(case: &Case, args: &Args) {
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::new(case.store).await;
    let (one, store) = typed::onramp(case.store, folder.path()).await;
    let floor = floor::floor(case.store, folder.path(), args.floor_connections).await;
    let length = Duration::from_secs_f64(args.seconds);
    let warm = Duration::from_millis(500);
    measure(&one, case.concurrency, warm).await;
    measure(&floor, case.floor, warm).await;
    let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
    let (mut transactions, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let before = (store.transactions(), meter.written().await);
        let first = if args.only_floor { &floor } else { &one };
        let (done, rate) = measure(first, case.concurrency, length).await;
        let after = (store.transactions(), meter.written().await);
        ours.push(rate);
        transactions.push((after.0 - before.0) as f64 / done as f64);
        bytes.push((after.1 - before.1) as f64 / done as f64);
        let floor = async {
            match args.no_floor {
                true => f64::NAN,
                false => measure(&floor, case.floor, length).await.1,
            }
        };
        by_hand.push(floor.await);
    }
    let (ours, by_hand) = (median(ours), median(by_hand));
    println!(
        "onboard5 store={} concurrency={} onramp={ours:.0} floor={by_hand:.0} ratio={:.2} tx={:.2} wal={:.0}",
        case.store,
        case.concurrency,
        ours / by_hand,
        median(transactions),
        median(bytes),
    );
}
