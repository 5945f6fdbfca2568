//! Reads, writes, clears and forgeries in any order, two processes at once.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use onramp::Key;
use onramp::prelude::*;
use onramp::store::{Error, Row};
use onramp::testing::{Layer, Layered};
use onramp::tiers::{MemoryMirror, Mirror, MirrorError, Reading, Stored, Tag, Tier, Tiered};
use proptest::prelude::*;
use tokio::task::JoinSet;

use crate::desk::Hand;
use crate::support::{Company, Workspace};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// These at the same time.
    AtOnce(Vec<(usize, Call)>),
    Clear(usize),
    Wipe,
    Forge(u64),
    Pass(i64),
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Read,
    Project,
    Commit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call =
        prop_oneof![3 => Just(Call::Read), 1 => Just(Call::Project), 1 => Just(Call::Commit)];
    let step = prop_oneof![
        6 => prop::collection::vec((0..2_usize, call), 1..8).prop_map(Step::AtOnce),
        2 => (0..2_usize).prop_map(Step::Clear),
        1 => Just(Step::Wipe),
        1 => prop_oneof![Just(1), Just(u64::MAX)].prop_map(Step::Forge),
        2 => (1..8_i64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..25)
}

/// Lets others go first, as often as the draw says.
struct Turns(Mutex<Vec<u8>>);

impl Turns {
    async fn give_way(&self) {
        let times = self.0.lock().unwrap().pop().unwrap_or(0);
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }
}

struct SlowStore(Arc<dyn Store>, Arc<Turns>);

#[async_trait]
impl Layer for SlowStore {
    fn inner(&self) -> &dyn Store {
        &*self.0
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        self.1.give_way().await;
        let found = self.0.find(key).await;
        self.1.give_way().await;
        found
    }
}

/// Notes the revision of whatever was kept, in order.
struct SlowMirror {
    mirror: Arc<MemoryMirror>,
    turns: Arc<Turns>,
    kept: Arc<Mutex<Vec<u64>>>,
}

#[async_trait]
impl Mirror for SlowMirror {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        self.turns.give_way().await;
        let stored = self.mirror.load(key).await;
        self.turns.give_way().await;
        stored
    }

    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        self.turns.give_way().await;
        self.mirror.store(key, text, at).await?;
        let text: serde_json::Value = serde_json::from_str(text).unwrap();
        let revision = text["status"]["revision"].as_u64().unwrap();
        self.kept.lock().unwrap().push(revision);
        self.turns.give_way().await;
        Ok(())
    }
}

struct World {
    onramp: Onramp<Workspace>,
    processes: Vec<Tiered<Workspace>>,
    mirror: Arc<MemoryMirror>,
    kept: Arc<Mutex<Vec<u64>>>,
    clock: Hand,
    key: Key,
}

