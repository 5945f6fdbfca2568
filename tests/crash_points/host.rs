//! A host whose process can die, in a world that goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::flow::Reservation;
use onramp::prelude::*;
use onramp::store::OutboxMessage;
use onramp::testing::Layered;
use onramp::vault::{LocalKeys, Vault};
use onramp::{Revision, SecretName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::strike::Struck;

pub(crate) static API_KEY: SecretName = SecretName::from_static("api_key");

const OLD: &str = "old = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
const NEW: &str = "new = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=";

/// Longer than three heartbeats, and than a task takes.
const LEASE: Duration = Duration::from_millis(240);

pub(crate) struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Company {
    pub(crate) name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";

    fn reserves(&self) -> Vec<Reservation> {
        vec![Reservation::in_tenant("name", self.name.as_str())]
    }
}
impl Answer<Signup> for Company {}

#[derive(Serialize, Deserialize)]
pub(crate) struct Built {
    key: Uuid,
}
impl Step for Built {
    const NAME: &'static str = "build";
}

const BROKEN: Problem = Problem::new("broken", "It is broken.");
const BUSY: Problem = Problem::new("busy", "It is busy.");

/// What there is outside of any process.
#[derive(Default)]
pub(crate) struct World {
    effects: Mutex<BTreeSet<Uuid>>,
    told: Mutex<BTreeMap<Uuid, String>>,
    /// Building fails for good.
    pub(crate) broken: AtomicBool,
    /// Nobody can look at what was built, once.
    pub(crate) busy: AtomicBool,
    /// The host has noted that it is about to end it, and begins nothing anew.
    pub(crate) ending: AtomicBool,
    /// Building takes so long that leases are renewed.
    pub(crate) slow: AtomicBool,
}

#[async_trait::async_trait]
impl Notifier for World {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let mut told = self.told.lock().unwrap();
        told.insert(message.id, message.topic.clone());
        Ok(())
    }
}

struct Build(Arc<World>);
impl Task<Signup> for Build {
    type Needs = Company;
    type Output = Built;

    async fn run(&self, cx: &TaskContext, _: Company) -> Result<Built, TaskError> {
        let key = cx.effect_key();
        self.0.effects.lock().unwrap().insert(key);
        if self.0.slow.load(SeqCst) {
            cx.progress(1, 2, "Building");
            // Long enough for a beat of the lease, and for progress to be stored a few times.
            tokio::time::sleep(LEASE * 2).await;
        }
        match self.0.broken.load(SeqCst) {
            true => Err(TaskError::fatal(BROKEN, "on purpose")),
            false => Ok(Built { key }),
        }
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Built>) -> Result<(), TaskError> {
        self.0.effects.lock().unwrap().remove(&cx.effect_key());
        Ok(())
    }

    async fn verify(&self, _: &TaskContext, _: Built) -> Result<(), TaskError> {
        match self.0.busy.swap(false, SeqCst) {
            true => Err(TaskError::retryable(BUSY, "on purpose")),
            false => Ok(()),
        }
    }

    fn retry(&self) -> RetryPolicy {
        let quick = Duration::from_millis(2);
        RetryPolicy::new(9).base(quick).cap(quick)
    }
}

/// What is left of a play: the same however often its process died.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// What happened to each onboarding, in order.
    stories: Vec<Vec<String>>,
    stages: Vec<StageKind>,
    effects: usize,
    told: Vec<String>,
}

pub(crate) struct Host {
    pub(crate) onramp: Onramp<Signup>,
    pub(crate) world: Arc<World>,
    pub(crate) struck: Option<Struck>,
    pub(crate) tenant: TenantId,
}

fn flow(world: &Arc<World>) -> Definition<Signup> {
    let build = Build(Arc::clone(world));
    Signup::steps().ask::<Company>().run(build).build().unwrap()
}

impl Host {
    /// Of a tenant of its own, so that plays on one store do not meet.
    pub(crate) fn on(struck: Struck, tenant: String) -> Self {
        let world = Arc::default();
        Self {
            onramp: Onramp::new(Layered(struck.clone()), flow(&world)),
            world,
            struck: Some(struck),
            tenant: TenantId::new(tenant).unwrap(),
        }
    }

    /// The process that comes after one that died.
    pub(crate) fn next_process(&self, store: Arc<dyn Store>) -> Self {
        Self {
            onramp: Onramp::shared(store, flow(&self.world)),
            world: Arc::clone(&self.world),
            struck: None,
            tenant: self.tenant.clone(),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::builder(Arc::clone(self.onramp.store()))
            .flow(self.onramp.flow())
            .lease(LEASE)
            .poll(Duration::from_millis(5))
            .grace(Duration::from_millis(1))
            .leave_unreadable(Duration::from_millis(5))
            .build()
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::builder(Arc::clone(self.onramp.store()))
            .notifier(Arc::clone(&self.world) as Arc<dyn Notifier>)
            .timeout(Duration::from_millis(50))
            .poll(Duration::from_millis(5))
            .build()
    }

    pub(crate) fn vault(&self, rotated: bool) -> Vault {
        let keys = if rotated {
            format!("{NEW}\n{OLD}")
        } else {
            OLD.to_owned()
        };
        Vault::new(
            Arc::clone(self.onramp.store()),
            LocalKeys::parse(&keys).unwrap(),
        )
    }

    pub(crate) async fn picture(&self) -> Picture {
        let store = self.onramp.store();
        let mut picture = Picture {
            stories: Vec::new(),
            stages: Vec::new(),
            effects: self.world.effects.lock().unwrap().len(),
            told: self.world.told.lock().unwrap().values().cloned().collect(),
        };
        picture.told.sort();
        let mut listed = store.list(None, 10_000).await.unwrap();
        listed.retain(|listed| listed.key.tenant == self.tenant);
        for listed in listed {
            let verified = self.onramp.verify_journal(&self.tenant, listed.id).await;
            assert!(verified.is_ok(), "{verified:?}");
            let journal = store
                .journal(&self.tenant, listed.id, Revision::new(0), 999)
                .await;
            let events = journal
                .unwrap()
                .iter()
                .flat_map(|entry| entry.decode().unwrap())
                .collect::<Vec<_>>();
            picture.stories.push(
                events
                    .iter()
                    .map(|event| event.happened.name().to_owned())
                    .collect(),
            );
            picture.stages.push(listed.stage);
        }
        picture
    }
}
