//! A store that is another one with something changed: slow, broken, counted.

use std::time::Duration;

use async_trait::async_trait;

use crate::id::{CommandId, FlowName, Key, OnboardingId, Revision, SubjectId, TenantId};
use crate::store::{
    ClaimRequest, Commit, CommitOutcome, Created, DeadLetter, Delivery, Error, FactRecord, Hints,
    JournalEntry, Lease, Listed, NewOnboarding, OutboxLag, Row, ScanRequest, Scanned, Settlement,
    StepProgress, Store, TenantRequest,
};

/// What is changed about a store: whatever is not given here is the inner store's. In [`Layered`] it
/// is a store itself, so that a host can test what it does when its store misbehaves.
///
/// ```
/// use async_trait::async_trait;
/// use onramp::store::{Commit, CommitOutcome, Error, ErrorKind, MemoryStore, Store};
/// use onramp::testing::{Layer, Layered};
///
/// /// Nothing can be written any more.
/// struct Full(MemoryStore);
///
/// #[async_trait]
/// impl Layer for Full {
///     fn inner(&self) -> &dyn Store {
///         &self.0
///     }
///
///     async fn commit(&self, _: Commit) -> Result<CommitOutcome, Error> {
///         Err(Error::new(ErrorKind::Unavailable, "the disk is full"))
///     }
/// }
///
/// let store = Layered(Full(MemoryStore::new()));
/// # let _: &dyn Store = &store;
/// ```
#[async_trait]
pub trait Layer: Send + Sync + 'static {
    /// The store below.
    fn inner(&self) -> &dyn Store;

    /// As [`Store::create`].
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.inner().create(new).await
    }

    /// As [`Store::load`].
    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        self.inner().load(tenant, id).await
    }

    /// As [`Store::find`].
    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        self.inner().find(key).await
    }

    /// As [`Store::commit`].
    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.inner().commit(commit).await
    }

    /// As [`Store::committed`].
    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        self.inner().committed(tenant, id, command).await
    }

    /// As [`Store::of_subject`].
    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        self.inner().of_subject(tenant, subject).await
    }

    /// As [`Store::of_tenant`].
    async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error> {
        self.inner().of_tenant(request).await
    }

    /// As [`Store::list`].
    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.inner().list(after, limit).await
    }

    /// As [`Store::scan`].
    async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error> {
        self.inner().scan(request).await
    }

    /// As [`Store::delete`].
    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        self.inner().delete(these).await
    }

    /// As [`Store::facts`].
    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        self.inner().facts(tenant, id).await
    }

    /// As [`Store::journal`].
    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        self.inner().journal(tenant, id, after, limit).await
    }

    /// As [`Store::claim`].
    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.inner().claim(request).await
    }

    /// As [`Store::renew`].
    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        self.inner().renew(leases, lease).await
    }

    /// As [`Store::release`].
    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        self.inner().release(lease, after).await
    }

    /// As [`Store::park`].
    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        self.inner().park(lease, at, rest).await
    }

    /// As [`Store::report`].
    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        self.inner().report(lease, progress).await
    }

    /// As [`Store::progress`].
    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        self.inner().progress(tenant, id).await
    }

    /// As [`Store::next_due`].
    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        self.inner().next_due(flows).await
    }

    /// As [`Store::hints`].
    fn hints(&self) -> Hints {
        self.inner().hints()
    }

    /// As [`Store::take_outbox`].
    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        self.inner().take_outbox(max, hidden).await
    }

    /// As [`Store::settle_outbox`].
    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        self.inner().settle_outbox(settled).await
    }

    /// As [`Store::next_outbox`].
    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        self.inner().next_outbox().await
    }

    /// As [`Store::dead_outbox`].
    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.inner().dead_outbox(limit).await
    }

    /// As [`Store::revive_outbox`].
    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
        self.inner().revive_outbox(message).await
    }

    /// As [`Store::outbox_lag`].
    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        self.inner().outbox_lag().await
    }
}

/// A [`Layer`] as a store.
///
/// ```
/// # use onramp::testing::{Layer, Layered};
/// fn changed<L: Layer>(layer: L) -> Layered<L> {
///     Layered(layer)
/// }
/// ```
#[derive(Debug)]
pub struct Layered<L>(pub L);

#[async_trait]
impl<L: Layer> Store for Layered<L> {
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        self.0.create(new).await
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        self.0.load(tenant, id).await
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        self.0.find(key).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        self.0.commit(commit).await
    }

    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        self.0.committed(tenant, id, command).await
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        self.0.of_subject(tenant, subject).await
    }

    async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error> {
        self.0.of_tenant(request).await
    }

    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.0.list(after, limit).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error> {
        self.0.scan(request).await
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        self.0.delete(these).await
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        self.0.facts(tenant, id).await
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        self.0.journal(tenant, id, after, limit).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        self.0.claim(request).await
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        self.0.renew(leases, lease).await
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        self.0.release(lease, after).await
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        self.0.park(lease, at, rest).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        self.0.report(lease, progress).await
    }

    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        self.0.progress(tenant, id).await
    }

    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        self.0.next_due(flows).await
    }

    fn hints(&self) -> Hints {
        self.0.hints()
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        self.0.take_outbox(max, hidden).await
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        self.0.settle_outbox(settled).await
    }

    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        self.0.next_outbox().await
    }

    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.0.dead_outbox(limit).await
    }

    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
        self.0.revive_outbox(message).await
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        self.0.outbox_lag().await
    }
}
