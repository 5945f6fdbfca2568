//! Rung 2, typed data between steps. `cargo run --example 02_typed_data`
//!
//! A task names the facts that it needs, and gets them by type. Take one of their steps out of the
//! flow, or move it down behind the task, and this program does not compile any more.

use std::sync::Arc;

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

/// The customer gives it.
#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Workspace> for Company {}

/// The customer may skip it: tasks see `Option<Branding>`.
#[derive(Serialize, Deserialize)]
struct Branding(String);
impl Step for Branding {
    const NAME: &'static str = "branding";
}
impl Answer<Workspace> for Branding {}

/// Only the host can attest it: no form leads here.
#[derive(Serialize, Deserialize)]
struct Paid(String);
impl Step for Paid {
    const NAME: &'static str = "payment";
}
impl Evidence<Workspace> for Paid {}

/// A task produces it.
#[derive(Serialize, Deserialize)]
struct Site(String);
impl Step for Site {
    const NAME: &'static str = "build_site";
}

struct BuildSite;
impl Task<Workspace> for BuildSite {
    type Needs = (Company, Paid, Option<Branding>);
    type Output = Site;

    async fn run(
        &self,
        _: &TaskContext,
        (company, paid, branding): Self::Needs,
    ) -> Result<Site, TaskError> {
        let color = branding.map_or("grey".to_owned(), |branding| branding.0);
        println!("build_site: {}, {}, {color}", company.name, paid.0);
        Ok(Site(format!("https://{}.example", company.name)))
    }
}

#[derive(Serialize, Deserialize)]
struct Letter(String);
impl Step for Letter {
    const NAME: &'static str = "write_letter";
}

/// Needs what the task before has made.
struct WriteLetter;
impl Task<Workspace> for WriteLetter {
    type Needs = (Company, Site);
    type Output = Letter;

    async fn run(&self, _: &TaskContext, (to, site): Self::Needs) -> Result<Letter, TaskError> {
        let text = format!("Dear {}, you are at {}.", to.name, site.0);
        Ok(Letter(text))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flow = Workspace::steps()
        .ask::<Company>()
        .ask_optional::<Branding>()
        .expect::<Paid>()
        .run(BuildSite)
        .run(WriteLetter)
        .build()?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engine = Engine::builder(store.clone()).flow(&flow).build();
    let onramp = Onramp::shared(store, flow);

    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let begun = onramp.begin(&tenant, &subject).await?;
    let running = begun.into_in_progress().map_err(|_| "ann is not new")?;
    let name = "acme".to_owned();
    let running = onramp.commit(running.submit(Company { name })).await?;
    let running = onramp.commit(running.skip::<Branding>()).await?;

    // The engine runs what can be run, and stops in front of the payment.
    engine.run_until_idle().await?;
    let obstacles = onramp.explain(&tenant, running.id()).await?;
    for obstacle in obstacles.unwrap_or_default() {
        println!("waits: {obstacle}");
    }
    let paid = Paid("inv-1".to_owned());
    let running = onramp.commit(running.attest(paid)).await?;
    engine.run_until_idle().await?;

    let letter: Option<Letter> = onramp.fact(&tenant, running.id()).await?;
    println!("letter: {}", letter.ok_or("no letter was written")?.0);
    Ok(())
}
