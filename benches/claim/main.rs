//! What a claim takes, however much is queued, finished, or held back by an old snapshot.
//!
//! `scripts/bench claim` (private servers of its own) is a quick run; the real sizes are
//!
//! ```text
//! scripts/bench claim --large 1000000 --finished 5000000 --snapshot 300
//! ```
//!
//! A claim is timed from call to answer: it is durable then. What was claimed is given back, so that
//! as much stays queued. Rounds of the small and the large database are interleaved.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

mod fill;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use fill::Database;
use onramp::prelude::*;
use onramp::store::{ClaimOrder, ClaimRequest, ClaimStrategy, SqlOptions, WorkerId};
use onramp::{FlowName, Revision};

#[derive(Parser)]
struct Args {
    /// Only this store: postgres, mariadb or sqlite.
    #[arg(long)]
    store: Option<String>,
    /// Only these cases: size, turn, contention, snapshot.
    #[arg(long, value_delimiter = ',')]
    case: Vec<String>,
    /// How many are queued in the small database.
    #[arg(long, default_value_t = 1_000)]
    small: u64,
    /// How many are queued in the large one.
    #[arg(long, default_value_t = 20_000)]
    large: u64,
    /// How many more are finished in the large one.
    #[arg(long, default_value_t = 50_000)]
    finished: u64,
    /// How many tenants they belong to.
    #[arg(long, default_value_t = 1)]
    tenants: u64,
    /// Claims in each case.
    #[arg(long, default_value_t = 1_000)]
    claims: u64,
    /// How many each claim asks for.
    #[arg(long, default_value_t = 1)]
    max: usize,
    /// Seconds that an old snapshot is held.
    #[arg(long, default_value_t = 5)]
    snapshot: u64,
    /// Operations a second meanwhile.
    #[arg(long, default_value_t = 500)]
    rate: u64,
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
    for store in ["postgres", "mariadb", "sqlite"] {
        if args.store.as_deref().is_some_and(|only| only != store) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        if args.wants("size") {
            size(&args, store, folder.path()).await;
        }
        if args.wants("turn") {
            turn(store, folder.path()).await;
        }
        if args.wants("contention") && store != "sqlite" {
            for strategy in [ClaimStrategy::SkipLocked, ClaimStrategy::Buckets] {
                contention(store, strategy, folder.path()).await;
            }
        }
        if args.wants("snapshot") {
            snapshot(&args, store, folder.path()).await;
        }
    }
}

async fn open(database: &Database, strategy: ClaimStrategy) -> Arc<dyn Store> {
    let options = SqlOptions::new(&database.url).claim_by(strategy);
    match database.store {
        "postgres" => Arc::new(PostgresStore::connect_with(options).await.unwrap()),
        "mariadb" => Arc::new(MySqlStore::connect_with(options).await.unwrap()),
        _ => Arc::new(SqliteStore::open(&database.url).await.unwrap()),
    }
}

/// A database with so many queued, one after another, and so many finished.
async fn filled(
    store: &'static str,
    folder: &std::path::Path,
    (queued, finished, tenants): (u64, u64, u64),
) -> (Database, Arc<dyn Store>) {
    let database = Database::new(store, folder).await;
    let opened = open(&database, ClaimStrategy::SkipLocked).await;
    let mut on = database.connect().await;
    on.careless().await;
    on.rest(1, queued + finished, tenants).await;
    on.queue(1, queued, tenants, 2_000).await;
    on.settle().await;
    (database, opened)
}

fn request(max: usize, order: ClaimOrder) -> ClaimRequest {
    let flow = FlowName::from_static("bench");
    let request = ClaimRequest::new(&flow, &WorkerId::new("bench"));
    request.max(max).order(order)
}

/// The small and the large database, in both orders.
async fn size(args: &Args, store: &'static str, folder: &std::path::Path) {
    let (_small, small) = filled(store, folder, (args.small, 0, args.tenants)).await;
    let of_large = (args.large, args.finished, args.tenants);
    let (_large, large) = filled(store, folder, of_large).await;
    const ROUNDS: u64 = 10;
    for order in [ClaimOrder::Oldest, ClaimOrder::Fair] {
        let (mut few, mut many) = (Vec::new(), Vec::new());
        timed(&small, args.max, order, 50).await;
        timed(&large, args.max, order, 50).await;
        for _ in 0..ROUNDS {
            few.extend(timed(&small, args.max, order, args.claims / ROUNDS).await);
            many.extend(timed(&large, args.max, order, args.claims / ROUNDS).await);
        }
        let (few, many) = (Quantiles::of(few), Quantiles::of(many));
        println!(
            "claim store={store} order={order:?} tenants={} max={} pending={} {few} | pending={} \
             finished={} {many} | p99 ratio={:.2}",
            args.tenants,
            args.max,
            args.small,
            args.large,
            args.finished,
            many.p99 / few.p99,
        );
    }
}

async fn timed(
    store: &Arc<dyn Store>,
    max: usize,
    order: ClaimOrder,
    claims: u64,
) -> Vec<Duration> {
    let request = request(max, order);
    let mut took = Vec::new();
    for _ in 0..claims {
        let began = Instant::now();
        let leases = store.claim(&request).await.unwrap();
        took.push(began.elapsed());
        assert_eq!(leases.len(), max);
        for lease in leases {
            store.release(&lease, Duration::ZERO).await.unwrap();
        }
    }
    took
}

