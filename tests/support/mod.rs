//! A small flow with a world of effects that can be counted and made to fail.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses its own part, and a test may panic"
)]

pub mod database;
pub mod opened;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::Revision;
use onramp::engine::Engine;
use onramp::prelude::*;
use onramp::store::{ClaimStrategy, SqlOptions, verify};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

pub use database::{mysql_database, postgres_database};

pub struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
pub struct Company {
    pub name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Workspace> for Company {
    fn validate(&self) -> Result<(), Invalid> {
        Invalid::check("/name", !self.name.is_empty(), "is empty: give a name")
    }
}

#[derive(Serialize, Deserialize)]
pub struct Paid {
    pub invoice: String,
}
impl Step for Paid {
    const NAME: &'static str = "payment";
}
impl Evidence<Workspace> for Paid {}

#[derive(Serialize, Deserialize)]
pub struct Dataset {
    pub key: Uuid,
    pub of: String,
}
impl Step for Dataset {
    const NAME: &'static str = "create_dataset";
}

#[derive(Serialize, Deserialize)]
pub struct Site {
    pub key: Uuid,
}
impl Step for Site {
    const NAME: &'static str = "build_site";
}

const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
const NO_ROOM: Problem = Problem::new("no_room", "There is no room for your site.");
const GONE: Problem = Problem::new("dataset_gone", "Your data could not be found.");
const STUCK: Problem = Problem::new("stuck", "It could not be removed.");
const NOT_READY: Problem = Problem::new("platform_not_ready", "We are not ready yet.");

/// What goes wrong, and how often.
#[derive(Default, Clone)]
pub struct Faults {
    pub transient: u32,
    pub panics: u32,
    pub fatal: u32,
    pub undo_failures: u32,
    pub vanish: u32,
    pub slow: bool,
    pub gate_closed: bool,
}

impl Faults {
    fn spend(counter: &mut u32) -> bool {
        let some = *counter > 0;
        *counter -= u32::from(some);
        some
    }
}

/// Effects: which exist, and what was done to them.
#[derive(Default)]
pub struct World {
    pub effects: Mutex<BTreeMap<Uuid, &'static str>>,
    pub keys: Mutex<std::collections::BTreeSet<Uuid>>,
    pub built: AtomicU32,
    pub undone: AtomicU32,
    pub undo_order: Mutex<Vec<&'static str>>,
    pub started: Notify,
    pub go_on: Notify,
}

impl World {
    pub fn existing(&self) -> usize {
        self.effects.lock().unwrap().len()
    }

    fn make(&self, key: Uuid, what: &'static str) {
        self.effects.lock().unwrap().insert(key, what);
        self.keys.lock().unwrap().insert(key);
    }

    fn take_back(&self, key: Uuid, what: &'static str) {
        self.effects.lock().unwrap().remove(&key);
        self.undone.fetch_add(1, SeqCst);
        self.undo_order.lock().unwrap().push(what);
    }
}

type Shared = (Arc<World>, Arc<Mutex<Faults>>);

struct Platform(Arc<Mutex<Faults>>);
impl Gate for Platform {
    const NAME: &'static str = "platform";
    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        match self.0.lock().unwrap().gate_closed {
            true => Err(GateClosed::new(NOT_READY, "15 of 21 tables")),
            false => Ok(()),
        }
    }
}

fn quick() -> RetryPolicy {
    RetryPolicy::new(3)
        .base(Duration::from_millis(2))
        .cap(Duration::from_millis(4))
}

struct CreateDataset(Shared);
impl Task<Workspace> for CreateDataset {
    type Needs = Company;
    type Output = Dataset;

    async fn run(&self, cx: &TaskContext, company: Company) -> Result<Dataset, TaskError> {
        self.0.0.make(cx.effect_key(), "create_dataset");
        Ok(Dataset {
            key: cx.effect_key(),
            of: company.name,
        })
    }

    async fn undo(&self, cx: &TaskContext, made: Option<Dataset>) -> Result<(), TaskError> {
        assert!(made.is_none_or(|made| made.key == cx.effect_key()));
        self.0.0.take_back(cx.effect_key(), "create_dataset");
        Ok(())
    }

    async fn verify(&self, _: &TaskContext, made: Dataset) -> Result<(), TaskError> {
        let vanished = Faults::spend(&mut self.0.1.lock().unwrap().vanish);
        if vanished {
            self.0.0.effects.lock().unwrap().remove(&made.key);
        }
        match self.0.0.effects.lock().unwrap().contains_key(&made.key) {
            true => Ok(()),
            false => Err(TaskError::fatal(GONE, "no such dataset")),
        }
    }

    fn retry(&self) -> RetryPolicy {
        quick()
    }
}

struct BuildSite(Shared);
impl Task<Workspace> for BuildSite {
    type Needs = (Dataset, Paid);
    type Output = Site;

