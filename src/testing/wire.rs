//! A store in memory behind a connection that breaks where the script says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::id::{CommandId, FlowName, Key, OnboardingId, Revision, SubjectId, TenantId};
use crate::lifecycle::{Digest, Happened, fold};
use crate::store::{
    ClaimRequest, Commit, CommitOutcome, Created, DeadLetter, Delivery, Error, FactRecord, Hints,
    JournalEntry, Lease, Listed, MemoryStore, NewOnboarding, OutboxLag, Row, Settlement,
    StepProgress, Store, entry,
};
use crate::testing::clock::VirtualClock;
use crate::testing::point::Point;
use crate::testing::script::Script;

/// The store of a [`World`](super::World).
pub(super) struct Wire {
    inner: MemoryStore,
    script: Arc<Script>,
    seed: u64,
    created: Mutex<BTreeMap<Key, u32>>,
}

impl Wire {
    pub(super) fn new(clock: VirtualClock, script: Arc<Script>, seed: u64) -> Self {
        Self {
            inner: MemoryStore::with_clock(clock),
            script,
            seed,
            created: Mutex::default(),
        }
    }

    /// The same onboarding with an identity that is the same in every run, and so are its effect
    /// keys. One that was deleted and created again gets another one.
    fn identified(&self, new: NewOnboarding) -> Result<NewOnboarding, Error> {
        let key = new.row.state.key().clone();
        let mut created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        let count = created.entry(key.clone()).or_default();
        *count += 1;
        // None of the parts can hold a line break.
        let (tenant, subject) = (&key.tenant, &key.subject);
        let name = format!("{}\n{tenant}\n{}\n{subject}\n{count}", self.seed, key.flow);
        let id = OnboardingId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()));
        let mut events = new.entry.decode()?;
        for event in &mut events {
            if let Happened::Created { id: old, .. } = &mut event.happened {
                *old = id;
            }
        }
        let state = fold([events.as_slice()])
            .ok_or_else(|| Error::corrupt("the journal does not begin with the creation"))?;
        let NewOnboarding { entry: old, .. } = new;
        let entry = entry(
            Digest::ZERO,
            id,
            state.revision(),
            old.command,
            old.by,
            &events,
        )
        .map_err(|error| Error::corrupt("the event does not serialise").because(error))?;
        let head = entry.hash;
        let row = Row { state, head };
        Ok(NewOnboarding { row, entry })
    }
}

fn broken() -> Error {
    Error::in_doubt("the connection broke, because the test wanted it")
}

#[async_trait]
impl Store for Wire {
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        let new = match self.inner.find(new.row.state.key()).await? {
            Some(_) => new,
            None => self.identified(new)?,
        };
        self.inner.create(new).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let workers = commit.fence.is_some();
        match workers
            .then(|| self.script.reports(&commit.entry))
            .flatten()
        {
            Some(Point::InDoubt) => {
                self.inner.commit(commit).await?;
                Err(broken())
            }
            Some(_) => Err(broken()),
            None => self.inner.commit(commit).await,
        }
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        self.inner.load(tenant, id).await
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        self.inner.find(key).await
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
        self.inner.journal(tenant, id, after, limit).await
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

    async fn revive_outbox(&self, message: Uuid) -> Result<bool, Error> {
        self.inner.revive_outbox(message).await
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        self.inner.outbox_lag().await
    }
}