/// One tenant with a backlog, and one that comes late with one.
async fn turn(store: &'static str, folder: &std::path::Path) {
    const BACKLOG: u64 = 10_000;
    let (database, opened) = filled(store, folder, (BACKLOG, 0, 1)).await;
    let request = request(1, ClaimOrder::Fair);
    opened.claim(&request).await.unwrap();
    let mut on = database.connect().await;
    let late = BACKLOG + 1;
    on.rest(late, 1, late + 1).await;
    on.queue(late, 1, late + 1, 0).await;
    let (mut claims, mut took) = (0, Vec::new());
    loop {
        let began = Instant::now();
        let claimed = opened.claim(&request).await.unwrap();
        took.push(began.elapsed());
        claims += 1;
        if claimed.iter().any(|lease| lease.tenant.as_str() != "t-0") {
            break;
        }
        assert!(claims < 10, "it waits for the backlog");
    }
    let took = Quantiles::of(took);
    println!(
        "claim store={store} case=turn backlog={BACKLOG} claims until the late one={claims} {took}"
    );
}

/// Sixteen workers that claim at the same time.
async fn contention(store: &'static str, strategy: ClaimStrategy, folder: &std::path::Path) {
    let (database, _) = filled(store, folder, (100_000, 0, 1)).await;
    let claimed = Arc::new(AtomicU64::new(0));
    let length = Duration::from_secs(3);
    let mut workers = Vec::new();
    for _ in 0..4 {
        // As in processes of their own.
        let opened = open(&database, strategy).await;
        for _ in 0..4 {
            let (opened, claimed) = (Arc::clone(&opened), Arc::clone(&claimed));
            workers.push(tokio::spawn(async move {
                let request = request(4, ClaimOrder::Fair);
                let (mut took, until) = (Vec::new(), Instant::now() + length);
                while Instant::now() < until {
                    let began = Instant::now();
                    let leases = opened.claim(&request).await.unwrap();
                    took.push(began.elapsed());
                    claimed.fetch_add(leases.len() as u64, Ordering::Relaxed);
                }
                took
            }));
        }
    }
    let mut took = Vec::new();
    for worker in workers {
        took.extend(worker.await.unwrap());
    }
    let claims = took.len() as u64;
    let claimed = claimed.load(Ordering::Relaxed);
    println!(
        "claim store={store} case=contention strategy={strategy:?} workers=16 max=4 claims/s={} \
         claimed/s={} {}",
        claims / length.as_secs(),
        claimed / length.as_secs(),
        Quantiles::of(took),
    );
}

/// What is due comes, is claimed and is done, while somebody holds an old snapshot.
async fn snapshot(args: &Args, store: &'static str, folder: &std::path::Path) {
    const WORKERS: u64 = 8;
    let all = args.rate * args.snapshot;
    let (database, opened) = filled(store, folder, (1_000, all + args.rate, 1)).await;
    let mut holder = database.connect().await;
    holder.snapshot().await;
    let began = Instant::now();
    let length = Duration::from_secs(args.snapshot);
    let mut feeder = database.connect().await;
    let (from, rate) = (1_001, args.rate);
    let feeding = tokio::spawn(async move {
        feeder.careless().await;
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let mut fed = 0;
        while began.elapsed() < length {
            ticks.tick().await;
            let due = (began.elapsed().as_millis() as u64 * rate / 1_000).min(all);
            if due > fed {
                feeder.queue(from + fed, due - fed, 1, 2_000).await;
                fed = due;
            }
        }
    });
    let workers = (0..WORKERS).map(|_| {
        let opened = Arc::clone(&opened);
        tokio::spawn(async move {
            let request = request(1, ClaimOrder::Fair);
            let mut ticks =
                tokio::time::interval(Duration::from_secs(1) * WORKERS as u32 / rate as u32);
            let (mut took, mut done) = (Vec::new(), 0_u64);
            while began.elapsed() < length {
                ticks.tick().await;
                let at = Instant::now();
                let leases = opened.claim(&request).await.unwrap();
                took.push((began.elapsed(), at.elapsed()));
                for lease in leases {
                    opened.park(&lease, Revision::new(1), None).await.unwrap();
                    done += 1;
                }
            }
            (took, done)
        })
    });
    let (mut took, mut done) = (Vec::new(), 0);
    for worker in workers.collect::<Vec<_>>() {
        let (times, parked) = worker.await.unwrap();
        took.extend(times);
        done += parked;
    }
    feeding.await.unwrap();
    drop(holder);
    let all = Quantiles::of(took.iter().map(|(_, took)| *took).collect());
    let late = took.iter().filter(|(at, _)| *at > length * 4 / 5);
    let late = Quantiles::of(late.map(|(_, took)| *took).collect());
    println!(
        "claim store={store} case=snapshot held={}s rate={}/s claims={} done={done} {all} | last fifth {late}",
        args.snapshot,
        args.rate,
        took.len(),
    );
}

struct Quantiles {
    p50: f64,
    p99: f64,
    most: f64,
}

impl Quantiles {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at =
            |part: usize| took[(took.len() * part / 100).min(took.len() - 1)].as_secs_f64() * 1e3;
        Self {
            p50: at(50),
            p99: at(99),
            most: at(100),
        }
    }
}

impl std::fmt::Display for Quantiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50={:.2}ms p99={:.2}ms max={:.1}ms",
            self.p50, self.p99, self.most
        )
    }
}