    async fn run(&self, cx: &TaskContext, _: (Dataset, Paid)) -> Result<Site, TaskError> {
        let slow = self.0.1.lock().unwrap().slow;
        if slow {
            self.0.0.started.notify_one();
            self.0.0.go_on.notified().await;
        }
        let mut faults = self.0.1.lock().unwrap().clone();
        let (transient, panics, fatal) = (
            Faults::spend(&mut faults.transient),
            Faults::spend(&mut faults.panics),
            Faults::spend(&mut faults.fatal),
        );
        match (transient, panics, fatal) {
            (true, ..) => self.0.1.lock().unwrap().transient -= 1,
            (_, true, _) => self.0.1.lock().unwrap().panics -= 1,
            (_, _, true) => self.0.1.lock().unwrap().fatal -= 1,
            _ => {}
        }
        // The effect is there also when the attempt then fails: an undo has to find it.
        self.0.0.make(cx.effect_key(), "build_site");
        if transient {
            return Err(TaskError::retryable(BUSY, "503 from 10.0.0.7"));
        }
        assert!(!panics, "injected");
        if fatal {
            return Err(TaskError::fatal(NO_ROOM, "507 from 10.0.0.7"));
        }
        self.0.0.built.fetch_add(1, SeqCst);
        Ok(Site {
            key: cx.effect_key(),
        })
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Site>) -> Result<(), TaskError> {
        if Faults::spend(&mut self.0.1.lock().unwrap().undo_failures) {
            return Err(TaskError::retryable(STUCK, "still mounted"));
        }
        self.0.0.take_back(cx.effect_key(), "build_site");
        Ok(())
    }

    fn retry(&self) -> RetryPolicy {
        quick()
    }
}

/// A host of the flow, on one store.
pub struct Desk {
    pub onramp: Onramp<Workspace>,
    pub world: Arc<World>,
    pub faults: Arc<Mutex<Faults>>,
    tenant: TenantId,
}

impl Desk {
    pub fn new(store: Arc<dyn Store>, faults: Faults) -> Self {
        Self::of(store, faults, Arc::default())
    }

    /// One of several in the same world.
    pub fn of(store: Arc<dyn Store>, faults: Faults, world: Arc<World>) -> Self {
        let faults = Arc::new(Mutex::new(faults));
        let shared = || (Arc::clone(&world), Arc::clone(&faults));
        let flow = Workspace::steps()
            .gate(Platform(Arc::clone(&faults)))
            .ask::<Company>()
            .run(CreateDataset(shared()))
            .expect::<Paid>()
            .run(BuildSite(shared()))
            .build()
            .unwrap();
        Self {
            onramp: Onramp::shared(store, flow),
            tenant: TenantId::new("acme").unwrap(),
            world,
            faults,
        }
    }

    pub fn engine(&self) -> Engine {
        Engine::builder(Arc::clone(self.onramp.store()))
            .flow(self.onramp.flow())
            .build()
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub async fn open(&self, subject: &str) -> Loaded<Workspace> {
        let subject = SubjectId::new(subject).unwrap();
        self.onramp
            .open(&self.tenant, &subject)
            .await
            .unwrap()
            .unwrap()
    }

    /// Works for a moment, where the queue may not get empty.
    pub async fn engine_once(&self) {
        let idle = self.engine();
        let _ = tokio::time::timeout(Duration::from_secs(2), idle.run_until_idle()).await;
    }

    pub async fn enrolled(&self, subject: &str) -> OnboardingId {
        let subject = SubjectId::new(subject).unwrap();
        self.onramp
            .enroll(&self.tenant, &subject)
            .await
            .unwrap()
            .id()
    }

    pub async fn pending(&self, subject: &str) -> Onboarding<Workspace, Pending> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await.unwrap();
        found.into_pending().unwrap()
    }

    /// Started, with the company given.
    pub async fn answered(&self, subject: &str) -> Onboarding<Workspace, InProgress> {
        let pending = self.pending(subject).await;
        let clearance = self.onramp.clear(&pending).await.unwrap();
        let running = self.onramp.commit(pending.start(clearance)).await.unwrap();
        let company = Company {
            name: "Acme".into(),
        };
        self.onramp.commit(running.submit(company)).await.unwrap()
    }

    /// Started, with everything given: only tasks are left.
    pub async fn paid(&self, subject: &str) {
        let running = self.answered(subject).await;
        let paid = Paid {
            invoice: "inv-1".into(),
        };
        let _ = self.onramp.commit(running.attest(paid)).await.unwrap();
    }

    /// The journal is whole, and adds up to the stored row.
    pub async fn journal_holds(&self, subject: &str) {
        let state = self.open(subject).await.into_state();
        let store = self.onramp.store();
        let zero = Revision::new(0);
        let journal = store
            .journal(&self.tenant, state.id(), zero, 1_000)
            .await
            .unwrap();
        verify(&journal).unwrap();
        let commits: Vec<_> = journal
            .iter()
            .map(|entry| entry.decode().unwrap())
            .collect();
        let folded = onramp::lifecycle::fold(commits.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(folded, state);
    }
}

/// Every store that a scenario must hold on: each empty, and used by nobody else.
pub async fn each_store() -> Vec<Arc<dyn Store>> {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let sqlite = SqliteStore::open(folder.join("onboarding.db"))
        .await
        .unwrap();
    let mut stores: Vec<Arc<dyn Store>> = vec![Arc::new(MemoryStore::new()), Arc::new(sqlite)];
    if let Some(url) = postgres_database().await {
        stores.push(Arc::new(PostgresStore::connect(&url).await.unwrap()));
    }
    if let Some(url) = mysql_database().await {
        stores.push(Arc::new(MySqlStore::connect(&url).await.unwrap()));
    }
    stores
}

/// The stores that can claim by buckets, doing so.
pub async fn each_store_by_buckets() -> Vec<Arc<dyn Store>> {
    let by_buckets = |url: String| SqlOptions::new(url).claim_by(ClaimStrategy::Buckets);
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    if let Some(url) = postgres_database().await {
        let store = PostgresStore::connect_with(by_buckets(url)).await;
        stores.push(Arc::new(store.unwrap()));
    }
    if let Some(url) = mysql_database().await {
        let store = MySqlStore::connect_with(by_buckets(url)).await;
        stores.push(Arc::new(store.unwrap()));
    }
    stores
}
