//! One store over several: what processes on several nodes are together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Created, DeadLetter, Delivery, Error, FactRecord, Hints,
    JournalEntry, Lease, Listed, NewOnboarding, OutboxLag, Row, Settlement, StepProgress,
};
use onramp::{CommandId, FlowName, Key, Revision};

/// Sends each call to the next one of its stores.
pub(crate) struct Spread {
    stores: Vec<Arc<dyn Store>>,
    calls: AtomicUsize,
}

impl Spread {
    pub(crate) fn over(stores: Vec<Arc<dyn Store>>) -> Self {
        let calls = AtomicUsize::new(0);
        Self { stores, calls }
    }

    fn next(&self) -> &dyn Store {
        let call = self.calls.fetch_add(1, Relaxed);
        &*self.stores[call % self.stores.len()]
    }
}

#[async_trait]
impl Store for Spread {
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.next().create(new).await
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        self.next().load(tenant, id).await
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        self.next().find(key).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.next().commit(commit).await
    }

    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        self.next().committed(tenant, id, command).await
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        self.next().of_subject(tenant, subject).await
    }

    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.next().list(after, limit).await
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        self.next().delete(these).await
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        self.next().facts(tenant, id).await
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        self.next().journal(tenant, id, after, limit).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.next().claim(request).await
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        self.next().renew(leases, lease).await
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        self.next().release(lease, after).await
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        self.next().park(lease, at, rest).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        self.next().report(lease, progress).await
    }

    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        self.next().progress(tenant, id).await
    }

    async fn next_due(&self, flow: &FlowName) -> Result<Option<Duration>, Error> {
        self.next().next_due(flow).await
    }

    fn hints(&self) -> Hints {
        self.next().hints()
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        self.next().take_outbox(max, hidden).await
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        self.next().settle_outbox(settled).await
    }

    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        self.next().next_outbox().await
    }

    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.next().dead_outbox(limit).await
    }

    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
        self.next().revive_outbox(message).await
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        self.next().outbox_lag().await
    }
}
