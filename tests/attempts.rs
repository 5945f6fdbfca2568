//! One attempt at a task: it takes no longer than it may, says how far it is, tells what it began
//! elsewhere when it is over, and holds nothing of the store's meanwhile.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::engine::Engine;
use onramp::flow::Cancellation;
use onramp::prelude::*;
use onramp::store::SqlOptions;
use serde::{Deserialize, Serialize};
use support::{each_store, mysql_database, postgres_database};
use tokio_util::sync::CancellationToken;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Site;
impl Step for Site {
    const NAME: &'static str = "build_site";
}

/// What the task does at its nth attempt, and what it saw.
#[derive(Default)]
struct World {
    attempts: AtomicU32,
    hangs: u32,
    cancellations: Mutex<Vec<Cancellation>>,
}

struct BuildSite(Arc<World>);

impl Task<Signup> for BuildSite {
    type Needs = ();
    type Output = Site;

    async fn run(&self, cx: &TaskContext, (): ()) -> Result<Site, TaskError> {
        let world = &self.0;
        let attempt = world.attempts.fetch_add(1, SeqCst);
        let cancellation = cx.cancellation().clone();
        world.cancellations.lock().unwrap().push(cancellation);
        assert!(cx.deadline().unwrap() > cx.started_at());
        for done in 0..=3 {
            cx.progress(done, 21, "Creating tables");
        }
        if attempt < world.hangs {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(600)).await;
        Ok(Site)
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(1_500)
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::new(3).base(Duration::from_millis(5))
    }
}

fn begun(store: Arc<dyn Store>, world: &Arc<World>) -> (Onramp<Signup>, Engine) {
    let flow = Signup::steps().run(BuildSite(Arc::clone(world))).build();
    let flow = flow.unwrap();
    let engine = Engine::builder(Arc::clone(&store)).flow(&flow).build();
    (Onramp::shared(store, flow), engine)
}

async fn start(onramp: &Onramp<Signup>) -> (TenantId, OnboardingId) {
    let tenant = TenantId::new("acme").unwrap();
    let subject = SubjectId::new("org-1").unwrap();
    let found = onramp.enroll(&tenant, &subject).await.unwrap();
    let pending = found.into_pending().unwrap();
    let clearance = onramp.clear(&pending).await.unwrap();
    let running = onramp.commit(pending.start(clearance)).await.unwrap();
    (tenant, running.id())
}

