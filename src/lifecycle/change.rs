//! A decided-on operation that has not been committed yet.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};

use crate::flow::{EncodedFact, FactError, Invalid};
use crate::id::{Actor, CommandId, OnboardingId, Reason, SourceName, StepName};
use crate::lifecycle::onboarding::Onboarding;
use crate::lifecycle::stage::{Completed, InProgress};

/// An operation on an onboarding that leads from stage `From` to stage `To` once it is committed.
///
/// ```no_run
/// # use onramp::prelude::*;
/// # async fn cancel<F: Flow>(
/// #     onramp: Onramp<F>, pending: Onboarding<F, Pending>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let change = pending.cancel().by(Actor::Operator("ann".into()));
/// let failed: Onboarding<F, Failed> = onramp.commit(change).await?;
/// # Ok(()) }
/// ```
#[must_use = "a change does nothing until it is committed"]
pub struct Change<F, From, To> {
    pub(crate) before: Onboarding<F, From>,
    pub(crate) by: Actor,
    pub(crate) id: CommandId,
    pub(crate) intent: Intent,
    #[cfg_attr(
        not(feature = "store"),
        expect(dead_code, reason = "read by the commit")
    )]
    pub(crate) completes: bool,
    pub(crate) identified: bool,
    to: PhantomData<fn() -> To>,
}

impl<F, From, To> Change<F, From, To> {
    pub(crate) fn new(before: Onboarding<F, From>, by: Actor, intent: Intent) -> Self {
        Self {
            before,
            by,
            id: CommandId::fresh(),
            intent,
            completes: false,
            identified: false,
            to: PhantomData,
        }
    }

    /// Who issues it, where that is not who usually does (the subject for answers, else the host).
    pub fn by(mut self, actor: Actor) -> Self {
        self.by = actor;
        self
    }

    /// Gives it an identity of the caller's, made from an idempotency key say. The same identity
    /// committed twice counts once: the repetition succeeds with the onboarding as it is by then, also
    /// when the rules would refuse it now. For something else it is refused.
    pub fn identified(mut self, id: CommandId) -> Self {
        self.id = id;
        self.identified = true;
        self
    }

    /// Its identity, by which it can be found again when a commit's outcome is unknown.
    #[must_use]
    pub fn command_id(&self) -> CommandId {
        self.id
    }
}

impl<F, From> Change<F, From, InProgress> {
    /// The same, and completion with it: one commit for the last answer and the end. Rejected as a
    /// whole when something is outstanding after it, as [`complete`](Onboarding::complete) would be.
    ///
    /// ```no_run
    /// # use onramp::prelude::*;
    /// # async fn last_page<F: Flow, A: Answer<F>>(
    /// #     onramp: Onramp<F>, running: Onboarding<F, InProgress>, last: A,
    /// # ) -> Result<(), Box<dyn std::error::Error>> where A: 'static {
    /// let done: Onboarding<F, Completed> = onramp.commit(running.submit(last).and_complete()).await?;
    /// # Ok(()) }
    /// ```
    pub fn and_complete(self) -> Change<F, From, Completed> {
        Change {
            before: self.before,
            by: self.by,
            id: self.id,
            intent: self.intent,
            completes: true,
            identified: self.identified,
            to: PhantomData,
        }
    }
}

impl<F, From, To> std::fmt::Debug for Change<F, From, To> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change")
            .field("command", &self.id)
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

/// An [`Action`](crate::lifecycle::Action) before its fact has been sealed.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "store"),
    expect(dead_code, reason = "read by the commit")
)]
pub(crate) enum Intent {
    Start {
        cleared: OnboardingId,
        cleared_at: DateTime<Utc>,
    },
    Submit(PutFact),
    Draft {
        step: StepName,
        /// What is filled in, to be kept beside the facts.
        put: PutFact,
        sources: Vec<SourceName>,
    },
    Skip {
        step: StepName,
    },
    Revise(PutFact),
    Attest(PutFact),
    Complete,
    Cancel,
    Retry,
    RetryUndo,
    Erase,
    Approve(PutFact),
    Waive {
        step: StepName,
        reason: Reason,
    },
    Dismiss,
    Park {
        reason: Reason,
    },
    Unpark,
    Reopen,
    Adopt,
    Login,
}

/// A fact to be stored, or why it cannot be.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "store"),
    expect(dead_code, reason = "read by the commit")
)]
pub(crate) struct PutFact {
    pub(crate) step: StepName,
    pub(crate) fact: Result<EncodedFact, InvalidFact>,
}

/// Why a fact cannot be taken.
///
/// ```
/// use onramp::flow::Invalid;
/// use onramp::lifecycle::InvalidFact;
/// let why = InvalidFact::Answer(Invalid::field("/currency", "is unset: choose a currency"));
/// assert_eq!(why.to_string(), "invalid answer: /currency is unset: choose a currency");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFact {
    /// The answer's own rules refuse it, in words for the subject.
    #[error("invalid answer: {0}")]
    Answer(Invalid),
    /// It cannot be stored.
    #[error(transparent)]
    Encoding(FactError),
}
