//! Joining a transaction of the host's: its rows and ours are stored together or not at all.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::flow::{Flow, Plan};
use crate::id::{CommandId, OnboardingId, SubjectId, TenantId};
use crate::lifecycle::{Change, Stage};
use crate::store::commit_error::{CommitError, InDoubt, NotAppliedBecause};
use crate::store::error::{Error, ErrorKind};
use crate::store::ext::{conflict, drafted, key, not_applied};
use crate::store::prepare::prepare_creation;
use crate::store::record::{Commit, CommitOutcome, Created, NewOnboarding};

/// A transaction of the host's that onboardings can be written in. Made by
/// [`SqlStore::join`](crate::store::sql::SqlStore::join), used through
/// [`Onramp::enroll_in`](crate::Onramp::enroll_in) and
/// [`Onramp::commit_in`](crate::Onramp::commit_in).
///
/// What [`Store`](super::Store) holds of `create` and `commit` holds here too, once the host has
/// committed. No savepoint is set, nothing is committed and nothing is tried again: after an error
/// the host rolls its transaction back, and may begin it again.
///
/// # Cancel safety
/// When a future of these is dropped, roll the transaction back.
///
/// ```
/// fn is_an_object(_: &mut dyn onramp::store::Join) {}
/// ```
#[async_trait]
pub trait Join: Send {
    /// As [`Store::create`](super::Store::create).
    async fn create(&mut self, new: NewOnboarding) -> Result<Created, Error>;

    /// As [`Store::commit`](super::Store::commit).
    async fn commit(&mut self, commit: Commit) -> Result<CommitOutcome, Error>;
}

pub(crate) async fn enroll_in<F: Flow>(
    join: &mut dyn Join,
    plan: &Plan,
    tenant: &TenantId,
    subject: &SubjectId,
    now: DateTime<Utc>,
) -> Result<OnboardingId, Error> {
    let (id, key) = (OnboardingId::fresh_at(now), key::<F>(tenant, subject));
    let new = prepare_creation(id, key, plan, CommandId::fresh(), now)?;
    let created = join.create(new).await?;
    Ok(created.row.state.id())
}

pub(crate) async fn commit_in<F: Flow, From: Stage, To: Stage>(
    join: &mut dyn Join,
    plan: &Plan,
    change: Change<F, From, To>,
    now: DateTime<Utc>,
) -> Result<InDoubt, CommitError<F, From>> {
    let token = change.in_doubt();
    let (before, prepared) = drafted(plan, change, now)?;
    let Some(prepared) = prepared else {
        // What is wished holds already.
        return Ok(token);
    };
    match join.commit(prepared.commit).await {
        Ok(CommitOutcome::Committed | CommitOutcome::Replayed { .. }) => Ok(token),
        Ok(CommitOutcome::Conflict { current }) => Err(conflict(*current)),
        Ok(CommitOutcome::Taken { step }) => {
            Err(not_applied(before, NotAppliedBecause::Taken { step }))
        }
        Ok(CommitOutcome::Fenced | CommitOutcome::Absent) => {
            let message = "the onboarding is not in the database of this transaction";
            let gone = Error::new(ErrorKind::Config, message);
            Err(not_applied(before, NotAppliedBecause::Store(gone)))
        }
        Err(error) => Err(not_applied(before, NotAppliedBecause::Store(error))),
    }
}
