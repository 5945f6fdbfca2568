//! Code that produces a fact, and how it says that it failed.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::flow::plan_step::TIMEOUT;
use crate::flow::{Needs, RetryPolicy, Step, TaskContext};

/// Code that produces a fact: it provisions, charges, issues, sends.
///
/// **Effects happen at least once, checkpoints exactly once.** A crash between the effect and its
/// checkpoint runs the task again, so make the effect idempotent by [`TaskContext::effect_key`].
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Dataset { path: String }
/// impl Step for Dataset { const NAME: &'static str = "create_dataset"; }
///
/// const DISK_FULL: Problem = Problem::new("disk_full", "We are short of space. Try again later.");
///
/// struct CreateDataset { folder: std::path::PathBuf }
/// impl Task<Workspace> for CreateDataset {
///     type Needs = Company;
///     type Output = Dataset;
///
///     async fn run(&self, cx: &TaskContext, _company: Company) -> Result<Dataset, TaskError> {
///         let path = self.folder.join(cx.effect_key().to_string());
///         std::fs::create_dir_all(&path).map_err(|e| TaskError::retryable(DISK_FULL, e))?;
///         Ok(Dataset { path: path.display().to_string() })
///     }
///
///     async fn undo(&self, _: &TaskContext, made: Option<Dataset>) -> Result<(), TaskError> {
///         if let Some(dataset) = made {
///             std::fs::remove_dir_all(dataset.path).ok();
///         }
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task of the flow `{F}`",
    label = "cannot be run in the flow `{F}`",
    note = "a task says which flow it belongs to: `impl Task<{F}> for {Self} {{ ... }}`"
)]
pub trait Task<F>: Send + Sync + 'static {
    /// The facts it reads. The flow does not compile when nothing earlier provides them.
    type Needs: Needs;

    /// The fact it yields; its [`Step::NAME`] is the step's name.
    type Output: Step;

    /// Does the work. Runs again after a crash or a retryable error.
    ///
    /// # Cancel safety
    /// The future is dropped when the worker loses its lease or shuts down; the next attempt
    /// starts from the beginning.
    fn run(
        &self,
        cx: &TaskContext,
        needs: Self::Needs,
    ) -> impl Future<Output = Result<Self::Output, TaskError>> + Send;

    /// Takes the effect back: after a final failure or a cancellation, in reverse order of the
    /// steps, and when an answer that the effect was built on is revised.
    ///
    /// `made` is `None` when an attempt was under way and never reported: the effect may or may
    /// not exist, so look for it by [`TaskContext::effect_key`], which is the one that `run` saw.
    /// Must succeed when there is nothing to take back.
    fn undo(
        &self,
        cx: &TaskContext,
        made: Option<Self::Output>,
    ) -> impl Future<Output = Result<(), TaskError>> + Send {
        let _ = (cx, made);
        async { Ok(()) }
    }

    /// Compares what should exist with what does, once everything is done and before the
    /// onboarding completes. It only looks, and changes nothing.
    ///
    /// It is begun when the last fact is at hand, in the worker's own task: one that answers at once
    /// has the last fact and completion stored in one commit; one that waits is waited for when the
    /// fact is stored.
    ///
    /// # Cancel safety
    /// The future is dropped when the worker loses its lease or shuts down; it is asked again.
    ///
    /// # Errors
    /// A final error says that the effect is gone or wrong: the step, and what was built on it,
    /// is undone and done again. A retryable error says that it could not be looked at.
    fn verify(
        &self,
        cx: &TaskContext,
        made: Self::Output,
    ) -> impl Future<Output = Result<(), TaskError>> + Send {
        let _ = (cx, made);
        async { Ok(()) }
    }

    /// How often and how soon failed attempts are repeated.
    fn retry(&self) -> RetryPolicy {
        RetryPolicy::default()
    }

    /// How long an attempt may take: then its future is dropped, and it has failed. Five minutes
    /// unless told.
    fn timeout(&self) -> Duration {
        TIMEOUT
    }
}

