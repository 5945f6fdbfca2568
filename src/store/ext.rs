//! The typed face of every store: enrol, load, commit, resolve.

use chrono::{DateTime, Utc};

use crate::flow::{Definition, Facts, Flow, Plan, slot};
use crate::id::{Actor, CommandId, FlowName, Key, OnboardingId, SubjectId, TenantId};
use crate::lifecycle::{Action, Change, Command, Loaded, Onboarding, Stage};
use crate::status::Status;
use crate::store::audit::{self, Unverified, Verified};
use crate::store::commit_error::{
    CommitError, Conflict, InDoubt, NotApplied, NotAppliedBecause, Unknown,
};
use crate::store::contract::Store;
use crate::store::error::{Error, ErrorKind};
use crate::store::prepare::{
    Prepared, Proposal, Refused, prepare, prepare_beginning, prepare_creation,
};
use crate::store::realise::realise;
use crate::store::record::{CommitOutcome, Created, Row};
use crate::store::replay::{Before, Wish};
use crate::store::retention::{self, Purged, Retention};
use crate::store::subject::{self, Erasure, SubjectExport};

/// What became of a commit whose outcome was not known.
///
/// ```
/// # use onramp::prelude::*;
/// fn say<F: Flow>(found: &Resolution<F>) -> &'static str {
///     match found {
///         Resolution::Committed(_) => "it was stored",
///         Resolution::NotCommitted(_) => "it was not stored",
///     }
/// }
/// ```
#[must_use = "it tells whether the change was stored"]
pub enum Resolution<F> {
    /// It was stored. The onboarding as it is now.
    Committed(Loaded<F>),
    /// It was not stored when it was looked up. The onboarding as it is now.
    NotCommitted(Loaded<F>),
}

