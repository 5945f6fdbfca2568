//! The three ways in which a typed commit fails.

use std::time::Duration;

use crate::flow::Flow;
use crate::id::{CommandId, Key, OnboardingId, StepName};
use crate::lifecycle::{Change, InvalidFact, Loaded, Onboarding, Rejected, Stage};
use crate::store::error::Error;

/// Why a typed commit gave no new handle. Exactly three ways, by what has happened.
///
/// ```no_run
/// # use onramp::prelude::*;
/// # async fn show<F: Flow>(onramp: Onramp<F>, running: Onboarding<F, InProgress>) {
/// match onramp.commit(running.cancel()).await {
///     Ok(_cancelling) => {}
///     Err(CommitError::NotApplied(not)) => println!("nothing happened: {}", not.because),
///     Err(CommitError::Conflict(conflict)) => println!("it is now {}", conflict.current.stage()),
///     Err(CommitError::Unknown(unknown)) => {
///         let _ = onramp.resolve(&unknown.token).await; // look before doing anything else
///     }
/// }
/// # }
/// ```
#[must_use = "what was not applied gives the handle back"]
#[derive(thiserror::Error)]
pub enum CommitError<F: Flow, From: Stage> {
    /// Nothing happened; gives the handle back.
    #[error("not applied: {}", .0.because)]
    NotApplied(Box<NotApplied<F, From>>),
    /// Someone else moved it; gives the current state.
    #[error("someone else moved the onboarding on: it is {} at revision {}", .0.current.stage(), .0.current.revision())]
    Conflict(Box<Conflict<F>>),
    /// The connection broke after the commit was sent: it is stored or it is not.
    #[error("it is not known whether the change was stored: resolve it before going on")]
    Unknown(Box<Unknown>),
}

impl<F: Flow, From: Stage> std::fmt::Debug for CommitError<F, From> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotApplied(not) => f
                .debug_struct("NotApplied")
                .field("onboarding", &not.onboarding)
                .field("because", &not.because)
                .finish(),
            Self::Conflict(conflict) => f
                .debug_struct("Conflict")
                .field("current", &conflict.current)
                .finish(),
            Self::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

/// Nothing happened.
///
/// ```
/// # use onramp::prelude::*;
/// # use onramp::store::NotApplied;
/// fn again<F: Flow>(not: NotApplied<F, InProgress>) -> Onboarding<F, InProgress> {
///     println!("nothing happened: {}", not.because);
///     not.onboarding
/// }
/// ```
pub struct NotApplied<F, From> {
    /// The handle, as good as before.
    pub onboarding: Onboarding<F, From>,
    /// Why.
    pub because: NotAppliedBecause,
}

/// Why nothing happened.
///
/// ```
/// use onramp::lifecycle::{Operation, Rejected, StageKind};
/// use onramp::store::NotAppliedBecause;
/// let why = NotAppliedBecause::Rejected(Rejected::StaleClearance);
/// assert!(why.to_string().ends_with("clear again"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAppliedBecause {
    /// The rules said no.
    #[error(transparent)]
    Rejected(Rejected),
    /// The answer or evidence cannot be taken.
    #[error(transparent)]
    Invalid(InvalidFact),
    /// Something else was done under its identity.
    #[error("its identity was used for something else: give each wish one of its own")]
    IdentityReused,
    /// Another onboarding has what the fact reserves.
    #[error("what {step} is to reserve is taken already: choose another")]
    Taken {
        /// The step.
        step: StepName,
    },
    /// Too many onboardings of the tenant have started lately (see `Onramp::with_start_limit`).
    #[error("too many of the tenant start at once: wait {} seconds", seconds(.retry_after))]
    TooManyStarts {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The store failed.
    #[error(transparent)]
    Store(Error),
}

/// Whole seconds, never less than it takes.
fn seconds(wait: &Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Someone else moved the onboarding on.
///
/// ```
/// # use onramp::prelude::*;
/// # use onramp::store::Conflict;
/// fn show<F: Flow>(conflict: &Conflict<F>) {
///     println!("it is {} now", conflict.current.stage());
/// }
/// ```
pub struct Conflict<F> {
    /// The onboarding as it is now.
    pub current: Loaded<F>,
}

/// It is not known whether a change was stored.
///
/// ```
/// # use onramp::store::Unknown;
/// fn note(unknown: &Unknown) {
///     println!("command {} is in doubt: {}", unknown.token.command(), unknown.cause);
/// }
/// ```
#[derive(Debug)]
pub struct Unknown {
    /// What resolves it.
    pub token: InDoubt,
    /// How the connection broke.
    pub cause: Error,
}

/// Names one commit, so that its outcome can be looked up. Take it from a
/// [`Change`](crate::Change) before committing, if the commit's future might be dropped.
///
/// ```no_run
/// # use onramp::prelude::*;
/// # async fn show<F: Flow>(onramp: Onramp<F>, running: Onboarding<F, InProgress>) {
/// let change = running.cancel();
/// let token = change.in_doubt();
/// let timed_out = true; // the future of `onramp.commit(change)` was dropped
/// if timed_out {
///     let _found = onramp.resolve(&token).await;
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    pub(crate) key: Key,
    pub(crate) id: OnboardingId,
    pub(crate) command: CommandId,
}

impl InDoubt {
    /// The commit's identity.
    #[must_use]
    pub fn command(&self) -> CommandId {
        self.command
    }
}

impl<F: Flow, From: Stage, To> Change<F, From, To> {
    /// What resolves the change, should its commit's future be dropped.
    #[must_use]
    pub fn in_doubt(&self) -> InDoubt {
        InDoubt {
            key: self.before.key().clone(),
            id: self.before.id(),
            command: self.command_id(),
        }
    }
}
