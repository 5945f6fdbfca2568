//! How an engine is set up.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::drive::roll;
use tokio::sync::Semaphore;

use crate::engine::lease::Held;
use crate::engine::{Engine, Observed, Observer, Rolls, Shared};
use crate::flow::{Definition, Flow, Parts, Roll};
use crate::id::FlowName;
use crate::store::{ClaimOrder, Store, WorkerId};
use crate::time::{Clock, SystemClock};

/// How many onboardings are loaded at once: more than a store has connections.
const LOADS: usize = 64;

/// How many commits are under way at once: as many as go well into one transaction of a group.
const STORES: usize = 256;

/// Sets up an [`Engine`]. Made by [`Engine::builder`].
///
/// ```
/// # use std::sync::Arc;
/// # use onramp::prelude::*;
/// # fn build<F: Flow>(store: Arc<dyn Store>, flow: &Definition<F>) -> Engine {
/// Engine::builder(store)
///     .flow(flow)
///     .worker("provisioning-1")
///     .concurrency(32)
///     .lease(std::time::Duration::from_secs(60))
///     .build()
/// # }
/// ```
#[must_use = "an engine is made by `build`"]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    flows: BTreeMap<FlowName, Arc<Parts>>,
    worker: WorkerId,
    concurrency: usize,
    lease: Duration,
    order: ClaimOrder,
    per_tenant: Option<NonZeroU32>,
    poll: Duration,
    grace: Duration,
    unreadable: Duration,
    clock: Arc<dyn Clock>,
    rolls: Rolls,
    observer: Option<Observer>,
}

impl Engine {
    /// Begins to set up an engine on a store.
    pub fn builder(store: Arc<dyn Store>) -> EngineBuilder {
        EngineBuilder {
            store,
            flows: BTreeMap::new(),
            worker: WorkerId::new(format!("pid-{}", std::process::id())),
            concurrency: 16,
            lease: Duration::from_secs(30),
            order: ClaimOrder::Fair,
            per_tenant: None,
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(20),
            unreadable: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
            rolls: Box::new(roll),
            observer: None,
        }
    }
}

impl EngineBuilder {
    /// Works on this flow. May be called for several; the last definition of a name counts.
    pub fn flow<F: Flow>(mut self, flow: &Definition<F>) -> Self {
        let name = flow.plan().flow().clone();
        self.flows.insert(name, Arc::clone(flow.parts()));
        self
    }

    /// The worker's name, for operators. By default the process id.
    pub fn worker(mut self, name: impl Into<String>) -> Self {
        self.worker = WorkerId::new(name);
        self
    }

    /// How many onboardings are worked on at once, at least one. By default 16.
    pub fn concurrency(mut self, onboardings: usize) -> Self {
        self.concurrency = onboardings.max(1);
        self
    }

    /// How long a claim lasts without a heartbeat; heartbeats come three times as often. By
    /// default 30 s. A worker stops its own tasks after two thirds of it.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(30));
        self
    }

    /// Who comes first when more is due than there is room for. By default tenants take turns.
    pub fn order(mut self, order: ClaimOrder) -> Self {
        self.order = order;
        self
    }

    /// How many onboardings of one tenant are worked on at once, in each flow, over all workers; at
    /// least one. By default as many as there is room for. Give every engine of a flow the same.
    pub fn per_tenant(mut self, onboardings: u32) -> Self {
        self.per_tenant = NonZeroU32::new(onboardings.max(1));
        self
    }

    /// How often the store is asked for work when nothing is known to be due. By default 1 s.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll.max(Duration::from_millis(1));
        self
    }

    /// How long tasks may go on after a shutdown was asked for. By default 20 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// For how long an onboarding is left alone that this program cannot read, because a newer one has
    /// written it, say: no attempt is counted, and others go on. By default 60 s.
    pub fn leave_unreadable(mut self, rest: Duration) -> Self {
        self.unreadable = rest;
        self
    }

    /// The clock that the rules are given. Leases use the store's own.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the randomness of retry delays comes from. By default the operating system; give a
    /// seeded source to repeat a run.
    pub fn rolls(mut self, source: impl Fn() -> Roll + Send + Sync + 'static) -> Self {
        self.rolls = Box::new(source);
        self
    }

    /// Called after every durable commit of this engine. Must be quick: the worker waits for it.
    pub fn observe(mut self, see: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(see));
        self
    }

    /// The engine. Does nothing until it is run.
    #[must_use]
    pub fn build(self) -> Engine {
        Engine {
            shared: Arc::new(Shared {
                store: self.store,
                flows: self.flows,
                worker: self.worker,
                concurrency: self.concurrency,
                lease: self.lease,
                order: self.order,
                per_tenant: self.per_tenant,
                poll: self.poll,
                grace: self.grace,
                unreadable: self.unreadable,
                clock: self.clock,
                rolls: self.rolls,
                observer: self.observer,
                held: Held::default(),
                news: Arc::default(),
                loading: Semaphore::new(LOADS),
                storing: Semaphore::new(STORES),
            }),
        }
    }
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("worker", &self.worker)
            .field("concurrency", &self.concurrency)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
