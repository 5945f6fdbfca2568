//! What a host does next with a customer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Kind, Plan};
use crate::id::StepName;
use crate::lifecycle::{Next, Progress, StageKind, State, WaitingFor, next};

/// What is to be done next, as seen by the host: which page to show, or what to call.
///
/// Never a URL: only the host knows its pages.
///
/// ```
/// use onramp::status::NextAction;
/// fn page(next: &NextAction) -> String {
///     match next {
///         NextAction::Proceed => "/dashboard".into(),
///         NextAction::Answer { step, .. } => format!("/welcome/{step}"),
///         NextAction::Wait { .. } => "/welcome/progress".into(),
///         _ => "/welcome".into(),
///     }
/// }
/// assert_eq!(page(&NextAction::Answer { step: "company".into(), optional: false }), "/welcome/company");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NextAction {
    /// There is no onboarding yet: enrol.
    Enroll,
    /// Clear the gates and start.
    Start,
    /// Ask the subject.
    Answer {
        /// For this step.
        step: StepName,
        /// Whether it may be skipped.
        optional: bool,
    },
    /// Wait; nothing is to be asked of the subject.
    Wait {
        /// For whom or what.
        on: WaitingFor,
        /// The step that waits.
        step: Option<StepName>,
        /// Until when, where that is known: then something happens by itself.
        until: Option<DateTime<Utc>>,
    },
    /// Every step is settled: ask for completion.
    Complete,
    /// It was given up: it can be tried again.
    Retry,
    /// An operator has to look at it.
    Escalate,
    /// Nothing can be done any more.
    Nothing,
    /// It is completed: let the subject on.
    Proceed,
}

impl NextAction {
    pub(super) fn of(state: &State, plan: &Plan, now: DateTime<Utc>) -> Self {
        match state.stage() {
            StageKind::Pending => Self::Start,
            StageKind::Completed => Self::Proceed,
            StageKind::Failed => Self::after_failure(state),
            StageKind::InProgress => Self::under_way(state, plan, now),
        }
    }

    fn after_failure(state: &State) -> Self {
        let remains = state.failed().is_some_and(|f| !f.remaining.is_empty());
        match state.began_here() {
            _ if remains => Self::Escalate,
            true if state.erased_at().is_none() => Self::Retry,
            _ => Self::Nothing,
        }
    }

    fn under_way(state: &State, plan: &Plan, now: DateTime<Utc>) -> Self {
        let current = state.current(plan);
        let open = current.filter(|step| state.progress(step) == Progress::Open);
        // Before a worker has noted that the answer is waited for, it can be given already.
        if let Some(step) = open.filter(|step| step.kind() == Kind::Answer)
            && state.undoing().is_none()
        {
            let (step, optional) = (step.name().clone(), step.is_optional());
            return Self::Answer { step, optional };
        }
        let built = plan.steps().iter().any(|step| step.kind() == Kind::Task);
        let on_worker = |step| Self::Wait {
            on: WaitingFor::Worker,
            step,
            until: None,
        };
        match next(state, plan, now) {
            Next::Wait { on, step, until } => Self::Wait { on, step, until },
            Next::Complete if !built => Self::Complete,
            Next::Undo { step } => on_worker(Some(step)),
            Next::FinishUndo => on_worker(None),
            _ => on_worker(current.map(|step| step.name().clone())),
        }
    }
}
