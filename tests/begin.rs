//! To begin in one call: once, however many ask; past no closed gate; in one commit where that can be.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use onramp::engine::Engine;
use onramp::prelude::*;
use onramp::store::{Created, Error, ErrorKind, NewOnboarding, NotAppliedBecause};
use onramp::testing::{Layer, Layered};
use onramp::{NotBegun, Revision, StartLimit};
use serde::{Deserialize, Serialize};
use support::each_store;
use tokio::task::JoinSet;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Site(u32);
impl Step for Site {
    const NAME: &'static str = "build_site";
}

/// Builds, and counts how often.
struct Build(Arc<AtomicU32>);
impl Task<Signup> for Build {
    type Needs = ();
    type Output = Site;
    async fn run(&self, _: &TaskContext, (): ()) -> Result<Site, TaskError> {
        Ok(Site(self.0.fetch_add(1, SeqCst)))
    }
}

const NOT_READY: Problem = Problem::new("platform_not_ready", "We are not ready yet.");

/// Open or not, and how often that was asked.
#[derive(Clone, Default)]
struct Ready {
    closed: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}
impl Gate for Ready {
    const NAME: &'static str = "platform";
    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        self.asked.fetch_add(1, SeqCst);
        match self.closed.load(SeqCst) {
            true => Err(GateClosed::new(NOT_READY, "15 of 21 tables")),
            false => Ok(()),
        }
    }
}

/// A service, with everything in it that is counted.
struct Service {
    onramp: Onramp<Signup>,
    gate: Ready,
    built: Arc<AtomicU32>,
    tenant: TenantId,
}

impl Service {
    fn on(store: Arc<dyn Store>) -> Self {
        let (gate, built) = (Ready::default(), Arc::<AtomicU32>::default());
        let flow = Signup::steps().gate(gate.clone());
        let flow = flow.run(Build(Arc::clone(&built))).build().unwrap();
        Self {
            onramp: Onramp::shared(store, flow),
            gate,
            built,
            tenant: TenantId::new("acme").unwrap(),
        }
    }

    async fn begin(&self, subject: &str) -> Result<Loaded<Signup>, NotBegun> {
        let subject = SubjectId::new(subject).unwrap();
        self.onramp.begin(&self.tenant, &subject).await
    }

