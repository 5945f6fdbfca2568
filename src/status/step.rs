//! How each step stands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Failure, Kind, Plan, PlanStep};
use crate::id::StepName;
use crate::lifecycle::{Next, Progress, StageKind, State, UndoReason, next};

/// A step, as it stands.
///
/// ```
/// use onramp::status::{Standing, StepStatus};
/// fn bullet(step: &StepStatus) -> String {
///     let mark = if step.state == Standing::Completed { "x" } else { " " };
///     format!("[{mark}] {}", step.title)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepStatus {
    /// Its stored name, which never changes.
    pub key: StepName,
    /// The name that people know it by.
    pub title: StepName,
    /// Who provides its fact.
    pub kind: Kind,
    /// How it stands.
    pub state: Standing,
    /// Why the last attempt at it failed, in words for people; gone once one succeeds.
    pub failure: Option<Failure>,
}

/// How a step stands.
///
/// ```
/// use onramp::status::Standing;
/// assert_eq!(Standing::NotApplicable.as_str(), "not_applicable");
/// assert_eq!(serde_json::to_string(&Standing::InProgress)?, "\"in_progress\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// Its turn has not come.
    Pending,
    /// It is its turn: the subject is asked, or a worker is at it.
    InProgress,
    /// Its fact is there; a pause: it is over.
    Completed,
    /// Optional, and passed by.
    Skipped,
    /// It was given up, or its effect could not be taken back.
    Failed,
    /// It is its turn, and a third party, an operator or a time is waited for.
    Waiting,
    /// It does not apply to this subject.
    NotApplicable,
    /// An operator exempted the subject from it.
    Waived,
}

impl Standing {
    /// The same text as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::NotApplicable => "not_applicable",
            Self::Waived => "waived",
        }
    }

    fn of(state: &State, plan: &Plan, step: &PlanStep, now: DateTime<Utc>) -> Self {
        if has_failed(state, step.name()) {
            return Self::Failed;
        }
        let undoing = state.undoing();
        if let Some(undoing) = undoing
            && undoing.steps.first() == Some(step.name())
        {
            return Self::InProgress;
        }
        match state.progress(step) {
            Progress::Done => Self::Completed,
            Progress::Skipped => Self::Skipped,
            Progress::Waived => Self::Waived,
            Progress::NotApplicable => Self::NotApplicable,
            Progress::Open | Progress::Unjudged => {
                let running = state.stage() == StageKind::InProgress && undoing.is_none();
                let current = state.current(plan).map(PlanStep::name);
                match running && current == Some(step.name()) {
                    true => Self::of_current(state, plan, step, now),
                    false => Self::Pending,
                }
            }
        }
    }

    fn of_current(state: &State, plan: &Plan, step: &PlanStep, now: DateTime<Utc>) -> Self {
        let held = matches!(next(state, plan, now), Next::Wait { .. });
        match (state.progress(step), step.kind()) {
            (Progress::Unjudged, _) | (_, Kind::Answer) => Self::InProgress,
            (_, Kind::Task) if !held => Self::InProgress,
            _ => Self::Waiting,
        }
    }
}

/// Whether the onboarding was given up, or is just being given up, because of a step.
fn has_failed(state: &State, step: &StepName) -> bool {
    let reason = state.undoing().map(|undoing| &undoing.reason);
    let giving_up = match reason {
        Some(UndoReason::Failed { step, .. }) => Some(step),
        Some(UndoReason::Expired { step }) => step.as_ref(),
        _ => None,
    };
    let failed = state.failed();
    giving_up == Some(step)
        || failed.is_some_and(|f| f.step.as_ref() == Some(step) || f.remaining.contains(step))
}

impl StepStatus {
    pub(super) fn of(state: &State, plan: &Plan, step: &PlanStep, now: DateTime<Utc>) -> Self {
        let known = state.step(step.name().as_str());
        Self {
            key: step.name().clone(),
            title: step.title().clone(),
            kind: step.kind(),
            state: Standing::of(state, plan, step, now),
            failure: known.and_then(|known| known.failure()).cloned(),
        }
    }
}
