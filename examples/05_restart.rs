//! Rung 5, a crash and a restart. `cargo run --example 05_restart`
//!
//! This program starts itself a second time, as a worker on the same SQLite file, and kills that worker
//! in its second task: after the effect, before it is stored. Then it goes on itself, from there. What
//! was done is not done again; what was under way is done under the same key, so there is one of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

type Failure = Box<dyn std::error::Error>;

struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Folder(PathBuf);
impl Step for Folder {
    const NAME: &'static str = "create_folder";
}

#[derive(Serialize, Deserialize)]
struct Dataset(PathBuf);
impl Step for Dataset {
    const NAME: &'static str = "create_dataset";
}

const DISK: Problem = Problem::new("disk", "We are short of space. We try again.");

struct CreateFolder(PathBuf);
impl Task<Workspace> for CreateFolder {
    type Needs = ();
    type Output = Folder;

    async fn run(&self, cx: &TaskContext, (): ()) -> Result<Folder, TaskError> {
        println!("create_folder: attempt {}", cx.attempt());
        let path = self.0.join(cx.effect_key().to_string());
        std::fs::create_dir_all(&path).map_err(|error| TaskError::retryable(DISK, error))?;
        Ok(Folder(path))
    }
}

struct CreateDataset {
    hangs: bool,
}
impl Task<Workspace> for CreateDataset {
    type Needs = Folder;
    type Output = Dataset;

    async fn run(&self, cx: &TaskContext, Folder(folder): Folder) -> Result<Dataset, TaskError> {
        let path = folder.join(cx.effect_key().to_string());
        let found = if path.exists() { "there" } else { "new" };
        std::fs::write(&path, "{}").map_err(|error| TaskError::retryable(DISK, error))?;
        println!("create_dataset: attempt {}, {found}", cx.attempt());
        if self.hangs {
            std::future::pending::<()>().await; // here it is killed
        }
        Ok(Dataset(path))
    }
}

/// The store, the flow and its engine, as every process of the service makes them.
async fn service(data: &Path, hangs: bool) -> Result<(Engine, Onramp<Workspace>), Failure> {
    let store = SqliteStore::open(data.join("onboarding.db")).await?;
    let store: Arc<dyn Store> = Arc::new(store);
    let flow = Workspace::steps()
        .run(CreateFolder(data.to_owned()))
        .run(CreateDataset { hangs })
        .build()?;
    // Whoever dies keeps its claim until the lease runs out. In earnest leave it at 30 seconds.
    let lease = Duration::from_secs(2);
    let engine = Engine::builder(store.clone()).flow(&flow).lease(lease);
    Ok((engine.build(), Onramp::shared(store, flow)))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if let Some(data) = std::env::args_os().nth(1) {
        let (engine, _) = service(data.as_ref(), true).await?;
        return Ok(engine.run_until_idle().await?);
    }
    let data = tempfile::tempdir()?;
    let (engine, onramp) = service(data.path(), false).await?;
    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let _running = onramp.begin(&tenant, &subject).await?;

    let mut worker = Command::new(std::env::current_exe()?);
    let mut worker = worker.arg(data.path()).stdout(Stdio::piped()).spawn()?;
    let said = worker.stdout.take().ok_or("it has no output")?;
    for line in BufReader::new(said).lines() {
        let line = line?;
        println!("worker: {line}");
        if line.starts_with("create_dataset") {
            worker.kill()?;
        }
    }
    worker.wait()?;
    println!("worker: killed");

    engine.run_until_idle().await?;
    let found = onramp.open(&tenant, &subject).await?.ok_or("ann is gone")?;
    let made = onramp.fact::<Folder>(&tenant, found.id()).await?;
    let folder = made.ok_or("no folder was made")?.0;
    let datasets = std::fs::read_dir(folder)?.count();
    println!("{} with {datasets} dataset", found.stage());
    Ok(())
}
