//! What somebody wants to happen.

use chrono::{DateTime, Utc};

use crate::flow::{Failure, Kind, Roll};
use crate::id::{Actor, OnboardingId, Reason, SourceName, StepName};
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::import::Past;
use crate::lifecycle::stage::Operation;

/// A wish, and whose it is. [`decide`](crate::lifecycle::decide) turns it into events or refuses.
///
/// ```
/// use onramp::lifecycle::{Action, Command, Operation};
/// use onramp::Actor;
/// let command = Command { by: Actor::Subject, action: Action::Cancel };
/// assert_eq!(command.action.operation(), Operation::Cancel);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Who wishes it.
    pub by: Actor,
    /// What is wished.
    pub action: Action,
}

/// What is wished. The operations are described at [`Operation`].
///
/// ```
/// use onramp::lifecycle::{Action, Operation};
/// assert_eq!(Action::Skip { step: "branding".into() }.operation(), Operation::Skip);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is described at its operation")]
pub enum Action {
    Start {
        /// The onboarding the gates were checked for.
        cleared: OnboardingId,
        /// When they were checked.
        cleared_at: DateTime<Utc>,
    },
    Submit {
        step: StepName,
        fact: FactMark,
    },
    Draft {
        step: StepName,
        /// The mark of what is filled in.
        fact: FactMark,
        /// Where what nobody has changed since came from.
        sources: Vec<SourceName>,
    },
    Skip {
        step: StepName,
    },
    Revise {
        step: StepName,
        fact: FactMark,
    },
    Attest {
        step: StepName,
        fact: FactMark,
    },
    Complete {
        /// Whether what the tasks built has just been verified.
        verified: bool,
    },
    Cancel,
    Retry,
    RetryUndo,
    Erase,
    Approve {
        step: StepName,
        fact: FactMark,
    },
    Waive {
        step: StepName,
        /// Why the exception is made.
        reason: Reason,
    },
    Dismiss,
    Park {
        /// Why nothing is to be done.
        reason: Reason,
    },
    Unpark,
    Reopen,
    Adopt,
    Login,
    Import {
        /// Which system it comes from.
        source: SourceName,
        past: Past,
        /// The facts that it brings: who gives such a one, and its mark.
        facts: Vec<(StepName, Kind, FactMark)>,
    },
    BeginWait {
        step: StepName,
    },
    Remind {
        step: StepName,
        nth: u32,
    },
    Elapse {
        step: StepName,
    },
    Expire {
        /// The step that waited; none when the whole took too long.
        step: Option<StepName>,
    },
    Settle {
        step: StepName,
        applies: bool,
    },
    Record {
        step: StepName,
        attempt: u32,
        fact: FactMark,
    },
    FailAttempt {
        step: StepName,
        attempt: u32,
        failure: Failure,
        retryable: bool,
        /// The randomness of the jitter.
        roll: Roll,
    },
    Undone {
        step: StepName,
        attempt: u32,
    },
    FailUndo {
        step: StepName,
        attempt: u32,
        failure: Failure,
        retryable: bool,
        /// The randomness of the jitter.
        roll: Roll,
    },
    FinishUndo,
    Drift {
        step: StepName,
        failure: Failure,
    },
}

impl Action {
    /// The operation, whose legal stages are known.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Start { .. } => Operation::Start,
            Self::Submit { .. } => Operation::Submit,
            Self::Draft { .. } => Operation::Draft,
            Self::Skip { .. } => Operation::Skip,
            Self::Revise { .. } => Operation::Revise,
            Self::Attest { .. } => Operation::Attest,
            Self::Complete { .. } => Operation::Complete,
            Self::Cancel => Operation::Cancel,
            Self::Retry => Operation::Retry,
            Self::RetryUndo => Operation::RetryUndo,
            Self::Erase => Operation::Erase,
            Self::Approve { .. } => Operation::Approve,
            Self::Waive { .. } => Operation::Waive,
            Self::Dismiss => Operation::Dismiss,
            Self::Park { .. } => Operation::Park,
            Self::Unpark => Operation::Unpark,
            Self::Reopen => Operation::Reopen,
            Self::Adopt => Operation::Adopt,
            Self::Login => Operation::Login,
            Self::Import { .. } => Operation::Import,
            Self::BeginWait { .. } => Operation::BeginWait,
            Self::Remind { .. } => Operation::Remind,
            Self::Elapse { .. } => Operation::Elapse,
            Self::Expire { .. } => Operation::Expire,
            Self::Settle { .. } => Operation::Settle,
            Self::Record { .. } => Operation::Record,
            Self::FailAttempt { .. } => Operation::FailAttempt,
            Self::Undone { .. } => Operation::Undone,
            Self::FailUndo { .. } => Operation::FailUndo,
            Self::FinishUndo => Operation::FinishUndo,
            Self::Drift { .. } => Operation::Drift,
        }
    }
}

impl Operation {
    /// Whether such an actor may issue it. Workers' operations are theirs alone; a subject can
    /// neither attest evidence, nor clean up after a failed undo, nor erase; only an operator
    /// approves, waives and parks; only the host sees who signs in, and imports.
    #[must_use]
    pub const fn open_to(self, actor: &Actor) -> bool {
        let worker = matches!(actor, Actor::Worker);
        match self {
            Self::BeginWait
            | Self::Remind
            | Self::Elapse
            | Self::Expire
            | Self::Settle
            | Self::Record
            | Self::FailAttempt
            | Self::Undone
            | Self::FailUndo
            | Self::FinishUndo
            | Self::Drift => worker,
            Self::Complete => true,
            Self::Attest | Self::RetryUndo | Self::Erase | Self::Reopen | Self::Adopt => {
                matches!(actor, Actor::Host | Actor::Operator(_))
            }
            Self::Login | Self::Import => matches!(actor, Actor::Host),
            Self::Approve | Self::Waive | Self::Park | Self::Unpark => {
                matches!(actor, Actor::Operator(_))
            }
            Self::Start
            | Self::Submit
            | Self::Draft
            | Self::Skip
            | Self::Revise
            | Self::Dismiss
            | Self::Cancel
            | Self::Retry => !worker,
        }
    }
}
