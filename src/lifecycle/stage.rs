//! The four stages as types, and which operation is legal in which of them.
//!
//! This file is the whole table. The `Can…` traits are its compile-time half, [`Operation::stages`]
//! its run-time half; a test holds that they agree and that `decide` follows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::Failure;
use crate::id::StepName;

/// Created; nothing has begun.
///
/// ```
/// # use onramp::prelude::*;
/// fn give_up<F: Flow>(pending: Onboarding<F, Pending>) -> Change<F, Pending, Failed> {
///     pending.cancel()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pending {}

/// Begun. Advancing, waiting, or taking effects back.
///
/// ```
/// # use onramp::prelude::*;
/// fn is_going_back<F: Flow>(running: &Onboarding<F, InProgress>) -> bool {
///     running.stage().undoing.is_some()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InProgress {
    /// When it began (or began again, after a failure).
    pub since: DateTime<Utc>,
    /// What is being taken back, if anything.
    pub undoing: Option<Undoing>,
}

/// Done: every step is settled and what was built has been verified.
///
/// ```
/// # use onramp::prelude::*;
/// fn took<F: Flow>(done: &Onboarding<F, Completed>) -> i64 {
///     (done.stage().at - done.created_at()).num_seconds()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Completed {
    /// When it was done.
    pub at: DateTime<Utc>,
}

/// Given up, by a final failure or a cancellation. Can be tried again.
///
/// ```
/// # use onramp::prelude::*;
/// fn tell<F: Flow>(failed: &Onboarding<F, Failed>) -> &str {
///     failed.stage().failure.message()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failed {
    /// When it was given up.
    pub at: DateTime<Utc>,
    /// What people are told.
    pub failure: Failure,
    /// The step that failed; none when it was cancelled.
    pub step: Option<StepName>,
    /// Effects that could not be taken back, next one first. Empty when all were.
    pub remaining: Vec<StepName>,
}

/// Effects being taken back, in reverse order.
///
/// ```
/// # use onramp::lifecycle::Undoing;
/// fn left(undoing: &Undoing) -> usize {
///     undoing.steps.len()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Undoing {
    /// Why.
    pub reason: UndoReason,
    /// The steps whose effects are still to be taken back, next one first.
    pub steps: Vec<StepName>,
}

/// Why effects are taken back.
///
/// ```
/// use onramp::lifecycle::UndoReason;
/// assert!(!UndoReason::Revised { step: "company".into() }.ends_in_failure());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UndoReason {
    /// A step failed for good.
    Failed {
        /// The step.
        step: StepName,
        /// What people are told.
        failure: Failure,
    },
    /// Somebody cancelled.
    Cancelled,
    /// It took too long.
    Expired {
        /// The step that waited in vain; none when the whole took too long.
        step: Option<StepName>,
    },
    /// An answer was revised: what was built on it is built again.
    Revised {
        /// The answer's step.
        step: StepName,
    },
    /// A verification found an effect gone: it is built again.
    Drifted {
        /// The effect's step.
        step: StepName,
    },
}

impl UndoReason {
    /// Whether the onboarding ends as `Failed` once everything is taken back; otherwise it goes on.
    #[must_use]
    pub fn ends_in_failure(&self) -> bool {
        matches!(
            self,
            Self::Failed { .. } | Self::Cancelled | Self::Expired { .. }
        )
    }
}

mod sealed {
    use super::StageData;

    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a stage, and no stage can be added",
        label = "not one of the four stages",
        note = "the stages are `Pending`, `InProgress`, `Completed` and `Failed`; progress within `InProgress` is the steps' affair"
    )]
    pub trait IsStage: Sized {
        fn take(data: StageData) -> Result<Self, StageData>;
        fn give(self) -> StageData;
    }
}

/// One of the four stages, as a type: [`Pending`], [`InProgress`], [`Completed`], [`Failed`].
///
/// ```
/// use onramp::lifecycle::{InProgress, Stage, StageKind};
/// assert_eq!(InProgress::KIND, StageKind::InProgress);
/// ```
pub trait Stage: sealed::IsStage + std::fmt::Debug + Send + Sync + 'static {
    /// The stage as a value.
    const KIND: StageKind;
}

/// A stage with its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
#[doc(hidden)]
#[non_exhaustive]
pub enum StageData {
    Pending(Pending),
    InProgress(InProgress),
    Completed(Completed),
    Failed(Failed),
}

/// One of the four stages, as a value.
///
/// ```
/// use onramp::lifecycle::StageKind;
/// assert_eq!(StageKind::InProgress.to_string(), "in_progress");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// Created; nothing has begun.
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
    /// Given up.
    Failed,
}

