//! When what was built is looked at, and what completion is stored with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use onramp::engine::Engine;
use onramp::prelude::*;

/// A verification that answers at once shares a commit with the last fact; one that waits comes after it,
/// and is begun once. One that says no is not asked again before the step is done again.
#[tokio::test]
async fn completion_shares_a_commit_with_the_last_fact_when_nothing_is_waited_for() {
    for (waits, gone, expected) in [
        (false, 0, vec!["fact_recorded completed"]),
        (true, 0, vec!["fact_recorded", "completed"]),
        (
            false,
            1,
            vec!["fact_recorded", "undo", "fact_recorded completed"],
        ),
    ] {
        let looked = Arc::new(AtomicU32::new(0));
        let task = Seen {
            waits,
            gone: AtomicU32::new(gone),
            looked: Arc::clone(&looked),
        };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let flow = Lookout::steps().run(task).build().unwrap();
        let engine = Engine::builder(Arc::clone(&store)).flow(&flow).build();
        let onramp = Onramp::shared(Arc::clone(&store), flow);
        let tenant = TenantId::new("acme").unwrap();
        let subject = SubjectId::new("org-1").unwrap();
        let pending = onramp.enroll(&tenant, &subject).await.unwrap();
        let pending = pending.into_pending().unwrap();
        let clearance = onramp.clear(&pending).await.unwrap();
        let running = onramp.commit(pending.start(clearance)).await.unwrap();
        let (id, at) = (running.id(), running.revision());
        engine.run_until_idle().await.unwrap();

        let journal = store.journal(&tenant, id, at, 100).await.unwrap();
        let told: Vec<_> = journal
            .iter()
            .map(|entry| {
                let events = entry.decode().unwrap();
                let names: Vec<_> = events.iter().map(|event| event.happened.name()).collect();
                match names.iter().any(|name| name.contains("und")) {
                    true => "undo".to_owned(),
                    false => names.join(" "),
                }
            })
            .collect();
        let mut told: Vec<_> = told.iter().map(String::as_str).collect();
        told.dedup();
        assert_eq!(told, expected, "waits: {waits}, gone: {gone}");
        assert_eq!(looked.load(SeqCst), 1 + gone);
    }
}

struct Lookout;
impl Flow for Lookout {
    const NAME: &'static str = "lookout";
    const VERSION: u32 = 1;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Tower;
impl Step for Tower {
    const NAME: &'static str = "tower";
}

struct Seen {
    waits: bool,
    gone: AtomicU32,
    looked: Arc<AtomicU32>,
}
impl Task<Lookout> for Seen {
    type Needs = ();
    type Output = Tower;

    async fn run(&self, _: &TaskContext, (): ()) -> Result<Tower, TaskError> {
        Ok(Tower)
    }

    async fn verify(&self, _: &TaskContext, _: Tower) -> Result<(), TaskError> {
        self.looked.fetch_add(1, SeqCst);
        if self.waits {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match self
            .gone
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
        {
            Ok(_) => Err(TaskError::fatal(Problem::DRIFTED, "on purpose")),
            Err(_) => Ok(()),
        }
    }
}