impl World {
    async fn new(turns: Vec<u8>) -> Self {
        let turns = Arc::new(Turns(Mutex::new(turns)));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let flow = Workspace::steps().ask::<Company>().build().unwrap();
        let clock = Hand::default();
        let onramp = Onramp::shared(Arc::clone(&store), flow.clone()).with_clock(clock.clone());
        let slow = Arc::new(Layered(SlowStore(store, Arc::clone(&turns))));
        let slow = Onramp::shared(slow, flow).with_clock(clock.clone());
        let (mirror, kept) = <(Arc<MemoryMirror>, Arc<Mutex<Vec<u64>>>)>::default();
        let process = || {
            let mirror = SlowMirror {
                mirror: Arc::clone(&mirror),
                turns: Arc::clone(&turns),
                kept: Arc::clone(&kept),
            };
            Tiered::builder(slow.clone())
                .mirror(mirror)
                .build()
                .unwrap()
        };
        let processes = vec![process(), process()];
        let key = Key {
            tenant: TenantId::new("acme").unwrap(),
            flow: "workspace".into(),
            subject: SubjectId::new("org-1").unwrap(),
        };
        let found = onramp.enroll(&key.tenant, &key.subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = onramp.clear(&pending).await.unwrap();
        let running = onramp.commit(pending.start(clearance)).await.unwrap();
        let company = Company {
            name: "Acme".into(),
        };
        let _ = onramp.commit(running.submit(company)).await.unwrap();
        Self {
            onramp,
            processes,
            mirror,
            kept,
            clock,
            key,
        }
    }

    /// The revision that is stored.
    async fn stored(&self) -> u64 {
        let Key {
            tenant, subject, ..
        } = &self.key;
        let found = self.onramp.open(tenant, subject).await.unwrap();
        found.unwrap().revision().get()
    }

    /// What was read, and by which process.
    async fn at_once(&self, calls: Vec<(usize, Call)>) -> Vec<(usize, Reading)> {
        let mut all = JoinSet::new();
        for (process, call) in calls {
            let tiers = self.processes[process].clone();
            let (onramp, key) = (self.onramp.clone(), self.key.clone());
            all.spawn(async move {
                let (tenant, subject) = (&key.tenant, &key.subject);
                match call {
                    Call::Read => return Some((process, tiers.read(tenant, subject).await)),
                    Call::Project => {
                        let projector = tiers.projector();
                        projector.project(tenant, subject).await.unwrap();
                    }
                    Call::Commit => {
                        let found = onramp.open(tenant, subject).await.unwrap().unwrap();
                        let running = found.into_in_progress().unwrap();
                        let name = running.revision().to_string();
                        // Whoever loses the race has committed nothing.
                        let _ = onramp.commit(running.revise(Company { name })).await;
                    }
                }
                None
            });
        }
        all.join_all().await.into_iter().flatten().collect()
    }
}

async fn play(steps: Vec<Step>, turns: Vec<u8>) -> Result<(), TestCaseError> {
    let world = World::new(turns).await;
    // The newest revision that each process has shown.
    let mut shown = [0; 2];
    for step in steps {
        match step {
            Step::AtOnce(calls) => {
                let before = world.stored().await;
                let readings = world.at_once(calls).await;
                let after = world.stored().await;
                let earlier = shown;
                for (process, reading) in readings {
                    let Reading::Known(sourced) = reading else {
                        return Err(TestCaseError::fail("the database is there"));
                    };
                    let revision = sourced.revision.get();
                    prop_assert!(revision <= after, "from nowhere");
                    prop_assert!(!sourced.stale);
                    prop_assert!(revision >= earlier[process], "shown newer before");
                    shown[process] = shown[process].max(revision);
                    match sourced.source {
                        Tier::Database => prop_assert!(revision >= before, "an old answer"),
                        source => prop_assert_eq!(source, Tier::Local),
                    }
                }
            }
            Step::Clear(process) => {
                world.processes[process].forget(&world.key.tenant, &world.key.subject);
            }
            Step::Wipe => world.mirror.forge(&world.key, None),
            Step::Forge(revision) => {
                let stored = world.mirror.load(&world.key).await.unwrap().text;
                let Some(text) = stored else { continue };
                let mut text: serde_json::Value = serde_json::from_str(&text).unwrap();
                text["status"]["revision"] = revision.into();
                text["status"]["stage"] = "completed".into();
                world.mirror.forge(&world.key, Some(text.to_string()));
            }
            Step::Pass(seconds) => world.clock.pass(chrono::TimeDelta::seconds(seconds)),
        }
        let kept = world.kept.lock().unwrap().clone();
        prop_assert!(kept.is_sorted(), "the mirror went backwards: {:?}", kept);
    }
    // When it is quiet, one projection each is enough.
    world.clock.pass(chrono::TimeDelta::seconds(10));
    let expected = world
        .onramp
        .status(&world.key.tenant, &world.key.subject)
        .await
        .unwrap();
    for process in 0..2 {
        world.at_once(vec![(process, Call::Project)]).await;
        let readings = world.at_once(vec![(process, Call::Read)]).await;
        let (_, reading) = &readings[0];
        prop_assert_eq!(reading.source(), Tier::Local);
        prop_assert_eq!(reading.status(), expected.as_ref());
    }
    let text = world.mirror.load(&world.key).await.unwrap().text.unwrap();
    let text: serde_json::Value = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(&text["status"], &serde_json::json!(expected));
    Ok(())
}

#[tokio::test]
async fn an_answer_that_comes_late_replaces_no_newer_copy() {
    // From the end: the first read gives way after it has found, the second never.
    let world = World::new(vec![0, 0, 20, 0]).await;
    let calls = [Call::Read, Call::Commit, Call::Read];
    let readings = world.at_once(calls.map(|call| (0, call)).to_vec()).await;
    let mut found: Vec<_> = readings
        .iter()
        .map(|(_, reading)| reading.status().unwrap().revision.get())
        .collect();
    found.sort_unstable();
    assert_eq!(found, [3, 4], "one before the commit and one after it");
    let readings = world.at_once(vec![(0, Call::Read)]).await;
    let (_, reading) = &readings[0];
    assert_eq!(reading.source(), Tier::Local);
    assert_eq!(reading.status().unwrap().revision.get(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_writes_clears_and_forgeries_in_any_order_converge(
        steps in steps(),
        turns in prop::collection::vec(0..4_u8, 0..400),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(steps, turns))?;
    }
}
