//! Workers are told of what is due; without that they find it by themselves, later. Either way they ask
//! little.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use onramp::FlowName;
use onramp::engine::Engine;
use onramp::prelude::*;
use onramp::store::{ClaimRequest, Error, Lease, StepProgress};
use onramp::testing::{Layer, Layered};
use support::{Company, Desk, Faults, Paid, each_store, postgres_database};
use tokio_util::sync::CancellationToken;

/// An engine that asks so rarely that whatever it does soon it was told of.
fn rarely(desk: &Desk, store: &Arc<dyn Store>, poll: Duration) -> Engine {
    Engine::builder(Arc::clone(store))
        .flow(desk.onramp.flow())
        .poll(poll)
        .build()
}

async fn until_built(desk: &Desk, sites: u32) -> Duration {
    let begun = Instant::now();
    while desk.world.built.load(SeqCst) < sites {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody was told");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}

/// Everything is given, and tasks are all that is left; with the last answer only, because workers
/// that are told at once would not wait for the rest.
async fn paid(desk: &Desk, subject: &str) {
    let pending = desk.pending(subject).await;
    let invoice = "inv-1".to_owned();
    let early = pending.attest(Paid { invoice });
    let pending = desk.onramp.commit(early).await.unwrap();
    let clearance = desk.onramp.clear(&pending).await.unwrap();
    let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
    let name = "Acme".to_owned();
    let last = running.submit(Company { name });
    let _ = desk.onramp.commit(last).await.unwrap();
}

const RARELY: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_of_the_same_process_begins_at_once() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let engine = rarely(&desk, &store, RARELY);
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let working = tokio::spawn(async move { engine.run(stop).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        for n in 1..=5 {
            paid(&desk, &format!("org-{n}")).await;
            let waited = until_built(&desk, n).await;
            assert!(waited < Duration::from_secs(2), "{waited:?}");
        }
        shutdown.cancel();
        working.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_of_another_process_is_told_by_postgres() {
    let Some(url) = postgres_database().await else {
        return;
    };
    let here: Arc<dyn Store> = Arc::new(PostgresStore::connect(&url).await.unwrap());
    // Another store on the same database: as another process has.
    let there: Arc<dyn Store> = Arc::new(PostgresStore::connect(&url).await.unwrap());
    let desk = Desk::new(here, Faults::default());
    let engine = rarely(&desk, &there, RARELY);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let working = tokio::spawn(async move { engine.run(stop).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    for n in 1..=5 {
        paid(&desk, &format!("org-{n}")).await;
        let waited = until_built(&desk, n).await;
        assert!(waited < Duration::from_secs(2), "{waited:?}");
    }
    shutdown.cancel();
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_now_and_then_suffices() {
    let Some(url) = postgres_database().await else {
        return;
    };
    let desk = {
        let store: Arc<dyn Store> = Arc::new(PostgresStore::connect(&url).await.unwrap());
        Desk::new(store, Faults::default())
    };
    // Too few connections for one that listens.
    let options = onramp::store::SqlOptions::new(&url).max_connections(2);
    let deaf: Arc<dyn Store> = Arc::new(PostgresStore::connect_with(options).await.unwrap());
    let engine = rarely(&desk, &deaf, Duration::from_millis(100));
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let working = tokio::spawn(async move { engine.run(stop).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    paid(&desk, "org-1").await;
    until_built(&desk, 1).await;
    shutdown.cancel();
    working.await.unwrap();
}

/// Counts what an engine asks.
#[derive(Clone, Default)]
struct Counting {
    inner: Arc<MemoryStore>,
    asked: Arc<AtomicUsize>,
    /// The most that one claim asked for.
    most: Arc<AtomicUsize>,
}

#[async_trait]
impl Layer for Counting {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        self.asked.fetch_add(1, SeqCst);
        self.inner.next_due(flows).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.asked.fetch_add(1, SeqCst);
        self.most.fetch_max(request.max, SeqCst);
        self.inner.claim(request).await
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        self.asked.fetch_add(1, SeqCst);
        self.inner.renew(leases, lease).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        self.asked.fetch_add(1, SeqCst);
        self.inner.report(lease, progress).await
    }
}

macro_rules! flows {
    ($($flow:ident $name:literal),+) => {$(
        struct $flow;
        impl Flow for $flow {
            const NAME: &'static str = $name;
            const VERSION: u32 = 1;
        }
    )+};
}
flows!(Trial "trial", Regular "regular", Partner "partner");

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(start_paused = true)]
async fn an_idle_engine_of_several_flows_asks_once_a_second() {
    let counting = Counting::default();
    let engine = Engine::builder(Arc::new(Layered(counting.clone())))
        .flow(&Trial::steps().pause("rest", DAY).build().unwrap())
        .flow(&Regular::steps().pause("rest", DAY).build().unwrap())
        .flow(&Partner::steps().pause("rest", DAY).build().unwrap())
        .build();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let working = tokio::spawn(async move { engine.run(stop).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = counting.asked.load(SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = counting.asked.load(SeqCst) - before;
    assert!((58..=60).contains(&asked), "{asked} in a minute");
    shutdown.cancel();
    working.await.unwrap();
}

#[tokio::test]
async fn very_many_are_claimed_in_batches() {
    const ALL: u32 = 600;
    let counting = Counting::default();
    let store: Arc<dyn Store> = Arc::new(Layered(counting.clone()));
    let desk = Desk::new(Arc::clone(&store), Faults::default());
    for n in 0..ALL {
        paid(&desk, &format!("org-{n}")).await;
    }
    let engine = Engine::builder(store)
        .flow(desk.onramp.flow())
        .concurrency(10_000)
        .build();
    engine.run_until_idle().await.unwrap();
    assert_eq!(desk.world.built.load(SeqCst), ALL);
    let most = counting.most.load(SeqCst);
    assert!((1..=256).contains(&most), "{most} at once");
}
