//! The host's front door: a store, a flow and a clock.

mod begin;
mod bulk;
mod doctor;
mod evolve;
mod gates;
mod insight;
mod order;
mod prefill;
mod reconcile;
mod starts;
mod status;
mod within;

use std::sync::Arc;

use chrono::TimeDelta;

use crate::flow::{Definition, FactError, Facts, Failure, Flow, Step};
#[cfg(feature = "tokio")]
use crate::id::Revision;
use crate::id::{Actor, OnboardingId, SubjectId, TenantId};
use crate::lifecycle::{Change, Loaded, Obstacle, Onboarding, Stage, StageKind, explain};
#[cfg(feature = "tokio")]
use crate::store::Watch;
use crate::store::{
    CommitError, Erasure, Error, InDoubt, Join, Resolution, StepProgress, Store, StoreExt,
    Unverified, Verified, commit_in, enroll_in,
};
use crate::time::{Clock, SystemClock};

pub use begin::NotBegun;
pub use bulk::{Bulk, NotDone};
pub use doctor::{Ailing, Diagnosis};
pub use evolve::{EvolutionPlan, Evolved};
pub use gates::GateReport;
pub use order::{Done, Order};
pub use prefill::Prefilled;
pub use reconcile::{NotReconciled, Reconciliation, Upstream};
pub use starts::StartLimit;
use starts::Starts;

/// The host's front door to one flow: enrol, clear, commit, load. Cheap to clone.
///
/// **Loading never runs anything**: tasks run from the engine alone, so a thousand reloads have no
/// effect.
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// struct Workspace;
/// impl Flow for Workspace {
///     const NAME: &'static str = "workspace";
///     const VERSION: u32 = 1;
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String }
/// impl Step for Company { const NAME: &'static str = "company"; }
/// impl Answer<Workspace> for Company {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let flow = Workspace::steps().ask::<Company>().build()?;
/// let onramp = Onramp::new(MemoryStore::new(), flow);
///
/// let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// let found = onramp.enroll(&tenant, &subject).await?;
/// let pending = found.into_pending().expect("it is new");
///
/// let clearance = onramp.clear(&pending).await?;
/// let running = onramp.commit(pending.start(clearance)).await?;
/// let running = onramp.commit(running.submit(Company { name: "Acme".into() })).await?;
/// let done = onramp.commit(running.complete()).await?;
/// assert_eq!(done.revision().get(), 4);
/// # Ok(()) }
/// ```
pub struct Onramp<F> {
    store: Arc<dyn Store>,
    flow: Definition<F>,
    clock: Arc<dyn Clock>,
    /// Shared by all clones.
    starts: Option<Arc<Starts>>,
}

impl<F: Flow> Onramp<F> {
    /// The front door to a flow whose onboardings are kept in this store.
    pub fn new(store: impl Store, flow: Definition<F>) -> Self {
        Self::shared(Arc::new(store), flow)
    }