/// What users of a store call; every [`Store`] has it, also behind `dyn`.
///
/// [`Onramp`](crate::Onramp) is the same with the flow and the clock filled in.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::{Clock, SystemClock};
/// # async fn enroll<F: Flow>(
/// #     store: &dyn Store, flow: &Definition<F>, tenant: TenantId, subject: SubjectId,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let found: Loaded<F> = store.enroll(flow, &tenant, &subject, SystemClock.now()).await?;
/// # Ok(()) }
/// ```
pub trait StoreExt: Store {
    /// The onboarding of a subject, created if there is none.
    ///
    /// # Errors
    /// Of the store.
    fn enroll<F: Flow>(
        &self,
        flow: &Definition<F>,
        tenant: &TenantId,
        subject: &SubjectId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Loaded<F>, Error>> + Send {
        async move {
            let key = key::<F>(tenant, subject);
            if let Some(row) = self.find(&key).await? {
                return Ok(loaded(row));
            }
            let (id, command) = (OnboardingId::fresh_at(now), CommandId::fresh());
            let new = prepare_creation(id, key, flow.plan(), command, now)?;
            Ok(loaded(self.create(new).await?.row))
        }
    }

    /// The onboarding of a subject, if there is one. Runs nothing.
    ///
    /// # Errors
    /// Of the store.
    fn open<F: Flow>(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> impl Future<Output = Result<Option<Loaded<F>>, Error>> + Send {
        async move {
            let row = self.find(&key::<F>(tenant, subject)).await?;
            Ok(row.map(|row| loaded(row)))
        }
    }

    /// Where a subject is in the flow of a plan; `None` when it was never enrolled. One query, and it runs
    /// nothing. For whoever has the store and no [`Onramp`](crate::Onramp): a page, a tool, a job.
    ///
    /// # Errors
    /// Of the store: then it is not known where the subject is, which is not the same as "not completed".
    ///
    /// ```
    /// use onramp::prelude::*;
    /// use onramp::{Clock, SystemClock};
    /// # use serde::{Deserialize, Serialize};
    /// # struct Workspace;
    /// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
    /// # #[derive(Serialize, Deserialize)] struct Company;
    /// # impl Step for Company { const NAME: &'static str = "company"; }
    /// # impl Answer<Workspace> for Company {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let flow = Workspace::steps().ask::<Company>().build()?;
    /// let store = MemoryStore::new();
    /// let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
    ///
    /// let now = SystemClock.now();
    /// assert!(store.status(flow.plan(), &tenant, &subject, now).await?.is_none());
    /// let _ = store.enroll(&flow, &tenant, &subject, now).await?;
    /// let status = store.status(flow.plan(), &tenant, &subject, now).await?;
    /// assert_eq!(status.expect("it is there").percent, 0);
    /// # Ok(()) }
    /// ```
    fn status(
        &self,
        plan: &Plan,
        tenant: &TenantId,
        subject: &SubjectId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<Status>, Error>> + Send {
        async move {
            let key = Key {
                tenant: tenant.clone(),
                flow: plan.flow().clone(),
                subject: subject.clone(),
            };
            let found = self.find(&key).await?;
            Ok(found.map(|row| Status::of(&row.state, plan, now)))
        }
    }

    /// Stores a change. The new handle exists only once it is durably stored.
    ///
    /// # Errors
    /// [`CommitError`], in exactly three ways.
    ///
    /// # Cancel safety
    /// When the future is dropped the change is stored or it is not: look it up by the token that
    /// [`Change::in_doubt`] gave before.
    fn commit_change<F: Flow, From, To: Stage>(
        &self,
        flow: &Definition<F>,
        change: Change<F, From, To>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Onboarding<F, To>, CommitError<F, From>>> + Send
    where
        From: Stage,
    {
        async move { commit_change(self, flow.plan(), change, now).await }
    }

    /// Looks up what became of a commit whose outcome was not known.
    ///
    /// # Errors
    /// Of the store: the outcome is still not known then.
    fn resolve<F: Flow>(
        &self,
        token: &InDoubt,
    ) -> impl Future<Output = Result<Resolution<F>, Error>> + Send {
        async move {
            let tenant = &token.key.tenant;
            let stored = self.committed(tenant, token.id, token.command).await?;
            let current = load_existing(self, tenant, token.id).await?;
            let current = loaded(current);
            Ok(match stored {
                Some(_) => Resolution::Committed(current),
                None => Resolution::NotCommitted(current),
            })
        }
    }

    /// Verifies that an onboarding is as its journal says: the hash chain is whole, the stored state is
    /// what the events add up to, and every fact is the one that was committed to. Reads all of it.
    ///
    /// # Errors
    /// [`Unverified`] says what is wrong, and where.
    fn verify_journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> impl Future<Output = Result<Verified, Unverified>> + Send {
        async move { audit::verify_journal(self, tenant, id).await }
    }

    /// Erases the facts of every onboarding of a subject that has ended, of whatever flow. Safe to
    /// repeat.
    ///
    /// The journals stay, and still verify. Onboardings that go on are kept, and named: cancel them,
    /// and repeat when they have ended.
    ///
    /// # Errors
    /// Of the store; those before it are erased then.
    fn erase_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
        by: &Actor,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Erasure, Error>> + Send {
        async move { subject::erase(self, tenant, subject, by, now).await }
    }

    /// Everything that is stored of a subject, in clear.
    ///
    /// # Errors
    /// Of the store.
    fn export_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> impl Future<Output = Result<SubjectExport, Error>> + Send {
        async move { subject::export(self, tenant, subject).await }
    }

    /// Deletes onboardings that ended long ago, of all tenants: in batches, each a transaction of its
    /// own, so that nobody waits for long. Safe to repeat, and to run more than once at a time.
    ///
    /// # Errors
    /// Of the store; what was deleted before it stays deleted.
    ///
    /// # Cancel safety
    /// When the future is dropped some are deleted and some are not, each of them wholly.
    ///
    /// ```
    /// # use chrono::TimeDelta;
    /// # use onramp::prelude::*;
    /// # use onramp::store::Retention;
    /// # use onramp::{Clock, SystemClock};
    /// # async fn nightly(store: &dyn Store) -> Result<(), Box<dyn std::error::Error>> {
    /// let year = SystemClock.now() - TimeDelta::days(365);
    /// let purged = store.purge(&Retention::ended_before(year)).await?;
    /// println!("{} forgotten", purged.deleted);
    /// # Ok(()) }
    /// ```
    fn purge(&self, retention: &Retention) -> impl Future<Output = Result<Purged, Error>> + Send {
        async move { retention::purge(self, retention).await }
    }

    /// The facts of an onboarding that its tasks would see.
    ///
    /// # Errors
    /// Of the store.
    fn known_facts(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> impl Future<Output = Result<Facts, Error>> + Send {
        async move {
            let records = self.facts(tenant, id).await?;
            let facts = records.into_iter().map(|record| record.fact);
            Ok(facts.filter(|fact| !slot::is_slot(fact.step())).collect())
        }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

/// Creates an onboarding that starts at once, or gives the one that exists. Its gates were checked.
pub(crate) async fn begin<S: Store + ?Sized>(
    store: &S,
    plan: &Plan,
    key: Key,
    by: &(Actor, CommandId),
    now: DateTime<Utc>,
) -> Result<Created, Refused> {
    let beginning = prepare_beginning(OnboardingId::fresh_at(now), key, plan, by, now)?;
    let created = store.create(beginning.new).await?;
    #[cfg(feature = "metrics")]
    if created.fresh {
        crate::measure::stored(plan.flow(), &beginning.events);
    }
    Ok(created)
}

pub(crate) fn key<F: Flow>(tenant: &TenantId, subject: &SubjectId) -> Key {
    Key {
        tenant: tenant.clone(),
        flow: FlowName::from_static(F::NAME),
        subject: subject.clone(),
    }
}

async fn load_existing<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Row, Error> {
    let row = store.load(tenant, id).await?;
    row.ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("onboarding {id} is gone")))
}

pub(crate) fn loaded<F: Flow>(row: Row) -> Loaded<F> {
    Loaded::from_stored(row.state, row.head)
}

async fn commit_change<S, F, From, To>(
    store: &S,
    plan: &Plan,
    change: Change<F, From, To>,
    now: DateTime<Utc>,
) -> Result<Onboarding<F, To>, CommitError<F, From>>
where
    S: Store + ?Sized,
    F: Flow,
    From: Stage,
    To: Stage,
{
    let token = change.in_doubt();
    let wish = change
        .identified
        .then(|| Wish::of(change.id, &change.intent));
    let (before, prepared) = match drafted(plan, change, now) {
        Ok((before, Some(prepared))) => (before, prepared),
        // What is wished holds already.
        Ok((before, None)) => return reached(before),
        Err(CommitError::NotApplied(not)) => {
            // The rules refuse today what they took when it was wished first.
            return match wish {
                Some(wish) if matches!(not.because, NotAppliedBecause::Rejected(_)) => {
                    repeated(store, &token, &wish, not).await
                }
                _ => Err(CommitError::NotApplied(not)),
            };
        }
        Err(other) => return Err(other),
    };
    let after = prepared.commit.row.clone();
    match store.commit(prepared.commit).await {
        Ok(CommitOutcome::Committed) => {
            #[cfg(feature = "metrics")]
            crate::measure::stored(&after.state.key().flow, &prepared.events);
            reached(after)
        }
        Ok(CommitOutcome::Replayed { current, .. }) => match wish {
            None => reached(*current),
            Some(wish) => match wish.before(store, &token.key.tenant, token.id).await {
                Ok(Before::Other) => Err(not_applied(before, NotAppliedBecause::IdentityReused)),
                Ok(Before::Same(_) | Before::Never) => reached(*current),
                Err(error) => Err(not_applied(before, NotAppliedBecause::Store(error))),
            },
        },
        Ok(CommitOutcome::Conflict { current }) => Err(conflict(*current)),
        Ok(CommitOutcome::Taken { step }) => {
            Err(not_applied(before, NotAppliedBecause::Taken { step }))
        }
        Ok(CommitOutcome::Fenced | CommitOutcome::Absent) => {
            let gone = Error::new(
                ErrorKind::Corrupt,
                format!("onboarding {} is gone", token.id),
            );
            Err(not_applied(before, NotAppliedBecause::Store(gone)))
        }
        Err(cause) if cause.kind() == ErrorKind::InDoubt => {
            // One look: it often is stored, and then nobody needs to know of the doubt. When it is
            // not found it may still be on its way, so that proves nothing.
            let tenant = &token.key.tenant;
            let stored = store.committed(tenant, token.id, token.command).await;
            if let Ok(Some(_)) = stored
                && let Ok(current) = load_existing(store, tenant, token.id).await
            {
                return reached(current);
            }
            Err(CommitError::Unknown(Box::new(Unknown { token, cause })))
        }
        Err(error) => Err(not_applied(before, NotAppliedBecause::Store(error))),
    }
}

/// What was refused, unless it is a repetition of what was done before.
async fn repeated<S, F, From, To>(
    store: &S,
    token: &InDoubt,
    wish: &Wish,
    mut not: Box<NotApplied<F, From>>,
) -> Result<Onboarding<F, To>, CommitError<F, From>>
where
    S: Store + ?Sized,
    F: Flow,
    From: Stage,
    To: Stage,
{
    match wish.before(store, &token.key.tenant, token.id).await {
        Ok(Before::Same(current)) => return reached(*current),
        Ok(Before::Other) => not.because = NotAppliedBecause::IdentityReused,
        Ok(Before::Never) => {}
        Err(error) => not.because = NotAppliedBecause::Store(error),
    }
    Err(CommitError::NotApplied(not))
}

/// The row that a change was made on, and the commit; none when what is wished holds already.
pub(super) fn drafted<F: Flow, From: Stage, To>(
    plan: &Plan,
    change: Change<F, From, To>,
    now: DateTime<Utc>,
) -> Result<(Row, Option<Prepared>), CommitError<F, From>> {
    let command = change.command_id();
    let Change {
        before,
        by,
        intent,
        completes,
        ..
    } = change;
    let (state, head) = before.into_stored();
    let before = Row { state, head };
    let (action, facts) = match realise(intent, &by, now) {
        Ok(realised) => realised,
        Err(invalid) => return Err(not_applied(before, NotAppliedBecause::Invalid(invalid))),
    };
    let mut commands = vec![Command { by, action }];
    commands.extend(completes.then_some(Command {
        by: Actor::Host,
        action: Action::Complete { verified: false },
    }));
    let proposal = Proposal {
        before: &before,
        plan,
        command,
        commands: &commands,
        facts,
        fence: None,
        now,
    };
    match prepare(proposal) {
        Ok(prepared) => Ok((before, prepared)),
        Err(Refused::Rejected(no)) => Err(not_applied(before, NotAppliedBecause::Rejected(no))),
        Err(Refused::Store(error)) => Err(not_applied(before, NotAppliedBecause::Store(error))),
    }
}

/// The typed handle of a stored row; a conflict when it has moved on to another stage meanwhile.
fn reached<F: Flow, From: Stage, To: Stage>(
    row: Row,
) -> Result<Onboarding<F, To>, CommitError<F, From>> {
    if row.state.stage() == To::KIND {
        let Row { state, head } = row.clone();
        if let Some(onboarding) = Onboarding::from_stored(state, head) {
            return Ok(onboarding);
        }
    }
    Err(conflict(row))
}

pub(super) fn conflict<F: Flow, From: Stage>(current: Row) -> CommitError<F, From> {
    let current = loaded(current);
    CommitError::Conflict(Box::new(Conflict { current }))
}

pub(crate) fn not_applied<F: Flow, From: Stage>(
    before: Row,
    because: NotAppliedBecause,
) -> CommitError<F, From> {
    let Row { state, head } = before;
    match Onboarding::from_stored(state.clone(), head) {
        Some(onboarding) => CommitError::NotApplied(Box::new(NotApplied {
            onboarding,
            because,
        })),
        // Not reachable: the row came out of a handle of this very stage.
        None => conflict(Row { state, head }),
    }
}
