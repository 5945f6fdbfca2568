//! One action on many onboardings, each with a result of its own.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::flow::Flow;
use crate::flow::Plan;
use crate::id::{Actor, CommandId, OnboardingId, Reason, StepName, TenantId};
use crate::lifecycle::{Action, Command, Rejected, StageKind};
use crate::onramp::Onramp;
use crate::store::{CommitOutcome, Error, Proposal, Refused, Store, prepare};

/// How often one is looked at again when it moves on meanwhile.
const TRIES: u32 = 5;

/// What can be done to many onboardings at once: whatever needs no fact. Waiving and
/// parking are open to operators only.
///
/// ```
/// use onramp::Bulk;
/// assert_eq!(Bulk::RetryUndo.as_str(), "retry_undo");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bulk {
    /// Give up, taking effects back.
    Cancel,
    /// Go on after a failure.
    Retry,
    /// Go on taking back what could not be taken back.
    RetryUndo,
    /// Go on for steps that are new for everyone.
    Reopen,
    /// Go on under this version of the flow; a worker looks at it.
    Adopt,
    /// Erase every fact.
    Erase,
    /// Exempt from a step.
    Waive {
        /// The step, as it is stored.
        step: StepName,
        /// Why the exception is made.
        reason: Reason,
    },
    /// Stop: workers do nothing until they are unparked.
    Park(Reason),
    /// Let parked ones go on.
    Unpark,
}

impl Bulk {
    /// The operation's name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.action().operation().as_str()
    }

    fn action(&self) -> Action {
        match self {
            Self::Cancel => Action::Cancel,
            Self::Retry => Action::Retry,
            Self::RetryUndo => Action::RetryUndo,
            Self::Reopen => Action::Reopen,
            Self::Adopt => Action::Adopt,
            Self::Erase => Action::Erase,
            Self::Waive { step, reason } => Action::Waive {
                step: step.clone(),
                reason: reason.clone(),
            },
            Self::Park(reason) => Action::Park {
                reason: reason.clone(),
            },
            Self::Unpark => Action::Unpark,
        }
    }
}

/// Why an action was not carried out on one onboarding. Nothing has happened to it, unless the store
/// is in doubt.
///
/// ```
/// use onramp::NotDone;
/// assert_eq!(NotDone::Absent.to_string(), "there is no such onboarding in the tenant");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum NotDone {
    /// There is no such onboarding in the tenant.
    Absent,
    /// The rules said no.
    Rejected(Rejected),
    /// The store failed.
    Store(Error),
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such onboarding in the tenant"),
            Self::Rejected(why) => why.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotDone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Absent => None,
            Self::Rejected(why) => Some(why),
            Self::Store(error) => Some(error),
        }
    }
}

impl From<Error> for NotDone {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl<F: Flow> Onramp<F> {
    /// Carries one action out on many onboardings of a tenant. Each has a result of its own: the stage
    /// that it is in then, or why not. One that fails keeps no other from it.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// use onramp::Bulk;
    /// # async fn give_up<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, ids: &[OnboardingId],
    /// # ) {
    /// let by = Actor::Operator("ann".into());
    /// for (id, result) in onramp.bulk(tenant, ids, Bulk::Cancel, &by).await {
    ///     match result {
    ///         Ok(stage) => println!("{id}: {stage}"),
    ///         Err(why) => println!("{id}: {why}"),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn bulk(
        &self,
        tenant: &TenantId,
        ids: &[OnboardingId],
        action: Bulk,
        by: &Actor,
    ) -> Vec<(OnboardingId, Result<StageKind, NotDone>)> {
        let (store, plan) = (&*self.store, self.flow.plan());
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            let done = act(store, (tenant, *id), plan, &action, by, self.clock.now()).await;
            results.push((*id, done.map(|(stage, _)| stage)));
        }
        results
    }
}

/// Carries an action out on whatever the onboarding is by now. Gives the stage that it is in then,
/// and whether anything had to be done.
pub(super) async fn act(
    store: &dyn Store,
    of: (&TenantId, OnboardingId),
    plan: &Plan,
    action: &Bulk,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<(StageKind, bool), NotDone> {
    let (tenant, id) = of;
    for _ in 0..TRIES {
        let before = store.load(tenant, id).await?.ok_or(NotDone::Absent)?;
        let command = Command {
            by: by.clone(),
            action: action.action(),
        };
        let proposal = Proposal {
            before: &before,
            plan,
            command: CommandId::fresh(),
            commands: &[command],
            facts: Vec::new(),
            fence: None,
            now,
        };
        let commit = match prepare(proposal) {
            Ok(Some(prepared)) => prepared.commit,
            // What is wished holds already.
            Ok(None) => return Ok((before.state.stage(), false)),
            Err(Refused::Rejected(why)) => return Err(NotDone::Rejected(why)),
            Err(Refused::Store(error)) => return Err(NotDone::Store(error)),
        };
        let stage = commit.row.state.stage();
        match store.commit(commit).await? {
            CommitOutcome::Committed | CommitOutcome::Replayed { .. } => return Ok((stage, true)),
            CommitOutcome::Absent => return Err(NotDone::Absent),
            CommitOutcome::Conflict { .. }
            | CommitOutcome::Fenced
            | CommitOutcome::Taken { .. } => {}
        }
    }
    let message = format!("onboarding {id} kept moving on: try again");
    Err(NotDone::Store(Error::unavailable(message)))
}