    /// The same, on a store that others use too, for instance an engine.
    #[must_use]
    pub fn shared(store: Arc<dyn Store>, flow: Definition<F>) -> Self {
        Self {
            store,
            flow,
            clock: Arc::new(SystemClock),
            starts: None,
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The flow.
    #[must_use]
    pub fn flow(&self) -> &Definition<F> {
        &self.flow
    }

    /// The time, by the host's clock.
    #[cfg(any(feature = "http", feature = "tiers", feature = "import"))]
    pub(crate) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The onboarding of a subject, created if there is none. However many call at once, one is
    /// created and all get it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn enroll(&self, tenant: &TenantId, subject: &SubjectId) -> Result<Loaded<F>, Error> {
        let now = self.clock.now();
        self.store.enroll(&self.flow, tenant, subject, now).await
    }

    /// The onboarding of a subject, if there is one.
    ///
    /// # Errors
    /// Of the store.
    pub async fn open(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Option<Loaded<F>>, Error> {
        self.store.open(tenant, subject).await
    }

    /// Stores a change. The new handle exists only once it is durably stored.
    ///
    /// # Errors
    /// [`CommitError`], in exactly three ways: not applied, conflict, unknown.
    ///
    /// # Cancel safety
    /// When the future is dropped the change is stored or it is not: look it up with
    /// [`Onramp::resolve`] and the token that [`Change::in_doubt`] gave before.
    pub async fn commit<From, To>(
        &self,
        change: Change<F, From, To>,
    ) -> Result<Onboarding<F, To>, CommitError<F, From>>
    where
        From: Stage,
        To: Stage,
    {
        self.stored(change).await
    }

    /// Watches an onboarding: everything that happens to it after a revision, in order, until it is
    /// completed or has failed. From revision 0 everything is told; after a break go on from the last
    /// [`Progress::revision`](crate::store::Progress::revision) that was told.
    ///
    /// Commits of this process are told at once ([`Store::hints`]), those of others within seconds.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// use onramp::Revision;
    /// # async fn show<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, id: OnboardingId, last_event_id: u64,
    /// # ) -> Result<(), onramp::store::Error> {
    /// let mut watch = onramp.watch(tenant, id, Revision::new(last_event_id));
    /// while let Some(progress) = watch.next().await {
    ///     let progress = progress?;
    ///     println!("id: {}", progress.revision);
    /// }
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn watch(&self, tenant: &TenantId, id: OnboardingId, after: Revision) -> Watch {
        let (store, tenant) = (Arc::clone(&self.store), tenant.clone());
        Watch::new(store, tenant, id, after)
    }

    /// Creates the onboarding of a subject, if there is none, in a transaction of the host's: it is
    /// there if and when the host commits. Until then there is no handle; afterwards
    /// [`open`](Self::open) gives it.
    ///
    /// # Errors
    /// Of the store; then roll the transaction back.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn sign_up<F: Flow>(
    /// #     onramp: &Onramp<F>, store: &SqliteStore, pool: &sqlx::SqlitePool,
    /// #     tenant: &TenantId, subject: &SubjectId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    /// sqlx::query("INSERT INTO users (id) VALUES ($1)")
    ///     .bind(subject.as_str())
    ///     .execute(&mut *transaction)
    ///     .await?;
    /// onramp.enroll_in(&mut store.join(&mut transaction), tenant, subject).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn enroll_in(
        &self,
        join: &mut dyn Join,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<OnboardingId, Error> {
        let now = self.clock.now();
        enroll_in::<F>(join, self.flow.plan(), tenant, subject, now).await
    }

    /// Stores a change in a transaction of the host's: it is stored if and when the host commits.
    /// Until then there is no new handle; afterwards [`resolve`](Self::resolve) with the token gives
    /// it, also when the host does not know whether its commit came through.
    ///
    /// # Errors
    /// [`CommitError`]: not applied or conflict. After `Conflict`, or a refusal by the rules, nothing
    /// was written and the transaction can go on; after an error of the store roll it back.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn paid<F: Flow, E: Evidence<F>>(
    /// #     onramp: &Onramp<F>, store: &SqliteStore, pool: &sqlx::SqlitePool,
    /// #     running: Onboarding<F, InProgress>, evidence: E,
    /// # ) -> Result<(), Box<dyn std::error::Error>> where E: 'static, F: 'static {
    /// let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    /// sqlx::query("INSERT INTO payments (subject) VALUES ($1)")
    ///     .bind(running.subject().as_str())
    ///     .execute(&mut *transaction)
    ///     .await?;
    /// let change = running.attest(evidence);
    /// let token = onramp.commit_in(&mut store.join(&mut transaction), change).await?;
    /// transaction.commit().await?;
    /// let _now = onramp.resolve(&token).await?;
    /// # Ok(()) }
    /// ```
    pub async fn commit_in<From, To>(
        &self,
        join: &mut dyn Join,
        change: Change<F, From, To>,
    ) -> Result<InDoubt, CommitError<F, From>>
    where
        From: Stage,
        To: Stage,
    {
        let now = self.clock.now();
        let (change, counted) = self.counted(change, now)?;
        // Whether the host commits is not known here, so none is given back.
        counted.keep();
        commit_in(join, self.flow.plan(), change, now).await
    }

    /// Looks up what became of a commit whose outcome was not known.
    ///
    /// # Errors
    /// Of the store: the outcome is still not known then.
    pub async fn resolve(&self, token: &InDoubt) -> Result<Resolution<F>, Error> {
        self.store.resolve(token).await
    }

    /// Verifies that an onboarding is as its journal says.
    ///
    /// # Errors
    /// [`Unverified`] says what is wrong, and where.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn audit<F: Flow>(
    /// #     onramp: &Onramp<F>, found: &Loaded<F>, tenant: &TenantId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let verified = onramp.verify_journal(tenant, found.id()).await?;
    /// println!("{} entries hold", verified.entries);
    /// # Ok(()) }
    /// ```
    pub async fn verify_journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Verified, Unverified> {
        self.store.verify_journal(tenant, id).await
    }

    /// Erases the facts of every onboarding of a subject that has ended, of whatever flow. Safe to
    /// repeat.
    ///
    /// # Errors
    /// Of the store.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn forget<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, subject: &SubjectId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let erasure = onramp.erase_subject(tenant, subject, &Actor::Operator("ann".into())).await?;
    /// for (id, why) in &erasure.kept {
    ///     println!("{id}: {why}");
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn erase_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
        by: &Actor,
    ) -> Result<Erasure, Error> {
        let now = self.clock.now();
        self.store.erase_subject(tenant, subject, by, now).await
    }

    /// How far the task under way is, if it says so: for a progress bar. It is of the newest attempt
    /// that has said anything, so compare its step with the one that is next.
    ///
    /// # Errors
    /// Of the store.
    pub async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        self.store.progress(tenant, id).await
    }

