//! A store in which something is committed between a look at the journal and the look at the row.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Created, DeadLetter, Delivery, Error, FactRecord, Hints,
    JournalEntry, Lease, Listed, NewOnboarding, OutboxLag, Row, Settlement, StepProgress,
};
use onramp::{CommandId, FlowName, Key, Revision};
use tokio::sync::Mutex;

/// What is done once, after a look at the journal that found nothing new.
type Late = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Between {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) late: Mutex<Option<Late>>,
}

#[async_trait]
impl Store for Between {
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.inner.create(new).await
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        self.inner.load(tenant, id).await
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        self.inner.find(key).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.inner.commit(commit).await
    }

    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        self.inner.committed(tenant, id, command).await
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        self.inner.of_subject(tenant, subject).await
    }

    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.inner.list(after, limit).await
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        self.inner.delete(these).await
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        self.inner.facts(tenant, id).await
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let read = self.inner.journal(tenant, id, after, limit).await?;
        if read.is_empty()
            && let Some(late) = self.late.lock().await.take()
        {
            late.await;
        }
        Ok(read)
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.inner.claim(request).await
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        self.inner.renew(leases, lease).await
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        self.inner.release(lease, after).await
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        self.inner.park(lease, at, rest).await
    }

    async fn next_due(&self, flow: &FlowName) -> Result<Option<Duration>, Error> {
        self.inner.next_due(flow).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        self.inner.report(lease, progress).await
    }

    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        self.inner.progress(tenant, id).await
    }

    fn hints(&self) -> Hints {
        self.inner.hints()
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        self.inner.take_outbox(max, hidden).await
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        self.inner.settle_outbox(settled).await
    }

    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        self.inner.next_outbox().await
    }

    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.inner.dead_outbox(limit).await
    }

    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
        self.inner.revive_outbox(message).await
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        self.inner.outbox_lag().await
    }
}
