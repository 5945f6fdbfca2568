//! The one body of all SQL stores.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::task::AbortOnDropHandle;

use crate::id::{CommandId, FlowName, Key, OnboardingId, Revision, SubjectId, TenantId};
use crate::store::claim::ClaimRequest;
use crate::store::contract::Store;
use crate::store::delivery::{DeadLetter, Delivery, OutboxLag, Settlement};
use crate::store::error::Error;
use crate::store::hints::Hints;
use crate::store::limits::check_flow;
use crate::store::record::{
    Commit, CommitOutcome, Created, FactRecord, JournalEntry, Lease, Listed, NewOnboarding, Row,
    StepProgress,
};
use crate::store::scan::{ScanRequest, Scanned};
use crate::store::sql::claim::{ClaimStrategy, Recall};
use crate::store::sql::delete::Delete;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::group::{Lanes, Member, Written};
use crate::store::sql::lookup::{Lookups, Wanted};
use crate::store::sql::migrate;
use crate::store::sql::names::Names;
use crate::store::sql::outbox::{Dead, Lag, NextDue, Revive, Settle, Take};
use crate::store::sql::queue::{Park, Release, Renew, Report};
use crate::store::sql::read::{
    Committed, Facts, Find, Journal, List, Load, OfSubject, OfTenant, Progress, Scan,
};
use crate::store::sql::transact::{self, Work};
use crate::store::tenant::TenantRequest;

/// A store on an SQL database. Used as `SqliteStore`.
///
/// A clone is another handle of the same store.
///
/// # Cancel safety
/// Every call runs in a task of its own on the current Tokio runtime: when its future is dropped
/// the call goes on to its end.
///
/// ```
/// use onramp::store::sql::{Dialect, SqlStore};
/// fn keep<D: Dialect>(store: &SqlStore<D>) -> SqlStore<D> {
///     store.clone()
/// }
/// ```
pub struct SqlStore<D: Dialect> {
    pub(super) writers: sqlx::Pool<D::Db>,
    pub(super) readers: sqlx::Pool<D::Db>,
    pub(super) names: &'static Names,
    pub(super) lanes: Arc<Lanes<D>>,
    pub(super) lookups: Arc<Lookups<D>>,
    pub(super) strategy: ClaimStrategy,
    pub(super) recall: Arc<Recall>,
    pub(super) hints: Hints,
    /// What goes on beside the calls, for as long as any handle is there.
    pub(super) beside: Option<Arc<AbortOnDropHandle<()>>>,
}

impl<D: Dialect> SqlStore<D> {
    /// The version of the schema that this program reads and writes.
    ///
    /// ```
    /// assert!(onramp::store::SqliteStore::schema_version() >= 1);
    /// ```
    #[must_use]
    pub fn schema_version() -> u32 {
        u32::try_from(D::MIGRATIONS.len()).unwrap_or(u32::MAX)
    }

    /// The store on these pools. Lanes have connections of their own, or share the writers'.
    pub(super) fn on(
        lanes: Option<sqlx::Pool<D::Db>>,
        writers: sqlx::Pool<D::Db>,
        readers: sqlx::Pool<D::Db>,
        names: &'static Names,
    ) -> Self {
        Self {
            lanes: Lanes::new(lanes, writers.clone(), names),
            lookups: Lookups::new(readers.clone(), names),
            writers,
            readers,
            names,
            strategy: ClaimStrategy::default(),
            recall: Arc::default(),
            hints: Hints::default(),
            beside: None,
        }
    }

