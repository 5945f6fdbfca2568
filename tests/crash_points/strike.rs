//! A store whose process dies at one of its writes, or is not told what became of it.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use onramp::Revision;
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Created, Delivery, Error, FactRecord, Lease, Listed,
    NewOnboarding, Row, Settlement, StepProgress,
};
use onramp::testing::Layer;
use tokio_util::sync::CancellationToken;

use super::places::Place;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strike {
    /// The process is gone before the write.
    Before,
    /// The process is gone after the write.
    After,
    /// It is written, and the process is told that nobody knows.
    InDoubt,
    /// It is not written, and the process is told that nobody knows.
    Lost,
}

impl Strike {
    pub(crate) const ALL: [Self; 4] = [Self::Before, Self::After, Self::InDoubt, Self::Lost];
}

#[derive(Clone)]
pub(crate) struct Struck(Arc<State>);

struct State {
    inner: Arc<dyn Store>,
    target: Option<(Place, usize, Strike)>,
    met: AtomicUsize,
    struck: AtomicBool,
    dead: CancellationToken,
    writes: Mutex<Vec<Place>>,
    /// The next row that is loaded cannot be read; the facts that are then cannot either.
    pub(crate) unreadable_row: AtomicBool,
    pub(crate) unreadable_facts: AtomicBool,
}

impl Struck {
    pub(crate) fn new(inner: Arc<dyn Store>, target: Option<(Place, usize, Strike)>) -> Self {
        Self(Arc::new(State {
            inner,
            target,
            met: AtomicUsize::new(0),
            struck: AtomicBool::new(false),
            dead: CancellationToken::new(),
            writes: Mutex::default(),
            unreadable_row: AtomicBool::new(false),
            unreadable_facts: AtomicBool::new(false),
        }))
    }

    pub(crate) async fn died(&self) {
        self.0.dead.cancelled().await;
    }

    pub(crate) fn has_struck(&self) -> bool {
        self.0.struck.load(SeqCst)
    }

    /// Where each write came from, when none is struck.
    pub(crate) fn writes(&self) -> Vec<Place> {
        self.0.writes.lock().unwrap().clone()
    }

    pub(crate) fn cannot_be_read_once(&self) {
        self.0.unreadable_row.store(true, SeqCst);
        self.0.unreadable_facts.store(true, SeqCst);
    }

    async fn write<T>(
        &self,
        method: &str,
        write: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let state = &*self.0;
        if state.dead.is_cancelled() {
            return pending().await;
        }
        let here = Place::of_this_call(method);
        let Some((place, nth, strike)) = &state.target else {
            state.writes.lock().unwrap().push(here);
            return write.await;
        };
        if here != *place || state.met.fetch_add(1, SeqCst) != *nth {
            return write.await;
        }
        state.struck.store(true, SeqCst);
        match strike {
            Strike::Before => {
                state.dead.cancel();
                pending().await
            }
            Strike::After => {
                let _ = write.await;
                state.dead.cancel();
                pending().await
            }
            Strike::InDoubt => {
                let _ = write.await;
                Err(Error::in_doubt("struck after"))
            }
            Strike::Lost => Err(Error::in_doubt("struck before")),
        }
    }
}

#[async_trait]
impl Layer for Struck {
    fn inner(&self) -> &dyn Store {
        &*self.0.inner
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        match self.0.unreadable_row.swap(false, SeqCst) {
            true => Err(Error::corrupt("damaged")),
            false => self.0.inner.load(tenant, id).await,
        }
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        let mut facts = self.0.inner.facts(tenant, id).await?;
        if self.0.unreadable_facts.swap(false, SeqCst) {
            for record in &mut facts {
                let (step, json) = (record.fact.step().clone(), record.fact.json().to_owned());
                // Of a version that this program does not know.
                record.fact = onramp::flow::EncodedFact::from_stored(step, 99, json).unwrap();
            }
        }
        Ok(facts)
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.write("create", self.0.inner.create(new)).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.write("commit", self.0.inner.commit(commit)).await
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        self.write("delete", self.0.inner.delete(these)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.write("claim", self.0.inner.claim(request)).await
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        self.write("renew", self.0.inner.renew(leases, lease)).await
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        self.write("release", self.0.inner.release(lease, after))
            .await
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        self.write("park", self.0.inner.park(lease, at, rest)).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        self.write("report", self.0.inner.report(lease, progress))
            .await
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        self.write("take_outbox", self.0.inner.take_outbox(max, hidden))
            .await
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        self.write("settle_outbox", self.0.inner.settle_outbox(settled))
            .await
    }
}
