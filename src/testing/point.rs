//! What a worker does, and where it can crash.

use crate::id::StepName;

/// What a task is called for.
///
/// ```
/// use onramp::testing::Work;
/// assert_eq!(Work::Undo.as_str(), "undo");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Work {
    /// To make its effect.
    Run,
    /// To take it back.
    Undo,
    /// To compare what should be there with what is.
    Verify,
}

impl Work {
    /// `"run"`, `"undo"` or `"verify"`: the method of the task.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Undo => "undo",
            Self::Verify => "verify",
        }
    }
}

/// Where a process dies, or an answer is lost.
///
/// ```
/// use onramp::testing::Point;
/// assert_eq!(Point::AfterEffect.to_string(), "after its effect, before its report");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Point {
    /// Nowhere: what differs does so undisturbed.
    Undisturbed,
    /// The process dies as the task is about to be called.
    BeforeEffect,
    /// The process dies while the task waits for this time, counted from 1: its future is dropped.
    DuringEffect(usize),
    /// The process is paused while the task waits for this time, and goes on when another attempt,
    /// made because its lease ran out, has had its effect: as a request that arrives late.
    Overtaken(usize),
    /// The process dies when the task is done and its report is not yet on its way.
    AfterEffect,
    /// The connection breaks before the report is stored; the worker cannot know.
    ReportLost,
    /// The connection breaks after the report was stored; the worker cannot know.
    InDoubt,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undisturbed => f.write_str("undisturbed"),
            Self::BeforeEffect => f.write_str("before its effect"),
            Self::DuringEffect(n) => write!(f, "in the middle, at await {n}"),
            Self::Overtaken(n) => {
                write!(
                    f,
                    "paused at await {n}, and going on when another attempt has had its effect"
                )
            }
            Self::AfterEffect => f.write_str("after its effect, before its report"),
            Self::ReportLost => f.write_str("as its report was lost"),
            Self::InDoubt => f.write_str("as its report was stored and the answer lost"),
        }
    }
}

/// Something that a worker did, in the order of a run.
#[derive(Debug, Clone)]
pub(super) enum Moment {
    /// It called a task, which waited so often.
    Call {
        step: StepName,
        work: Work,
        awaits: usize,
    },
    /// It stored a report.
    Commit { step: Option<StepName> },
}

impl Moment {
    /// Whether a task was called for this.
    pub(super) fn calls(&self, what: Work) -> bool {
        matches!(self, Self::Call { work, .. } if *work == what)
    }
}