impl StageKind {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::Pending,
        Self::InProgress,
        Self::Completed,
        Self::Failed,
    ];

    /// `"pending"`, `"in_progress"`, `"completed"` or `"failed"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl std::fmt::Display for StageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl StageData {
    /// The stage without its data.
    #[must_use]
    pub fn kind(&self) -> StageKind {
        match self {
            Self::Pending(_) => StageKind::Pending,
            Self::InProgress(_) => StageKind::InProgress,
            Self::Completed(_) => StageKind::Completed,
            Self::Failed(_) => StageKind::Failed,
        }
    }
}

macro_rules! stages {
    ($($stage:ident)+) => {$(
        impl Stage for $stage {
            const KIND: StageKind = StageKind::$stage;
        }
        #[diagnostic::do_not_recommend]
        impl sealed::IsStage for $stage {
            fn take(data: StageData) -> Result<Self, StageData> {
                match data {
                    StageData::$stage(stage) => Ok(stage),
                    other => Err(other),
                }
            }

            fn give(self) -> StageData {
                StageData::$stage(self)
            }
        }
    )+};
}

stages!(Pending InProgress Completed Failed);

macro_rules! operations {
    (@stages [$($from:ident -> $to:ident),+]) => {
        &[$(StageKind::$from),+]
    };
    (@edges [$($from:ident -> $to:ident),+] $([$($other:ident -> $end:ident),+])?) => {
        &[
            $((StageKind::$from, StageKind::$to),)+
            $($((StageKind::$other, StageKind::$end),)+)?
        ]
    };
    (@impl $can:ident [$($from:ident -> $to:ident),+]) => {
        $(
            // The label names the legal stages already.
            #[diagnostic::do_not_recommend]
            impl $can for $from { type To = $to; }
        )+
    };
    ($(
        $(#[$doc:meta])*
        op $operation:ident $text:literal: $edges:tt $(or $ends:tt)?;
        $(typed $can:ident $refusal:literal $legal:literal;)?
    )+) => {
        /// What can be done to an onboarding.
        ///
        /// ```
        /// use onramp::lifecycle::{Operation, StageKind};
        /// assert_eq!(Operation::Retry.stages(), [StageKind::Failed]);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[$doc])* $operation,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$operation),+];

            /// The name of the method or command.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$operation => $text,)+
                }
            }

            /// The stages in which it is legal.
            #[must_use]
            pub const fn stages(self) -> &'static [StageKind] {
                match self {
                    $(Self::$operation => operations!(@stages $edges),)+
                }
            }

            /// From which stage it leads to which. Where it leads to two from one, the rules tell
            /// which: what is taken back may be all of it, or be done again.
            #[must_use]
            pub const fn edges(self) -> &'static [(StageKind, StageKind)] {
                match self {
                    $(Self::$operation => operations!(@edges $edges $($ends)?),)+
                }
            }
        }

        $($(
            #[doc = concat!("A stage in which `", $text, "` is legal. Sealed.")]
            #[diagnostic::on_unimplemented(
                message = $refusal,
                label = $legal,
                note = "a stage is known when the onboarding was loaded; where it is not, match on `Loaded`"
            )]
            pub trait $can: Stage {
                /// The stage that follows.
                type To: Stage;
            }
            operations!(@impl $can $edges);
        )?)+
    };
}