    /// The store on these pools, with its schema brought up to date, or checked.
    pub(super) async fn opened(
        lanes: Option<sqlx::Pool<D::Db>>,
        writers: sqlx::Pool<D::Db>,
        readers: sqlx::Pool<D::Db>,
        names: &'static Names,
        migrates: bool,
    ) -> Result<Self, Error> {
        let store = Self::on(lanes, writers, readers, names);
        let ready = if migrates {
            migrate::migrate::<D>(&store.writers, names).await
        } else {
            migrate::check::<D>(&store.writers, names).await
        };
        match ready {
            Ok(()) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    pub(super) async fn read<W: Work<D>>(&self, work: W) -> Result<W::Out, Error> {
        transact::read::<D, W>(&self.readers, &self.names.statements, work).await
    }

    /// The same for one statement, which is a transaction of its own.
    pub(super) async fn state<W: Work<D>>(&self, work: W) -> Result<W::Out, Error> {
        transact::state::<D, W>(&self.writers, &self.names.statements, work).await
    }

    pub(super) async fn write<W: Work<D>>(&self, work: W) -> Result<W::Out, Error> {
        transact::write::<D, W>(&self.writers, &self.names.statements, work).await
    }

    /// What the store has written for creations and commits since it was opened.
    ///
    /// ```no_run
    /// # fn show(store: &onramp::store::SqliteStore) {
    /// let written = store.written();
    /// println!("{} commits in {} transactions", written.members, written.transactions);
    /// # }
    /// ```
    #[must_use]
    pub fn written(&self) -> Written {
        self.lanes.written()
    }

    /// Closes the store, after the calls that are under way. Later calls fail as `Unavailable`.
    pub async fn close(&self) {
        let (writers, readers) = (self.writers.clone(), self.readers.clone());
        let lanes = Arc::clone(&self.lanes);
        if let Some(beside) = &self.beside {
            beside.abort();
        }
        // In a box, so that the compiler sees that it may move between threads.
        let closing: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            lanes.close().await;
            writers.close().await;
            readers.close().await;
        });
        closing.await;
    }
}

impl<D: Dialect> Clone for SqlStore<D> {
    fn clone(&self) -> Self {
        Self {
            writers: self.writers.clone(),
            readers: self.readers.clone(),
            names: self.names,
            lanes: Arc::clone(&self.lanes),
            lookups: Arc::clone(&self.lookups),
            strategy: self.strategy,
            recall: Arc::clone(&self.recall),
            hints: self.hints.clone(),
            beside: self.beside.clone(),
        }
    }
}

impl<D: Dialect> fmt::Debug for SqlStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("dialect", &D::NAME)
            .field("closed", &self.writers.is_closed())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<D: Dialect> Store for SqlStore<D> {
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        new.check()?;
        let queue = new.queue();
        let created = self.lanes.store(Member::create(new)).await?.created()?;
        if created.fresh {
            self.hints.committed(created.row.state.id(), queue);
        }
        Ok(created)
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        let tenant = tenant.clone();
        self.lookups
            .look_up(Wanted::Load(Load { tenant, id }))
            .await
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        check_flow(&key.flow)?;
        self.lookups.look_up(Wanted::Find(Find(key.clone()))).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        commit.check()?;
        let (id, queue) = (commit.id(), commit.queue);
        let outcome = self.lanes.store(Member::commit(commit)).await?.commit()?;
        if outcome == CommitOutcome::Committed {
            self.hints.committed(id, queue);
        }
        Ok(outcome)
    }

    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        let tenant = tenant.clone();
        let committed = Committed {
            tenant,
            id,
            command,
        };
        self.read(committed).await
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        let (tenant, subject) = (tenant.clone(), subject.clone());
        self.read(OfSubject { tenant, subject }).await
    }

    async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error> {
        request.check()?;
        self.read(OfTenant(request.clone())).await
    }

    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.read(List { after, limit }).await
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error> {
        request.check()?;
        self.read(Scan(request.clone())).await
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        let mut these = these.to_vec();
        // Everybody in one order, so that two who delete the same do not wait for each other.
        these.sort_by_key(|listed| listed.id);
        self.write(Delete(these)).await
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        let tenant = tenant.clone();
        self.read(Facts { tenant, id }).await
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let tenant = tenant.clone();
        let journal = Journal {
            tenant,
            id,
            after,
            limit,
        };
        self.read(journal).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        request.check()?;
        self.claimed(request).await
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        let leases = leases.to_vec();
        self.write(Renew { leases, lease }).await
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        let lease = lease.clone();
        self.write(Release { lease, after }).await
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        let lease = lease.clone();
        self.write(Park { lease, at, rest }).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        let (lease, progress) = (lease.clone(), progress.clone());
        self.write(Report { lease, progress }).await
    }

    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        let tenant = tenant.clone();
        self.read(Progress { tenant, id }).await
    }

    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        flows.iter().try_for_each(check_flow)?;
        self.due_in(flows).await
    }

    fn hints(&self) -> Hints {
        self.hints.clone()
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        self.write(Take { max, hidden }).await
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        for (_, settlement) in settled {
            settlement.check()?;
        }
        let mut settled = settled.to_vec();
        // Everybody in one order, so that two who settle the same do not wait for each other.
        settled.sort_by_key(|(delivery, _)| delivery.message.onboarding);
        self.write(Settle(settled)).await
    }

    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        self.read(NextDue).await
    }

    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.read(Dead(limit)).await
    }

    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
        self.write(Revive(message)).await
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        self.read(Lag).await
    }
}
