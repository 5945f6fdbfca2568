//! A host whose database and mirror can be switched off, with its own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use onramp::admission::Admission;
use onramp::prelude::*;
use onramp::store::{Error, Row};
use onramp::testing::{Layer, Layered};
use onramp::tiers::{MemoryMirror, Mirror, MirrorError, Reading, Stored, Tag, Tiered};
use onramp::{Clock, Key};

use crate::support::{Company, Workspace};

/// How long a copy is fresh, and kept, by default.
pub(crate) const FRESH: TimeDelta = TimeDelta::seconds(5);
pub(crate) const KEEP: TimeDelta = TimeDelta::days(1);

/// A clock that goes when it is told to.
#[derive(Clone, Default)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_milliseconds(), SeqCst);
    }

    pub(crate) fn read(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_800_000_000_000 + self.0.load(SeqCst)).unwrap()
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        self.read()
    }
}

/// The database as the tiers see it.
struct Switched {
    store: Arc<dyn Store>,
    off: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
}

#[async_trait]
impl Layer for Switched {
    fn inner(&self) -> &dyn Store {
        &*self.store
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        if self.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        match self.off.load(SeqCst) {
            true => Err(Error::unavailable("the database does not answer")),
            false => self.store.find(key).await,
        }
    }
}

/// The mirror as the tiers see it.
pub(crate) struct SwitchedMirror {
    pub(crate) mirror: Arc<MemoryMirror>,
    pub(crate) off: Arc<AtomicBool>,
}

#[async_trait]
impl Mirror for SwitchedMirror {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        match self.off.load(SeqCst) {
            true => Err(MirrorError::unavailable("no route to host")),
            false => self.mirror.load(key).await,
        }
    }

    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        match self.off.load(SeqCst) {
            true => Err(MirrorError::unavailable("no route to host")),
            false => self.mirror.store(key, text, at).await,
        }
    }
}

pub(crate) struct Desk {
    /// Writes, whatever is switched off.
    pub(crate) onramp: Onramp<Workspace>,
    /// The same, as the tiers see it.
    pub(crate) behind: Onramp<Workspace>,
    pub(crate) tiers: Tiered<Workspace>,
    pub(crate) mirror: Arc<MemoryMirror>,
    pub(crate) database_off: Arc<AtomicBool>,
    pub(crate) database_hangs: Arc<AtomicBool>,
    pub(crate) mirror_off: Arc<AtomicBool>,
    pub(crate) clock: Hand,
    tenant: TenantId,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let (database_off, database_hangs) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let mirror_off = Arc::<AtomicBool>::default();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let flow = Workspace::steps().ask::<Company>().build().unwrap();
        let clock = Hand::default();
        let switched = Arc::new(Layered(Switched {
            store: Arc::clone(&store),
            off: Arc::clone(&database_off),
            hangs: Arc::clone(&database_hangs),
        }));
        let behind = Onramp::shared(switched, flow.clone()).with_clock(clock.clone());
        let mirror = Arc::new(MemoryMirror::default());
        let tiers = Tiered::builder(behind.clone()).mirror(SwitchedMirror {
            mirror: Arc::clone(&mirror),
            off: Arc::clone(&mirror_off),
        });
        Self {
            onramp: Onramp::shared(store, flow).with_clock(clock.clone()),
            behind,
            tiers: tiers.build().unwrap(),
            mirror,
            database_off,
            database_hangs,
            mirror_off,
            clock,
            tenant: TenantId::new("acme").unwrap(),
        }
    }

    pub(crate) fn key(&self, subject: &str) -> Key {
        Key {
            tenant: self.tenant.clone(),
            flow: "workspace".into(),
            subject: SubjectId::new(subject).unwrap(),
        }
    }

    /// At revision 2.
    pub(crate) async fn started(&self, subject: &str) -> Onboarding<Workspace, InProgress> {
        let key = self.key(subject);
        let found = self.onramp.enroll(&key.tenant, &key.subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = self.onramp.clear(&pending).await.unwrap();
        self.onramp.commit(pending.start(clearance)).await.unwrap()
    }

    pub(crate) async fn open(&self, subject: &str) -> Loaded<Workspace> {
        let key = self.key(subject);
        let found = self.onramp.open(&key.tenant, &key.subject).await.unwrap();
        found.unwrap()
    }

    pub(crate) async fn login(&self, subject: &str) {
        let running = self.open(subject).await.into_in_progress().unwrap();
        let _ = self.onramp.commit(running.login()).await.unwrap();
    }

    pub(crate) async fn completed(&self, subject: &str) {
        let running = self.started(subject).await;
        let company = Company {
            name: "Acme".into(),
        };
        let last = running.submit(company).and_complete();
        let _ = self.onramp.commit(last).await.unwrap();
    }

    pub(crate) async fn read(&self, subject: &str) -> Reading {
        let key = self.key(subject);
        self.tiers.read(&key.tenant, &key.subject).await
    }

    pub(crate) fn forget(&self, subject: &str) {
        let key = self.key(subject);
        self.tiers.forget(&key.tenant, &key.subject);
    }

    pub(crate) async fn project(&self, subject: &str) {
        let key = self.key(subject);
        let projector = self.tiers.projector();
        projector.project(&key.tenant, &key.subject).await.unwrap();
    }

    pub(crate) async fn admit(&self, subject: &str) -> Admission {
        let key = self.key(subject);
        self.behind.admit(&key.tenant, &key.subject).await
    }

    /// What the mirror holds.
    pub(crate) async fn mirrored(&self, subject: &str) -> Option<serde_json::Value> {
        let stored = self.mirror.load(&self.key(subject)).await.unwrap();
        stored.text.map(|text| serde_json::from_str(&text).unwrap())
    }
}
