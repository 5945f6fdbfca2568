//! What is still to be given, by when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Kind, Plan, PlanStep};
use crate::id::StepName;
use crate::lifecycle::{Progress, StageKind, State};

/// What people still have to give, in buckets. What workers do and pauses are not in it; each step is in
/// one bucket at most.
///
/// ```
/// use onramp::status::Requirements;
/// fn is_urgent(requirements: &Requirements) -> bool {
///     !requirements.past_due.is_empty()
/// }
/// assert!(!is_urgent(&Requirements::default()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Requirements {
    /// The subject's turn: nothing goes on before it.
    pub due_now: Vec<Requirement>,
    /// The deadline is over, and it was not given up yet.
    pub past_due: Vec<Requirement>,
    /// Its turn will come, or may: of a conditional step it may not be known yet.
    pub due_later: Vec<Requirement>,
    /// It is the turn of a third party or an operator.
    pub waiting: Vec<Requirement>,
    /// May be skipped.
    pub optional: Vec<Requirement>,
}

/// One thing that somebody still has to give.
///
/// ```
/// use onramp::status::Requirement;
/// fn say(requirement: &Requirement) -> String {
///     match requirement.deadline {
///         Some(deadline) => format!("{} until {deadline}", requirement.step),
///         None => requirement.step.to_string(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Requirement {
    /// The step.
    pub step: StepName,
    /// What is required.
    pub code: RequirementCode,
    /// By when, where that is known; otherwise it may be given at any time.
    pub deadline: Option<DateTime<Utc>>,
}

/// What is required; a stable code for programs.
///
/// ```
/// use onramp::status::RequirementCode;
/// assert_eq!(serde_json::to_string(&RequirementCode::AnswerRequired)?, "\"answer_required\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequirementCode {
    /// An answer of the subject's.
    AnswerRequired,
    /// An answer of the subject's, which may be left out.
    AnswerOptional,
    /// Evidence of a third party.
    EvidenceRequired,
    /// An operator's approval.
    ApprovalRequired,
}

impl Requirements {
    pub(super) fn of(state: &State, plan: &Plan, now: DateTime<Utc>) -> Self {
        let mut all = Self::default();
        if state.stage() == StageKind::Completed {
            return all;
        }
        let running = state.stage() == StageKind::InProgress && state.undoing().is_none();
        let current = state.current(plan).filter(|_| running).map(PlanStep::name);
        for step in plan.steps() {
            let progress = state.progress(step);
            if progress.is_settled() {
                continue;
            }
            let Some(requirement) = Requirement::of(state, plan, step) else {
                continue;
            };
            let late = requirement.deadline.is_some_and(|at| at <= now);
            let turn = current == Some(step.name()) && progress == Progress::Open;
            let bucket = match requirement.code {
                _ if late && running => &mut all.past_due,
                RequirementCode::AnswerOptional => &mut all.optional,
                _ if !turn => &mut all.due_later,
                RequirementCode::AnswerRequired => &mut all.due_now,
                _ => &mut all.waiting,
            };
            bucket.push(requirement);
        }
        all
    }
}

impl Requirement {
    fn of(state: &State, plan: &Plan, step: &PlanStep) -> Option<Self> {
        let code = match step.kind() {
            Kind::Answer if step.is_optional() => RequirementCode::AnswerOptional,
            Kind::Answer => RequirementCode::AnswerRequired,
            Kind::Evidence => RequirementCode::EvidenceRequired,
            Kind::Approval => RequirementCode::ApprovalRequired,
            Kind::Task | Kind::Pause => return None,
        };
        Some(Self {
            step: step.name().clone(),
            code,
            deadline: state.deadline(plan, step),
        })
    }
}