/// What went wrong, as people are told: a permanent code and what to do about it.
///
/// Both texts are fixed when the program is written, so no internal detail can get into them.
///
/// ```
/// use onramp::flow::Problem;
/// const PROVIDER_BUSY: Problem =
///     Problem::new("provider_busy", "Our provider is busy. Try again in a few minutes.");
/// assert_eq!(PROVIDER_BUSY.code(), "provider_busy");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    code: &'static str,
    message: &'static str,
}

impl Problem {
    /// The engine's own: a task panicked.
    pub const PANICKED: Self = Self::new(
        "internal_error",
        "Something went wrong on our side. We have been told and will look into it.",
    );
    /// The engine's own: attempts ended without a report, again and again.
    pub const CRASHED: Self = Self::new(
        "interrupted",
        "Setting this up was interrupted too often. We have been told and will look into it.",
    );
    /// The engine's own: what a task gave is to be reserved, and another onboarding has it.
    pub const TAKEN: Self = Self::new(
        "taken",
        "A name that we chose for you was taken. We try another.",
    );
    /// The engine's own: what a task gave cannot be stored, because it is too large, say.
    pub const UNSTORABLE: Self = Self::new(
        "result_not_storable",
        "Something went wrong on our side. We have been told and will look into it.",
    );
    /// The engine's own: what was built is not there.
    pub const DRIFTED: Self = Self::new(
        "not_as_built",
        "What we set up could not be found again. We have been told and will look into it.",
    );
    /// The engine's own: an attempt took longer than its task's timeout.
    pub const TIMED_OUT: Self = Self::new(
        "timed_out",
        "Setting this up took too long. We try again, or have been told and will look into it.",
    );
    /// The library's own: a prerequisite could not be checked, or not in time.
    pub const GATE_UNKNOWN: Self = Self::new(
        "prerequisite_unknown",
        "We cannot start right now. Try again in a few minutes.",
    );
    /// The rules' own: somebody was waited for in vain, or the whole took too long.
    pub const EXPIRED: Self = Self::new(
        "expired",
        "The set-up was not finished in time and has ended. You can begin again.",
    );
    /// The rules' own: the onboarding was cancelled.
    pub const CANCELLED: Self = Self::new("cancelled", "The set-up was cancelled.");

    /// A problem by its permanent code (for programs) and message (for people).
    #[must_use]
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    /// The permanent code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What people are told.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }
}

/// A [`Problem`] as it is stored.
///
/// ```
/// use onramp::flow::{Failure, Problem};
/// let failure = Failure::from(Problem::CANCELLED);
/// assert_eq!(failure.code(), "cancelled");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(Box<Told>);

/// Boxed, because there is room for a failure in every step of every onboarding, and it is mostly empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl Failure {
    /// The permanent code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What people are told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Told {
            code: Cow::Borrowed(problem.code),
            message: Cow::Borrowed(problem.message),
        }))
    }
}

/// Why an attempt failed: whether it is worth another one, what people are told, and the cause,
/// which only logs see.
///
/// ```
/// use onramp::flow::{Problem, TaskError};
/// const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
/// let error = TaskError::retryable(BUSY, "503 from 10.0.0.7");
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "provider_busy"); // the cause is the source, not the text
/// ```
pub struct TaskError {
    problem: Problem,
    retryable: bool,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TaskError {
    /// Worth another attempt, by the step's retry policy.
    pub fn retryable(
        problem: Problem,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            problem,
            retryable: true,
            cause: Some(cause.into()),
        }
    }

    /// No further attempt can succeed.
    pub fn fatal(
        problem: Problem,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            problem,
            retryable: false,
            cause: Some(cause.into()),
        }
    }

    /// Whether another attempt is worth it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// What people are told.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.code)
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskError")
            .field("code", &self.problem.code)
            .field("retryable", &self.retryable)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for TaskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}
