//! An engine that has nothing to do: how soon it begins when there is something, and what it costs
//! until then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onramp::engine::Engine;
use onramp::prelude::*;
use sqlx::{Connection as _, Row as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::Args;
use crate::fill::Database;
use crate::signup::{Hooks, flow, open, start};

/// From the confirmed start of an onboarding to that of its first task.
pub(crate) async fn latency(store: &'static str, args: &Args, folder: &Path) {
    let database = Database::new(store, folder).await;
    let (opened, _) = open(store, &database.url).await;
    let (began, mut begun) = mpsc::unbounded_channel();
    let hooks = Hooks {
        began: Some(began),
        held: None,
    };
    let definition = flow(&Arc::new(hooks));
    let (engine, shutdown) = idle(&opened, &definition);
    let onramp = Onramp::shared(opened, definition);
    let mut took = Vec::new();
    for sample in 0..args.samples {
        // Out of step with whatever the engine does now and then.
        sleep(Duration::from_millis(30 + 37 * (sample as u64 % 11))).await;
        let subject = SubjectId::new(format!("org-{sample}")).unwrap();
        start(&onramp, &subject).await;
        let started = Instant::now();
        let (_, began) = begun.recv().await.unwrap();
        took.push((began - started).as_secs_f64() * 1_000.0);
    }
    shutdown.cancel();
    engine.await.unwrap();
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!(
        "latency store={store} samples={} p50={:.1}ms p99={:.1}ms",
        took.len(),
        at(50),
        at(99),
    );
}

/// What is asked and computed in a second while nothing is to be done, and what a loop by hand computes
/// that asks once a second: on a machine that wakes slowly, that is most of it.
pub(crate) async fn parked(store: &'static str, args: &Args, folder: &Path) {
    let database = Database::new(store, folder).await;
    let (opened, _) = open(store, &database.url).await;
    let mut session = database.connect().await;
    session.careless().await;
    session.rest(1, args.parked, 1_000).await;
    session.settle().await;
    let before = cpu();
    for _ in 0..10 {
        session
            .run("SELECT min(due_at) FROM onramp_queue".to_owned())
            .await;
        sleep(Duration::from_secs(1)).await;
    }
    let by_hand = (cpu() - before) / 10.0;
    let (engine, shutdown) = idle(&opened, &flow(&Arc::default()));
    // What PostgreSQL's sessions have done is counted once they were idle for ten seconds.
    sleep(Duration::from_secs(15)).await;
    // To count is to ask, too.
    let before = asked(&database).await;
    let counting = asked(&database).await - before;
    let (cpu, before, begun) = (cpu(), before + counting, Instant::now());
    sleep(Duration::from_secs(10)).await;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = (self::cpu() - cpu) / seconds;
    let asked = asked(&database).await - before - counting;
    shutdown.cancel();
    engine.await.unwrap();
    println!(
        "parked store={store} onboardings={} queries={:.1}/s cpu={:.2}% by_hand={:.2}%",
        args.parked,
        asked / seconds,
        cpu * 100.0,
        by_hand * 100.0,
    );
}

/// An engine as it is by default.
fn idle(
    store: &Arc<dyn Store>,
    flow: &onramp::flow::Definition<crate::signup::Signup>,
) -> (tokio::task::JoinHandle<()>, CancellationToken) {
    let engine = Engine::builder(Arc::clone(store)).flow(flow).build();
    let shutdown = CancellationToken::new();
    let until = shutdown.clone();
    (
        tokio::spawn(async move { engine.run(until).await }),
        shutdown,
    )
}

/// The processor's time that this process has used, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    ticks.map(|t| t.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// How many queries the server was asked; SQLite does not count them.
async fn asked(database: &Database) -> f64 {
    match database.store {
        "postgres" => {
            let mut on = sqlx::PgConnection::connect(&database.url).await.unwrap();
            let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
            let row = sqlx::query(sql).fetch_one(&mut on).await.unwrap();
            row.get::<i64, _>(0) as f64
        }
        "mariadb" => {
            let mut on = sqlx::MySqlConnection::connect(&database.url).await.unwrap();
            let row = sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Questions'")
                .fetch_one(&mut on)
                .await
                .unwrap();
            row.get_unchecked::<String, _>(1).parse().unwrap()
        }
        _ => f64::NAN,
    }
}
