//! Worker processes that are killed and paused, on a database that is killed too: nothing is lost,
//! done twice, or written by one whose time is over.
//!
//! ```text
//!   hosts (here) ──> database <── workers (processes of their own)
//!     │ books           ▲             │ ledger: claims, checkpoints, effects made and taken back
//!     │                 │ kill -9     │ kill -9, SIGSTOP past the lease
//!     └────────────> audit <──────────┘
//! ```
//!
//! `scripts/soak` runs it for as long as one likes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod soak {
    pub(crate) mod audit;
    pub(crate) mod faults;
    pub(crate) mod flow;
    pub(crate) mod hosts;
    pub(crate) mod ledger;
    pub(crate) mod server;
    pub(crate) mod watched;
    pub(crate) mod worker;
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use onramp::prelude::*;
use soak::audit::{Figures, Violations, compare};
use soak::faults::Fleet;
use soak::flow::{World, flow};
use soak::hosts::host;
use soak::ledger::{self, Ledger};
use soak::server::{Kind, Server, open};
use soak::worker::Orders;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One at a time: each keeps all processors busy.
static TURN: Mutex<()> = Mutex::const_new(());

/// How long everything may take to end once the faults are over.
const SOON: Duration = Duration::from_secs(30);

/// Hosts, each with one subject at a time.
const HOSTS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_postgres_when_processes_and_server_are_killed() {
    holds(Kind::Postgres, 4, 25).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_mariadb_when_processes_and_server_are_killed() {
    holds(Kind::MariaDb, 4, 25).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_sqlite_when_its_process_is_killed() {
    holds(Kind::Sqlite, 1, 15).await;
}

/// The check can fail. Whether a pause meets a checkpoint on its way is chance, so it has a few.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_fence_and_revision_check_there_are_violations() {
    let _turn = TURN.lock().await;
    for _ in 0..6 {
        let server = Server::start(Kind::Sqlite).unwrap();
        let figures = soak(&server, 2, Duration::from_secs(12), false).await;
        if figures.violations.stale > 0 {
            return;
        }
    }
    panic!("nothing was found");
}

/// Not a test of its own: what worker processes run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_a_worker() {
    soak::worker::work_if_ordered().await;
}

/// Holds that there is no violation in so many seconds, or as many as ONRAMP_SOAK_SECONDS says.
async fn holds(kind: Kind, workers: usize, seconds: u64) {
    let _turn = TURN.lock().await;
    let Some(server) = Server::start(kind) else {
        return;
    };
    let asked = std::env::var("ONRAMP_SOAK_SECONDS").ok();
    let seconds = asked.map_or(seconds, |asked| asked.parse().expect("a number of seconds"));
    let figures = soak(&server, workers, Duration::from_secs(seconds), true).await;
    assert_eq!(figures.violations, Violations::default(), "{figures}");
    assert!(figures.onboardings > HOSTS, "{figures}");
}

/// Hosts and workers at work, with faults for so long; then everything ends, and is compared.
async fn soak(server: &Server, workers: usize, length: Duration, guarded: bool) -> Figures {
    let path = server.folder.path().join("ledger");
    let world = World::new(Ledger::append_to(&path));
    let store = open(&server.url).await.unwrap();
    let onramp = Arc::new(Onramp::shared(Arc::clone(&store), flow(&world)));
    let orders = Orders {
        url: server.url.clone(),
        ledger: path.clone(),
        guarded,
    };
    let mut fleet = Fleet::start(orders, workers);
    let (enough, patience) = (CancellationToken::new(), CancellationToken::new());
    let mut hosts = JoinSet::new();
    for n in 0..HOSTS {
        let onramp = Arc::clone(&onramp);
        hosts.spawn(host(
            onramp,
            format!("host-{n}"),
            enough.clone(),
            patience.clone(),
        ));
    }
    fleet.suffer(server, length).await;

    let calm = Instant::now();
    enough.cancel();
    let impatient = async {
        tokio::time::sleep(SOON).await;
        patience.cancel();
        std::future::pending::<()>().await;
    };
    let books = tokio::select! {
        books = hosts.join_all() => books.into_iter().flatten().collect::<Vec<_>>(),
        () = impatient => Vec::new(),
    };
    let settled = calm.elapsed();
    let (kills, pauses, outages) = (fleet.done.kills, fleet.done.pauses, fleet.done.outages);
    drop(fleet);
    let mut figures = compare(&*store, &books, ledger::read(&path)).await;
    figures.settled = settled;
    println!(
        "soak store={} guarded={guarded} seconds={} kills={kills} pauses={pauses} outages={outages} \
         {figures}",
        server.kind.name(),
        length.as_secs(),
    );
    figures
}
