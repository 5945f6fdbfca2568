//! Rung 8, a store of one's own. `cargo run --example 08_store`
//!
//! A store that can be closed for maintenance: then onboardings can be read and not changed. It is a
//! `Layer` over another store, the short way. One from scratch implements `Store`, see the guide
//! `writing_a_store`. The conformance suite tells whether either holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{ClaimRequest, Commit, CommitOutcome, Created, Error, Lease, NewOnboarding};
use onramp::testing::{Layer, Layered, conformance};
use serde::{Deserialize, Serialize};

struct Maintained {
    inner: MemoryStore,
    closed: Arc<AtomicBool>,
}

impl Maintained {
    /// Of a kind that says: nothing has changed, try again.
    fn open(&self) -> Result<(), Error> {
        if self.closed.load(SeqCst) {
            return Err(Error::unavailable("closed for maintenance"));
        }
        Ok(())
    }
}

#[async_trait]
impl Layer for Maintained {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.open()?;
        self.inner.create(new).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.open()?;
        self.inner.commit(commit).await
    }

    /// Or a task would run whose result could not be stored.
    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.open()?;
        self.inner.claim(request).await
    }
}

/// What not to do: it lets a worker write that was overtaken by another one.
struct Fenceless(MemoryStore);

#[async_trait]
impl Layer for Fenceless {
    fn inner(&self) -> &dyn Store {
        &self.0
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let fence = None;
        self.0.commit(Commit { fence, ..commit }).await
    }
}

struct Welcome;
impl Flow for Welcome {
    const NAME: &'static str = "welcome";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company(String);
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Welcome> for Company {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let closed = Arc::new(AtomicBool::new(false));
    let store = Arc::new(Layered(Maintained {
        inner: MemoryStore::new(),
        closed: closed.clone(),
    }));
    let fenceless = Arc::new(Layered(Fenceless(MemoryStore::new())));
    let (held, broken) = tokio::join!(
        conformance::check(store.clone()),
        conformance::check(fenceless),
    );
    println!("maintained: {} clauses broken", held.len());
    for violation in broken {
        println!("fenceless: {violation}");
    }

    let flow = Welcome::steps().ask::<Company>().build()?;
    let onramp = Onramp::shared(store, flow);
    let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("ann")?);
    let begun = onramp.begin(&tenant, &subject).await?;
    let running = begun.into_in_progress().map_err(|_| "ann is not new")?;

    closed.store(true, SeqCst);
    let refused = onramp.commit(running.submit(Company("Acme".into()))).await;
    let Err(CommitError::NotApplied(not)) = refused else {
        return Err("it was stored all the same".into());
    };
    println!("closed: {}", not.because);
    closed.store(false, SeqCst);
    let change = not.onboarding.submit(Company("Acme".into())).and_complete();
    let done = onramp.commit(change).await?;
    println!("open again: completed at revision {}", done.revision());
    Ok(())
}