operations! {
    /// Begin, with a clearance.
    op Start "start": [Pending -> InProgress];
        typed CanStart "an onboarding that is `{Self}` cannot be started"
        "`start` is legal in `Pending` only";
    /// The subject gives an answer.
    op Submit "submit": [InProgress -> InProgress];
        typed CanSubmit "an onboarding that is `{Self}` takes no answers"
        "`submit` is legal in `InProgress` only: `start` one that is `Pending`, `retry` one that `Failed`";
    /// What is filled in so far is saved. Nothing is settled by that.
    op Draft "draft": [Pending -> Pending, InProgress -> InProgress];
        typed CanDraft "an onboarding that is `{Self}` takes no drafts"
        "`draft` is legal in `Pending` and `InProgress`";
    /// The subject passes an optional step by.
    op Skip "skip": [InProgress -> InProgress];
        typed CanSkip "no step can be skipped in an onboarding that is `{Self}`"
        "`skip` is legal in `InProgress` only";
    /// The subject changes an answer.
    op Revise "revise": [InProgress -> InProgress];
        typed CanRevise "no answer can be revised in an onboarding that is `{Self}`"
        "`revise` is legal in `InProgress` only";
    /// The host attests evidence; it is kept also before the start and after a failure.
    op Attest "attest": [Pending -> Pending, InProgress -> InProgress, Failed -> Failed];
        typed CanAttest "an onboarding that is `{Self}` takes no evidence"
        "`attest` is legal in `Pending`, `InProgress` and `Failed`";
    /// Ask for completion: the rules check again.
    op Complete "complete": [InProgress -> Completed];
        typed CanComplete "an onboarding that is `{Self}` cannot be completed"
        "`complete` is legal in `InProgress` only";
    /// Give up, taking effects back.
    op Cancel "cancel": [Pending -> Failed, InProgress -> InProgress];
        typed CanCancel "an onboarding that is `{Self}` cannot be cancelled"
        "`cancel` is legal in `Pending` and `InProgress`";
    /// Go on after a failure, keeping answers and evidence.
    op Retry "retry": [Failed -> InProgress];
        typed CanRetry "an onboarding that is `{Self}` cannot be retried"
        "`retry` is legal in `Failed` only";
    /// Go on taking back what could not be taken back.
    op RetryUndo "retry_undo": [Failed -> InProgress];
        typed CanRetryUndo "nothing is left to undo in an onboarding that is `{Self}`"
        "`retry_undo` is legal in `Failed` only";
    /// Erase every fact, for good. The journal stays, and says so.
    op Erase "erase": [Completed -> Completed, Failed -> Failed];
        typed CanErase "the facts of an onboarding that is `{Self}` cannot be erased"
        "`erase` is legal in `Completed` and `Failed`: `cancel` one that is not finished";
    /// An operator approves; it is kept also before the start and after a failure.
    op Approve "approve": [Pending -> Pending, InProgress -> InProgress, Failed -> Failed];
        typed CanApprove "an onboarding that is `{Self}` takes no approval"
        "`approve` is legal in `Pending`, `InProgress` and `Failed`";
    /// An operator exempts the subject from a step.
    op Waive "waive": [InProgress -> InProgress];
        typed CanWaive "no step can be waived in an onboarding that is `{Self}`"
        "`waive` is legal in `InProgress` only";
    /// The subject does not want to be asked for now. Nothing is settled by that.
    op Dismiss "dismiss": [Pending -> Pending, InProgress -> InProgress];
        typed CanDismiss "an onboarding that is `{Self}` cannot be dismissed"
        "`dismiss` is legal in `Pending` and `InProgress`";
    /// An operator stops it: workers do nothing until it is unparked.
    op Park "park": [InProgress -> InProgress];
        typed CanPark "an onboarding that is `{Self}` cannot be parked"
        "`park` is legal in `InProgress` only";
    /// An operator lets it go on.
    op Unpark "unpark": [InProgress -> InProgress];
        typed CanUnpark "an onboarding that is `{Self}` is not parked"
        "`unpark` is legal in `InProgress` only";
    /// Go on for steps that a newer version of the flow has added for everyone.
    op Reopen "reopen": [Completed -> InProgress];
        typed CanReopen "an onboarding that is `{Self}` cannot be reopened"
        "`reopen` is legal in `Completed` only";
    /// Go on under the flow's version of this program, as a worker sees it.
    op Adopt "adopt": [InProgress -> InProgress];
        typed CanAdopt "an onboarding that is `{Self}` adopts no other version of its flow"
        "`adopt` is legal in `InProgress` only";
    /// The host has seen the subject sign in. Only the first time is kept.
    op Login "login": [Pending -> Pending, InProgress -> InProgress, Completed -> Completed, Failed -> Failed];
        typed CanLogin "nobody signs in to an onboarding that is `{Self}`"
        "`login` is legal in `Pending`, `InProgress`, `Completed` and `Failed`";
    /// The host takes over what another system knew: facts, times, and whether it was complete there.
    op Import "import": [Pending -> Pending] or [Pending -> Completed];
    /// A worker notes since when a step waits.
    op BeginWait "begin_wait": [InProgress -> InProgress];
    /// A worker notes that it is time to remind somebody.
    op Remind "remind": [InProgress -> InProgress];
    /// A worker notes that a pause is over.
    op Elapse "elapse": [InProgress -> InProgress];
    /// A worker notes that patience is at an end.
    op Expire "expire": [InProgress -> InProgress];
    /// A worker has judged whether a conditional step applies.
    op Settle "settle": [InProgress -> InProgress];
    /// A worker has produced a task's fact.
    op Record "record": [InProgress -> InProgress];
    /// A worker's attempt at a task has failed.
    op FailAttempt "fail_attempt": [InProgress -> InProgress];
    /// A worker has taken an effect back.
    op Undone "undone": [InProgress -> InProgress];
    /// A worker's attempt at taking an effect back has failed.
    op FailUndo "fail_undo": [InProgress -> InProgress] or [InProgress -> Failed];
    /// A worker has taken everything back.
    op FinishUndo "finish_undo": [InProgress -> InProgress] or [InProgress -> Failed];
    /// A worker's verification has found an effect gone.
    op Drift "drift": [InProgress -> InProgress];
}