    async fn enroll(&self, subject: &str) -> Loaded<Signup> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await;
        found.unwrap()
    }

    /// Does all that there is to do.
    async fn work(&self) {
        let store = Arc::clone(self.onramp.store());
        let engine = Engine::builder(store).flow(self.onramp.flow());
        engine.build().run_until_idle().await.unwrap();
    }

    /// What it was told of, by onboarding.
    async fn told(&self) -> Vec<(OnboardingId, String)> {
        let hour = Duration::from_secs(3_600);
        let taken = self.onramp.store().take_outbox(1_000, hour).await.unwrap();
        let told = taken.into_iter().map(|delivery| delivery.message);
        told.map(|message| (message.onboarding, message.topic))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_subject_begins_in_one_commit() {
    for store in each_store().await {
        let service = Service::on(store);
        let begun = service.begin("org-1").await.unwrap();
        assert_eq!(begun.stage(), StageKind::InProgress);
        assert_eq!(begun.revision(), Revision::new(1));
        let (tenant, id) = (&service.tenant, begun.id());
        let store = service.onramp.store();
        let journal = store.journal(tenant, id, Revision::new(0), 9).await;
        let names: Vec<Vec<_>> = journal
            .unwrap()
            .iter()
            .map(|entry| entry.decode().unwrap())
            .map(|events| events.iter().map(|e| e.happened.name()).collect())
            .collect();
        assert_eq!(names, [["created", "started"]]);
        service.onramp.verify_journal(tenant, id).await.unwrap();
        assert_eq!(service.told().await, [(id, "started".to_owned())]);
        // Nobody has to be told where to look.
        service.work().await;
        let done = service.begin("org-1").await.unwrap();
        assert_eq!((done.stage(), done.id()), (StageKind::Completed, id));
        service.onramp.verify_journal(tenant, id).await.unwrap();
        assert_eq!(service.built.load(SeqCst), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_ask_it_begins_once() {
    const KEYS: usize = 100;
    for store in each_store().await {
        let service = Arc::new(Service::on(store));
        // Half of them were enrolled before.
        for key in (0..KEYS).step_by(2) {
            let _ = service.enroll(&format!("org-{key}")).await;
        }
        let mut beginning = JoinSet::new();
        for task in 0..64 {
            let service = Arc::clone(&service);
            beginning.spawn(async move {
                let mut ids = Vec::new();
                // All come by the same keys at about the same time.
                for key in (0..KEYS).map(|key| (key + task / 8) % KEYS) {
                    let begun = service.begin(&format!("org-{key}")).await.unwrap();
                    assert_eq!(begun.stage(), StageKind::InProgress);
                    assert_eq!(begun.revision().get(), 2 - key as u64 % 2);
                    ids.push((key, begun.id()));
                }
                ids
            });
        }
        let mut ids = std::collections::BTreeMap::new();
        for (key, id) in beginning.join_all().await.into_iter().flatten() {
            assert_eq!(*ids.entry(key).or_insert(id), id, "two of org-{key}");
        }
        let mut told: Vec<_> = service.told().await.into_iter().map(|(id, _)| id).collect();
        told.sort_unstable();
        let mut all: Vec<_> = ids.into_values().collect();
        all.sort_unstable();
        assert_eq!(told, all, "each was told of once");
        service.work().await;
        assert_eq!(service.built.load(SeqCst) as usize, KEYS);
    }
}

#[tokio::test]
async fn closed_gates_begin_nothing_and_can_be_explained() {
    let service = Service::on(Arc::new(MemoryStore::new()));
    service.gate.closed.store(true, SeqCst);
    for asked in 1..=2 {
        let why = service.begin("org-1").await.unwrap_err();
        let NotBegun::NotCleared(closed) = why else {
            panic!("{why:?}")
        };
        assert_eq!(closed.closed().count(), 1);
        assert_eq!(service.gate.asked.load(SeqCst), asked, "once a call");
    }
    let pending = service.enroll("org-1").await;
    assert_eq!(pending.stage(), StageKind::Pending);
    let explained = service.onramp.explain(&service.tenant, pending.id()).await;
    let explained = format!("{:?}", explained.unwrap().unwrap());
    assert!(explained.contains("platform_not_ready"), "{explained}");
    service.gate.closed.store(false, SeqCst);
    let begun = service.begin("org-1").await.unwrap();
    assert_eq!(
        (begun.stage(), begun.id()),
        (StageKind::InProgress, pending.id())
    );
    // Who is inside is not asked at the gate again.
    service.gate.closed.store(true, SeqCst);
    let asked = service.gate.asked.load(SeqCst);
    let again = service.begin("org-1").await.unwrap();
    assert_eq!(again.stage(), StageKind::InProgress);
    assert_eq!(service.gate.asked.load(SeqCst), asked);
}

#[tokio::test]
async fn one_start_too_many_makes_nothing() {
    let mut service = Service::on(Arc::new(MemoryStore::new()));
    let limit = StartLimit::per_minute(2);
    service.onramp = service.onramp.clone().with_start_limit(limit);
    service.gate.closed.store(true, SeqCst);
    for subject in ["a", "b", "c"] {
        let refused = service.begin(subject).await.unwrap_err();
        assert!(
            matches!(refused, NotBegun::NotCleared(_)),
            "what began nothing does not count: {refused:?}"
        );
    }
    service.gate.closed.store(false, SeqCst);
    for subject in ["d", "e"] {
        let _ = service.begin(subject).await.unwrap();
        // To come back is no start.
        let _ = service.begin(subject).await.unwrap();
    }
    for subject in ["a", "f"] {
        let asked = service.gate.asked.load(SeqCst);
        let refused = service.begin(subject).await.unwrap_err();
        assert!(
            matches!(
                refused,
                NotBegun::NotApplied(NotAppliedBecause::TooManyStarts { .. })
            ),
            "{refused:?}"
        );
        assert_eq!(service.gate.asked.load(SeqCst), asked, "nobody is asked");
    }
    let subject = SubjectId::new("f").unwrap();
    let found = service.onramp.open(&service.tenant, &subject).await;
    assert!(found.unwrap().is_none(), "and nothing is made");
}

/// Breaks the connection at the first creation, before it is stored or afterwards.
struct Cut {
    store: MemoryStore,
    stored: bool,
    cut: AtomicBool,
}

#[async_trait]
impl Layer for Cut {
    fn inner(&self) -> &dyn Store {
        &self.store
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        if self.cut.swap(true, SeqCst) {
            return self.store.create(new).await;
        }
        if self.stored {
            let _ = self.store.create(new).await?;
        }
        Err(Error::in_doubt("the connection broke"))
    }
}

#[tokio::test]
async fn what_is_in_doubt_can_be_begun_again() {
    for stored in [true, false] {
        let service = Service::on(Arc::new(Layered(Cut {
            store: MemoryStore::new(),
            stored,
            cut: AtomicBool::new(false),
        })));
        match service.begin("org-1").await {
            // It is looked up once, so nobody needs to know of the doubt.
            Ok(begun) => assert!(stored && begun.stage() == StageKind::InProgress),
            Err(NotBegun::Store(error)) => {
                assert!(!stored && error.kind() == ErrorKind::InDoubt);
            }
            Err(other) => panic!("{other:?}"),
        }
        let begun = service.begin("org-1").await.unwrap();
        assert_eq!(begun.revision(), Revision::new(1));
        assert_eq!(service.told().await, [(begun.id(), "started".to_owned())]);
        service.work().await;
        assert_eq!(service.built.load(SeqCst), 1);
    }
}
