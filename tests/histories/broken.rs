//! Stores that are wrong, some of them only while more than one is at them.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Created, Delivery, Error, Lease, NewOnboarding, Row,
    Settlement,
};
use onramp::testing::Layer;
use onramp::{CommandId, Fence};
use tokio::task::yield_now;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    LostUpdate,
    SwallowedConflict,
    FenceIgnored,
    CommandForgotten,
    TornWrite,
    LeaseOfNoTime,
    SettledByAnybody,
    /// It looks at the revision, and then writes.
    LooksFirst,
    /// It reads from a copy, which is a moment behind.
    ReadsCopy,
    /// It looks whether there is one, and then says that there was none.
    CreatesTwice,
    /// Those who claim at once are given the same.
    ClaimsTogether,
}

impl Broken {
    pub(crate) const IN_ORDER: [Self; 7] = [
        Self::LostUpdate,
        Self::SwallowedConflict,
        Self::FenceIgnored,
        Self::CommandForgotten,
        Self::TornWrite,
        Self::LeaseOfNoTime,
        Self::SettledByAnybody,
    ];
    pub(crate) const AT_ONCE: [Self; 4] = [
        Self::LooksFirst,
        Self::ReadsCopy,
        Self::CreatesTwice,
        Self::ClaimsTogether,
    ];
}

/// A memory store with one thing wrong.
pub(crate) struct Wrong {
    how: Broken,
    inner: MemoryStore,
    copies: Mutex<HashMap<OnboardingId, Row>>,
    fences: Mutex<HashMap<uuid::Uuid, Fence>>,
    claimed: Mutex<Vec<Lease>>,
}

impl Wrong {
    pub(crate) fn new(how: Broken) -> Self {
        Self {
            how,
            inner: MemoryStore::new(),
            copies: Mutex::default(),
            fences: Mutex::default(),
            claimed: Mutex::default(),
        }
    }

    fn is(&self, how: Broken) -> bool {
        self.how == how
    }

    async fn stored(&self, commit: &Commit) -> Result<Option<Row>, Error> {
        self.inner.load(commit.tenant(), commit.id()).await
    }
}

#[async_trait]
impl Layer for Wrong {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        if !self.is(Broken::CreatesTwice) {
            return self.inner.create(new).await;
        }
        let absent = self.inner.find(new.row.state.key()).await?.is_none();
        yield_now().await;
        let mut created = self.inner.create(new).await?;
        created.fresh = absent;
        Ok(created)
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        let copy = self.copies.lock().unwrap().get(&id).cloned();
        match copy {
            Some(copy) if self.is(Broken::ReadsCopy) => Ok(Some(copy)),
            _ => self.inner.load(tenant, id).await,
        }
    }

    async fn commit(&self, mut commit: Commit) -> Result<CommitOutcome, Error> {
        match self.how {
            Broken::CommandForgotten => commit.entry.command = CommandId::fresh(),
            Broken::FenceIgnored => commit.fence = None,
            Broken::TornWrite => commit.facts.truncate(0),
            Broken::LostUpdate => {
                if let Some(row) = self.stored(&commit).await? {
                    commit.expected = row.state.revision();
                }
            }
            Broken::LooksFirst => {
                let row = self.stored(&commit).await?;
                let fits = row.is_some_and(|row| row.state.revision() == commit.expected);
                yield_now().await;
                if let Some(row) = self.stored(&commit).await?.filter(|_| fits) {
                    commit.expected = row.state.revision();
                }
            }
            _ => {}
        }
        let after = commit.row.clone();
        let outcome = self.inner.commit(commit).await?;
        if outcome == CommitOutcome::Committed && self.is(Broken::ReadsCopy) {
            yield_now().await;
            self.copies.lock().unwrap().insert(after.state.id(), after);
        }
        Ok(match outcome {
            CommitOutcome::Conflict { .. } if self.is(Broken::SwallowedConflict) => {
                CommitOutcome::Committed
            }
            other => other,
        })
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        let mut request = request.clone();
        if self.is(Broken::LeaseOfNoTime) {
            request.lease = Duration::ZERO;
        }
        let claimed = self.inner.claim(&request).await?;
        if !self.is(Broken::ClaimsTogether) {
            return Ok(claimed);
        }
        let mine = |lease: &&Lease| lease.flow == request.flow;
        if claimed.is_empty() {
            let others = self.claimed.lock().unwrap();
            return Ok(others.iter().filter(mine).cloned().collect());
        }
        self.claimed.lock().unwrap().extend(claimed.clone());
        yield_now().await;
        self.claimed.lock().unwrap().retain(|lease| !mine(&lease));
        Ok(claimed)
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        let taken = self.inner.take_outbox(max, hidden).await?;
        let mut fences = self.fences.lock().unwrap();
        fences.extend(taken.iter().map(|taken| (taken.message.id, taken.fence)));
        Ok(taken)
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        let mut settled = settled.to_vec();
        for (delivery, _) in &mut settled {
            let newest = self
                .fences
                .lock()
                .unwrap()
                .get(&delivery.message.id)
                .copied();
            if let Some(fence) = newest.filter(|_| self.is(Broken::SettledByAnybody)) {
                delivery.fence = fence;
            }
        }
        self.inner.settle_outbox(&settled).await
    }
}