    /// Everything that stands between an onboarding and its completion: facts, waits, failures, and
    /// closed gates before the start. Nothing does when it is completed; `None` when there is no such
    /// onboarding in the tenant.
    ///
    /// # Errors
    /// Of the store.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn support<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, id: OnboardingId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// for obstacle in onramp.explain(tenant, id).await?.unwrap_or_default() {
    ///     println!("{obstacle}");
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn explain(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<Vec<Obstacle>>, Error> {
        let Some(row) = self.store.load(tenant, id).await? else {
            return Ok(None);
        };
        let mut obstacles = Vec::new();
        let now = self.clock.now();
        if row.state.stage() == StageKind::Pending {
            let wait = self.until_start(tenant);
            let until =
                wait.and_then(|wait| now.checked_add_signed(TimeDelta::from_std(wait).ok()?));
            obstacles.extend(until.map(Obstacle::too_many_starts));
            let subject = &row.state.key().subject;
            for report in self.check_gates(tenant, subject).await {
                let closed = report.result.err();
                obstacles.extend(closed.map(|why| Obstacle::gate(Failure::from(why.problem()))));
            }
        }
        obstacles.extend(explain(&row.state, self.flow.plan(), now));
        Ok(Some(obstacles))
    }

    /// The facts of an onboarding.
    ///
    /// # Errors
    /// Of the store.
    pub async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Facts, Error> {
        self.store.known_facts(tenant, id).await
    }

    /// One typed fact of an onboarding, or `None` when its step has none.
    ///
    /// # Errors
    /// Of the store; of kind `Corrupt` when the fact does not decode.
    pub async fn fact<T: Step>(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<T>, Error> {
        let facts = self.facts(tenant, id).await?;
        let corrupt = |error: FactError| Error::corrupt(error.to_string()).because(error);
        facts.get::<T>().map_err(corrupt)
    }
}

impl<F> Clone for Onramp<F> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            flow: self.flow.clone(),
            clock: Arc::clone(&self.clock),
            starts: self.starts.clone(),
        }
    }
}

impl<F> std::fmt::Debug for Onramp<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Onramp")
            .field("flow", &self.flow.plan().flow())
            .finish_non_exhaustive()
    }
}
