//! One action on many onboardings, each with a result of its own.

use std::fmt;

use crate::flow::Flow;
use crate::id::{OnboardingId, Reason, Revision, StepName, TenantId};
use crate::lifecycle::{Action, Intent, Rejected};
use crate::onramp::Onramp;
use crate::onramp::order::{Done, Order};
use crate::store::Error;

/// What can be done to many onboardings at once: whatever needs no fact. Waiving and
/// parking are open to operators only. [`by`](Self::by) says who does it.
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

    pub(super) fn action(&self) -> Action {
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

    /// What the journal of a repetition is held against.
    pub(super) fn intent(&self) -> Intent {
        match self.clone() {
            Self::Cancel => Intent::Cancel,
            Self::Retry => Intent::Retry,
            Self::RetryUndo => Intent::RetryUndo,
            Self::Reopen => Intent::Reopen,
            Self::Adopt => Intent::Adopt,
            Self::Erase => Intent::Erase,
            Self::Waive { step, reason } => Intent::Waive { step, reason },
            Self::Park(reason) => Intent::Park { reason },
            Self::Unpark => Intent::Unpark,
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
    /// It is not at a revision that the order is for.
    Stale {
        /// The one that it is at.
        revision: Revision,
    },
    /// Something else was done under the order's identity.
    IdentityReused,
    /// The store failed.
    Store(Error),
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such onboarding in the tenant"),
            Self::Rejected(why) => why.fmt(f),
            Self::Stale { revision } => {
                write!(f, "it was changed meanwhile: look at revision {revision}")
            }
            Self::IdentityReused => f.write_str(
                "the order's identity was used for something else: give each order one of its own",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotDone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Absent | Self::Stale { .. } | Self::IdentityReused => None,
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
    /// Carries one order out on many onboardings of a tenant. Each has a result of its own: what it
    /// led to, or why not. One that fails keeps no other from it. Under an identity of the caller's
    /// ([`Order::identified`]) it can be repeated after a crash, and counts once on each.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// use onramp::Bulk;
    /// # async fn give_up<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, ids: &[OnboardingId],
    /// # ) {
    /// let order = Bulk::Cancel.by(Actor::Operator("ann".into()));
    /// for (id, result) in onramp.bulk(tenant, ids, &order).await {
    ///     match result {
    ///         Ok(done) => println!("{id}: {}", done.stage),
    ///         Err(why) => println!("{id}: {why}"),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn bulk(
        &self,
        tenant: &TenantId,
        ids: &[OnboardingId],
        order: &Order,
    ) -> Vec<(OnboardingId, Result<Done, NotDone>)> {
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            results.push((*id, self.carry_out(tenant, *id, order).await));
        }
        results
    }
}
