//! What handing messages out takes, however many wait or are put off, and how many a relay delivers.
//!
//! `scripts/bench outbox` (private servers of its own) is a quick run; the real size is
//! `scripts/bench outbox --messages 1000000`.
//!
//! - `due`: all wait, two of each onboarding. A take and a settlement are timed from call to answer.
//! - `outage`: all were put off, and a few more are due.
//! - `relay`: a relay drains what is left of the first, by a notifier that does nothing.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "claim/fill.rs"]
#[expect(dead_code, reason = "made for claims; messages are filled in here")]
mod fill;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use fill::{Database, Session};
use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::prelude::*;
use onramp::store::{OutboxMessage, Settlement};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Args {
    /// Only this store: postgres, mariadb or sqlite.
    #[arg(long)]
    store: Option<String>,
    /// How many messages wait.
    #[arg(long, default_value_t = 20_000)]
    messages: u64,
    /// Takes in each case.
    #[arg(long, default_value_t = 200)]
    takes: u64,
    /// How many each take asks for.
    #[arg(long, default_value_t = 16)]
    max: usize,
    /// Seconds that the relay runs.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    for store in ["postgres", "mariadb", "sqlite"] {
        if args.store.as_deref().is_some_and(|only| only != store) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let due = filled(store, folder.path(), args.messages, 0).await;
        handed_out(&args, store, "due", &due).await;
        relayed(&args, store, &due).await;
        let outage = filled(store, folder.path(), args.messages, 86_400_000_000).await;
        let more = args.takes * args.max as u64 * 2;
        fill(&mut outage.0.connect().await, store, args.messages, more, 0).await;
        handed_out(&args, store, "outage", &outage).await;
    }
}

/// A database with so many messages, due so many microseconds from now.
async fn filled(
    store: &'static str,
    folder: &std::path::Path,
    messages: u64,
    later: u64,
) -> (Database, Arc<dyn Store>) {
    let database = Database::new(store, folder).await;
    let opened: Arc<dyn Store> = match store {
        "postgres" => Arc::new(PostgresStore::connect(&database.url).await.unwrap()),
        "mariadb" => Arc::new(MySqlStore::connect(&database.url).await.unwrap()),
        _ => Arc::new(SqliteStore::open(&database.url).await.unwrap()),
    };
    let mut on = database.connect().await;
    on.careless().await;
    fill(&mut on, store, 0, messages, later).await;
    on.settle().await;
    (database, opened)
}

/// Messages from a number on: two of each onboarding, a millisecond after one another.
async fn fill(on: &mut Session, store: &str, from: u64, many: u64, later: u64) {
    let mut at = from;
    while at < from + many {
        let to = (at + 100_000).min(from + many) - 1;
        let (n, hex, series, now) = match store {
            "postgres" => (
                "n",
                "decode(lpad(to_hex(n / 2), 32, '0'), 'hex')",
                format!("generate_series({at}, {to}) n"),
                "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint",
            ),
            "mariadb" => (
                "seq",
                "UNHEX(LPAD(HEX(seq DIV 2), 32, '0'))",
                format!("seq_{at}_to_{to}"),
                "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
            ),
            _ => (
                "n",
                "unhex(printf('%032x', n / 2))",
                format!(
                    "(WITH RECURSIVE s (n) AS (SELECT {at} UNION ALL SELECT n + 1 FROM s \
                     WHERE n < {to}) SELECT n FROM s)"
                ),
                "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)",
            ),
        };
        let stored = format!("{now} - ({} - {n}) * 1000", from + many);
        on.run(format!(
            "INSERT INTO onramp_outbox (id, tenant, flow, subject, onboarding, revision, place, topic, \
             at, stored_at, due_at) SELECT {hex}, 'acme', 'bench', 'org', {hex}, {n}, 0, 'started', 0, \
             {stored}, {stored} + {later} FROM {series}"
        ))
        .await;
        at = to + 1;
    }
}

async fn handed_out(args: &Args, name: &str, case: &str, (_, store): &(Database, Arc<dyn Store>)) {
    let (mut takes, mut settlements) = (Vec::new(), Vec::new());
    let hidden = Duration::from_secs(600);
    let mut messages = 0;
    for _ in 0..args.takes {
        let began = Instant::now();
        let taken = store.take_outbox(args.max, hidden).await.unwrap();
        takes.push(began.elapsed());
        messages += taken.len();
        let settled = taken.into_iter().map(|d| (d, Settlement::Delivered));
        let settled: Vec<_> = settled.collect();
        let began = Instant::now();
        store.settle_outbox(&settled).await.unwrap();
        settlements.push(began.elapsed());
    }
    let (mut nexts, mut lags) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let began = Instant::now();
        store.next_outbox().await.unwrap();
        nexts.push(began.elapsed());
        let began = Instant::now();
        store.outbox_lag().await.unwrap();
        lags.push(began.elapsed());
    }
    println!(
        "{name} {case}: of {} messages {messages} in {} takes; take {}, settle {}, next {}, lag {}",
        args.messages,
        args.takes,
        quantiles(takes),
        quantiles(settlements),
        quantiles(nexts),
        quantiles(lags),
    );
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1_000.0;
    format!("{:.2} ms (99 %: {:.2})", at(50), at(99))
}

#[derive(Default)]
struct Nothing(AtomicU64);

#[async_trait::async_trait]
impl Notifier for Nothing {
    async fn notify(&self, _: &OutboxMessage) -> Result<(), NotifyError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

async fn relayed(args: &Args, name: &str, (_, store): &(Database, Arc<dyn Store>)) {
    for relays in [1, 2] {
        let nothing = Arc::new(Nothing::default());
        let shutdown = CancellationToken::new();
        let began = Instant::now();
        let running = (0..relays).map(|_| {
            let relay = Relay::builder(Arc::clone(store))
                .notifier(Arc::clone(&nothing))
                .concurrency(64)
                .build();
            let shutdown = shutdown.clone();
            tokio::spawn(async move { relay.run(shutdown).await })
        });
        let running: Vec<_> = running.collect();
        let limit = Duration::from_secs(args.seconds);
        while began.elapsed() < limit && store.next_outbox().await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        shutdown.cancel();
        for relay in running {
            relay.await.unwrap();
        }
        let messages = nothing.0.load(Ordering::Relaxed);
        let rate = messages as f64 / began.elapsed().as_secs_f64();
        println!("{name} relay: {relays} at once deliver {rate:.0} messages a second");
    }
}