async fn stage(onramp: &Onramp<Signup>, tenant: &TenantId) -> StageKind {
    let subject = SubjectId::new("org-1").unwrap();
    onramp
        .open(tenant, &subject)
        .await
        .unwrap()
        .unwrap()
        .stage()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_hangs_has_failed_and_is_tried_again() {
    let world = Arc::new(World {
        hangs: 1,
        ..World::default()
    });
    let (onramp, engine) = begun(Arc::new(MemoryStore::new()), &world);
    let (tenant, _) = start(&onramp).await;
    engine.run_until_idle().await.unwrap();
    assert_eq!(stage(&onramp, &tenant).await, StageKind::Completed);
    assert_eq!(world.attempts.load(SeqCst), 2);
    let cancellations = world.cancellations.lock().unwrap().clone();
    for cancellation in cancellations {
        cancellation.cancelled().await;
        assert!(cancellation.is_cancelled(), "nobody waits any more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_always_hangs_is_given_up() {
    let world = Arc::new(World {
        hangs: 99,
        ..World::default()
    });
    let (onramp, engine) = begun(Arc::new(MemoryStore::new()), &world);
    let (tenant, _) = start(&onramp).await;
    engine.run_until_idle().await.unwrap();
    let subject = SubjectId::new("org-1").unwrap();
    let found = onramp.open(&tenant, &subject).await.unwrap().unwrap();
    let failed = found.into_failed().unwrap();
    assert_eq!(failed.stage().failure.code(), "timed_out");
    assert_eq!(world.attempts.load(SeqCst), 3);
}

const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");

/// A task that never succeeds, there and back, and is tried again at once. Counts how often.
struct NeverReady(Arc<[AtomicU32; 2]>);

impl Task<Signup> for NeverReady {
    type Needs = ();
    type Output = Site;

    async fn run(&self, _: &TaskContext, (): ()) -> Result<Site, TaskError> {
        self.0[0].fetch_add(1, SeqCst);
        Err(TaskError::retryable(BUSY, "503"))
    }

    async fn undo(&self, _: &TaskContext, _: Option<Site>) -> Result<(), TaskError> {
        self.0[1].fetch_add(1, SeqCst);
        Err(TaskError::retryable(BUSY, "503"))
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::new(3).base(Duration::ZERO)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_that_follow_at_once_are_counted_too() {
    for store in each_store().await {
        let tried: Arc<[AtomicU32; 2]> = Arc::default();
        let flow = Signup::steps().run(NeverReady(Arc::clone(&tried))).build();
        let flow = flow.unwrap();
        let engine = Engine::builder(Arc::clone(&store)).flow(&flow).build();
        let onramp = Onramp::shared(store, flow);
        let (tenant, _) = start(&onramp).await;
        let working = tokio::time::timeout(Duration::from_secs(5), engine.run_until_idle());
        working.await.expect("it is given up").unwrap();
        assert_eq!(stage(&onramp, &tenant).await, StageKind::Failed);
        assert_eq!([0, 1].map(|way| tried[way].load(SeqCst)), [3, 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_seen_while_the_task_runs_and_gone_when_all_is_done() {
    for store in each_store().await {
        let (onramp, engine) = begun(store, &Arc::default());
        let (tenant, id) = start(&onramp).await;
        assert_eq!(onramp.progress(&tenant, id).await.unwrap(), None);
        let working = tokio::spawn(async move { engine.run_until_idle().await });
        let seen = loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if let Some(progress) = onramp.progress(&tenant, id).await.unwrap() {
                break progress;
            }
            assert!(!working.is_finished(), "nobody saw any progress");
        };
        assert_eq!((seen.done, seen.of, seen.attempt), (3, 21, 1));
        assert_eq!(
            (seen.step.as_str(), &*seen.message),
            ("build_site", "Creating tables")
        );
        working.await.unwrap().unwrap();
        assert_eq!(onramp.progress(&tenant, id).await.unwrap(), None);
    }
}

/// Says once how far it is, and never ends.
struct SayOnce;

impl Task<Signup> for SayOnce {
    type Needs = ();
    type Output = Site;

    async fn run(&self, cx: &TaskContext, (): ()) -> Result<Site, TaskError> {
        cx.progress(1, 2, "Half of it");
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_say_at_once_is_all_stored() {
    const ALL: usize = 200;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let flow = Signup::steps().run(SayOnce).build().unwrap();
    let engine = Engine::builder(Arc::clone(&store))
        .flow(&flow)
        .concurrency(ALL)
        .build();
    let onramp = Onramp::shared(store, flow);
    let tenant = TenantId::new("acme").unwrap();
    let mut untold = Vec::new();
    for n in 0..ALL {
        let subject = SubjectId::new(format!("org-{n}")).unwrap();
        untold.push(onramp.begin(&tenant, &subject).await.unwrap().id());
    }
    let working = tokio::spawn(async move { engine.run_until_idle().await });
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while !untold.is_empty() {
        assert!(
            tokio::time::Instant::now() < until,
            "of {} nothing was stored",
            untold.len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut still = Vec::new();
        for id in untold {
            if onramp.progress(&tenant, id).await.unwrap().is_none() {
                still.push(id);
            }
        }
        untold = still;
    }
    working.abort();
}

/// With a pool of one connection, whoever held it would keep everybody else from the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_is_held_while_a_task_runs() {
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    if let Some(url) = postgres_database().await {
        let options = SqlOptions::new(url).max_connections(1);
        stores.push(Arc::new(
            PostgresStore::connect_with(options).await.unwrap(),
        ));
    }
    if let Some(url) = mysql_database().await {
        let options = SqlOptions::new(url).max_connections(1);
        stores.push(Arc::new(MySqlStore::connect_with(options).await.unwrap()));
    }
    for store in stores {
        let world = Arc::new(World {
            hangs: 1,
            ..World::default()
        });
        let (onramp, engine) = begun(store, &world);
        let (tenant, id) = start(&onramp).await;
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let working = tokio::spawn(async move { engine.run(stop).await });
        while world.attempts.load(SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..20 {
            let asked = onramp.facts(&tenant, id);
            let answer = tokio::time::timeout(Duration::from_millis(500), asked).await;
            answer.expect("the one connection is free").unwrap();
        }
        shutdown.cancel();
        working.abort();
    }
}
