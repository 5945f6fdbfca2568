//! Rung 3, failures that pass. `cargo run --example 03_retry`
//!
//! A provider is busy twice and then hangs once. The engine tries again, after a delay that grows, and
//! every attempt has the same effect key: so the provider can tell that it is asked for the same thing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Dataset {
    name: String,
}
impl Step for Dataset {
    const NAME: &'static str = "create_dataset";
}

/// What people are told. The cause goes to the logs and to nobody else.
const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy. We try again.");

/// Counts how often it was asked.
#[derive(Default)]
struct CreateDataset {
    asked: AtomicU32,
}

impl Task<Workspace> for CreateDataset {
    type Needs = ();
    type Output = Dataset;

    async fn run(&self, cx: &TaskContext, (): ()) -> Result<Dataset, TaskError> {
        println!("attempt {}", cx.attempt());
        match self.asked.fetch_add(1, SeqCst) {
            0 | 1 => Err(TaskError::retryable(BUSY, "503 from 10.0.0.7")),
            2 => std::future::pending().await, // until the timeout below
            _ => Ok(Dataset {
                name: format!("acme-{}", cx.effect_key()),
            }),
        }
    }

    /// After attempt `n` a random part of `base * 2^(n - 1)`, at most the cap.
    fn retry(&self) -> RetryPolicy {
        let base = Duration::from_millis(50);
        RetryPolicy::new(5).base(base).cap(base * 8)
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(200)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flow = Workspace::steps().run(CreateDataset::default()).build()?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engine = Engine::builder(store.clone())
        .flow(&flow)
        .observe(|seen| {
            for event in seen.events {
                println!("stored: {}", event.happened.name());
            }
        })
        .build();
    let onramp = Onramp::shared(store, flow);

    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let begun = onramp.begin(&tenant, &subject).await?;
    let running = begun.into_in_progress().map_err(|_| "ann is not new")?;

    // Sleeps through the delays between the attempts.
    engine.run_until_idle().await?;
    let made: Option<Dataset> = onramp.fact(&tenant, running.id()).await?;
    let name = made.ok_or("no dataset was made")?.name;
    println!("made: one dataset, {}", &name[..5]);
    Ok(())
}
