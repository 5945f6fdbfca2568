//! Rung 4, failures that stay. `cargo run --example 04_undo`
//!
//! The last of three tasks cannot succeed, so everything is taken back, the newest first; also what the
//! failed one may have made, because nobody knows. Once the cause is mended the onboarding is retried:
//! answers are kept, effects are made again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Workspace> for Company {}

const NO_QUOTA: Problem = Problem::new("no_quota", "We are out of space. We have been told.");

/// A provider of things by their effect keys.
#[derive(Default)]
struct Provider {
    made: Mutex<BTreeSet<uuid::Uuid>>,
    has_quota: AtomicBool,
}

impl Provider {
    fn made(&self) -> MutexGuard<'_, BTreeSet<uuid::Uuid>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Three tasks that differ in their names and in what they need.
macro_rules! task {
    ($task:ident makes $fact:ident as $name:literal from $needs:ty, if $may:expr) => {
        #[derive(Serialize, Deserialize)]
        struct $fact;
        impl Step for $fact {
            const NAME: &'static str = $name;
        }

        struct $task(Arc<Provider>);
        impl Task<Workspace> for $task {
            type Needs = $needs;
            type Output = $fact;

            async fn run(&self, cx: &TaskContext, _: $needs) -> Result<$fact, TaskError> {
                let may: fn(&Provider) -> bool = $may;
                if !may(&self.0) {
                    return Err(TaskError::fatal(NO_QUOTA, "quota of project 7 is 0"));
                }
                println!("make {}", cx.step());
                self.0.made().insert(cx.effect_key());
                Ok($fact)
            }

            async fn undo(&self, cx: &TaskContext, _: Option<$fact>) -> Result<(), TaskError> {
                println!("take back {}", cx.step());
                self.0.made().remove(&cx.effect_key()); // fine when it is not there
                Ok(())
            }
        }
    };
}
task!(CreateFolder makes Folder as "create_folder" from Company, if |_| true);
task!(CreateDataset makes Dataset as "create_dataset" from Folder, if |_| true);
task!(CreateTables makes Tables as "create_tables" from Dataset, if |it| it.has_quota.load(SeqCst));

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = Arc::new(Provider::default());
    let flow = Workspace::steps()
        .ask::<Company>()
        .run(CreateFolder(provider.clone()))
        .run(CreateDataset(provider.clone()))
        .run(CreateTables(provider.clone()))
        .build()?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engine = Engine::builder(store.clone()).flow(&flow).build();
    let onramp = Onramp::shared(store, flow);

    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let found = onramp.enroll(&tenant, &subject).await?;
    let pending = found.into_pending().map_err(|_| "ann is not new")?;
    let clearance = onramp.clear(&pending).await?;
    let running = onramp.commit(pending.start(clearance)).await?;
    let name = "Acme".to_owned();
    let running = onramp.commit(running.submit(Company { name })).await?;
    engine.run_until_idle().await?;

    let found = onramp.open(&tenant, &subject).await?.ok_or("ann is gone")?;
    println!(
        "{} with {} things left",
        found.stage(),
        provider.made().len()
    );
    let obstacles = onramp.explain(&tenant, running.id()).await?;
    for obstacle in obstacles.unwrap_or_default() {
        println!("because: {obstacle}");
    }

    provider.has_quota.store(true, SeqCst);
    let failed = found.into_failed().map_err(|_| "it has not failed")?;
    let _running = onramp.commit(failed.retry()).await?;
    engine.run_until_idle().await?;
    let found = onramp.open(&tenant, &subject).await?.ok_or("ann is gone")?;
    println!("{} with {} things", found.stage(), provider.made().len());
    Ok(())
}
