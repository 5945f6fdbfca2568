//! Rung 4, failures that stay. `cargo run --example 04_undo`
//!
//! The second of two tasks cannot succeed, so everything is taken back, the newest first; also what the
//! failed one may have made, because nobody knows. Once the cause is mended the onboarding is retried.
//! Then answers are kept, if there were any, and effects are made again.

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

const NO_QUOTA: Problem = Problem::new("no_quota", "We are out of space. We have been told.");

/// Makes things, and finds them by the keys of their effects.
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

#[derive(Serialize, Deserialize)]
struct Dataset;
impl Step for Dataset {
    const NAME: &'static str = "create_dataset";
}

struct CreateDataset(Arc<Provider>);
impl Task<Workspace> for CreateDataset {
    type Needs = ();
    type Output = Dataset;

    async fn run(&self, cx: &TaskContext, (): ()) -> Result<Dataset, TaskError> {
        println!("make {}", cx.step());
        self.0.made().insert(cx.effect_key());
        Ok(Dataset)
    }

    /// Also when it was never made: an undo may be repeated, too.
    async fn undo(&self, cx: &TaskContext, _: Option<Dataset>) -> Result<(), TaskError> {
        println!("take back {}", cx.step());
        self.0.made().remove(&cx.effect_key());
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Tables;
impl Step for Tables {
    const NAME: &'static str = "create_tables";
}

struct CreateTables(Arc<Provider>);
impl Task<Workspace> for CreateTables {
    type Needs = Dataset;
    type Output = Tables;

    async fn run(&self, cx: &TaskContext, _: Dataset) -> Result<Tables, TaskError> {
        if !self.0.has_quota.load(SeqCst) {
            return Err(TaskError::fatal(NO_QUOTA, "quota of project 7 is 0"));
        }
        println!("make {}", cx.step());
        self.0.made().insert(cx.effect_key());
        Ok(Tables)
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Tables>) -> Result<(), TaskError> {
        println!("take back {}", cx.step());
        self.0.made().remove(&cx.effect_key());
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = Arc::new(Provider::default());
    let flow = Workspace::steps()
        .run(CreateDataset(provider.clone()))
        .run(CreateTables(provider.clone()))
        .build()?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engine = Engine::builder(store.clone()).flow(&flow).build();
    let onramp = Onramp::shared(store, flow);

    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let begun = onramp.begin(&tenant, &subject).await?;
    let running = begun.into_in_progress().map_err(|_| "ann is not new")?;
    engine.run_until_idle().await?;

    let found = onramp.open(&tenant, &subject).await?.ok_or("ann is gone")?;
    println!("{} with {} left", found.stage(), provider.made().len());
    let obstacles = onramp.explain(&tenant, running.id()).await?;
    for obstacle in obstacles.unwrap_or_default() {
        println!("because: {obstacle}");
    }

    provider.has_quota.store(true, SeqCst);
    let failed = found.into_failed().map_err(|_| "it has not failed")?;
    let _running = onramp.commit(failed.retry()).await?;
    engine.run_until_idle().await?;
    let found = onramp.open(&tenant, &subject).await?.ok_or("ann is gone")?;
    println!("{} with {} made", found.stage(), provider.made().len());
    Ok(())
}
