//! Rung 1, the smallest flow: one question, no database. `cargo run --example 01_hello`
//!
//! Enrol, start, answer, complete. Each handle is spent by what is done with it, and the next one
//! exists only once that is stored.

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

struct Welcome;
impl Flow for Welcome {
    const NAME: &'static str = "welcome";
    const VERSION: u32 = 1;
}

/// The type is the fact that the step yields.
#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Welcome> for Company {
    fn validate(&self) -> Result<(), Invalid> {
        let named = !self.name.trim().is_empty();
        Invalid::check("/name", named, "must not be empty")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flow = Welcome::steps().ask::<Company>().build()?;
    let onramp = Onramp::new(MemoryStore::new(), flow);
    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);

    let found = onramp.enroll(&tenant, &subject).await?;
    println!("enrolled: {}", found.stage());
    let pending = found
        .into_pending()
        .map_err(|now| format!("ann is {} already", now.stage()))?;

    // A clearance proves that the gates were open. This flow has none, so there is nothing to ask.
    let clearance = onramp.clear(&pending).await?;
    let running = onramp.commit(pending.start(clearance)).await?;
    let obstacles = onramp.explain(&tenant, running.id()).await?;
    for obstacle in obstacles.unwrap_or_default() {
        println!("started: {obstacle}");
    }

    // What is refused changes nothing and gives the handle back.
    let empty = Company { name: " ".into() };
    let running = match onramp.commit(running.submit(empty)).await {
        Err(CommitError::NotApplied(not)) => {
            println!("refused: {}", not.because);
            not.onboarding
        }
        Err(other) => return Err(other.into()),
        Ok(_) => return Err("an empty name was taken".into()),
    };

    let company = Company {
        name: "Acme".into(),
    };
    let running = onramp.commit(running.submit(company)).await?;
    let done = onramp.commit(running.complete()).await?;
    println!("completed: at revision {}", done.revision());

    let known: Option<Company> = onramp.fact(&tenant, done.id()).await?;
    println!("known: {}", known.ok_or("the fact is gone")?.name);
    Ok(())
}
