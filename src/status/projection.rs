//! The status of an onboarding.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Failure, Plan};
use crate::id::{FlowName, OnboardingId, Revision, StepName, SubjectId, TenantId};
use crate::lifecycle::{Phase, Progress, StageKind, State, UndoReason, phase};
use crate::status::action::NextAction;
use crate::status::compat::Compat;
use crate::status::requirement::Requirements;
use crate::status::step::StepStatus;

/// Where a customer is, as of a revision. The [module](crate::status) describes its JSON.
///
/// ```
/// use onramp::lifecycle::State;
/// use onramp::status::{NextAction, Status};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// let status = Status::of(&state, &plan, now);
/// assert!(status.needs_onboarding);
/// assert_eq!(status.percent, 0);
/// assert_eq!(status.next_action, NextAction::Start);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The onboarding.
    pub onboarding: OnboardingId,
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowName,
    /// Who is being onboarded.
    pub subject: SubjectId,
    /// The version of the flow that it goes on under.
    pub flow_version: u32,
    /// What it is as of.
    pub revision: Revision,
    /// Whether it is not completed. Says nothing of who may pass.
    pub needs_onboarding: bool,
    /// Whether the subject does not want to be asked for now.
    pub dismissed: bool,
    /// The stage.
    pub stage: StageKind,
    /// What it is about, while it is in progress.
    pub phase: Option<Phase>,
    /// How much of the longest path is settled; see [`State::percent`].
    pub percent: u8,
    /// The first step that is not settled.
    pub current_step: Option<StepName>,
    /// The steps whose fact is there, in the flow's order. Gaps stay visible: a fact that came ahead of
    /// its turn is listed, and the step before it is not.
    pub completed_steps: Vec<StepName>,
    /// Every step, in the flow's order.
    pub steps: Vec<StepStatus>,
    /// What people still have to give.
    pub requirements: Requirements,
    /// What is to be done next.
    pub next_action: NextAction,
    /// Why it was given up, or is being given up, in words for people.
    pub failure: Option<Failure>,
    /// When what happened first.
    pub times: Times,
}

/// When what happened first. Each is set once: a repetition moves nothing.
///
/// ```
/// # use onramp::status::Times;
/// fn has_come_back(times: &Times) -> bool {
///     times.first_login.is_some_and(|at| at > times.first_seen)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Times {
    /// When the onboarding was created.
    pub first_seen: DateTime<Utc>,
    /// When the subject signed in for the first time, as the host has told
    /// ([`login`](crate::Onboarding::login)).
    pub first_login: Option<DateTime<Utc>>,
    /// When it was started for the first time.
    pub started: Option<DateTime<Utc>>,
    /// When it was completed for the first time, also after it was reopened.
    pub completed: Option<DateTime<Utc>>,
}

impl Status {
    /// The status of an onboarding in the flow that it is in, at a time. Pure.
    #[must_use]
    pub fn of(state: &State, plan: &Plan, now: DateTime<Utc>) -> Self {
        let key = state.key();
        let steps = plan.steps();
        let done = steps
            .iter()
            .filter(|step| state.progress(step) == Progress::Done);
        Self {
            onboarding: state.id(),
            tenant: key.tenant.clone(),
            flow: key.flow.clone(),
            subject: key.subject.clone(),
            flow_version: state.runs_under(),
            revision: state.revision(),
            needs_onboarding: state.stage() != StageKind::Completed,
            dismissed: state.dismissed_at().is_some(),
            stage: state.stage(),
            phase: phase(state, plan, now),
            percent: state.percent(plan),
            current_step: current_step(state, plan),
            completed_steps: done.map(|step| step.name().clone()).collect(),
            steps: steps
                .iter()
                .map(|step| StepStatus::of(state, plan, step, now))
                .collect(),
            requirements: Requirements::of(state, plan, now),
            next_action: NextAction::of(state, plan, now),
            failure: failure(state),
            times: Times {
                first_seen: state.created_at(),
                first_login: state.first_login_at(),
                started: state.started_at(),
                completed: state.completed_at(),
            },
        }
    }

    /// The same in the shape of an older client; the subscription plan is the host's to tell, and it is
    /// `None` rather than a default when it is not known.
    #[must_use]
    pub fn compat(&self, subscription_plan: impl FnOnce(&Self) -> Option<String>) -> Compat {
        Compat::of(self, subscription_plan(self))
    }
}

/// A newer version may have added steps to an onboarding that is completed: they are not its affair
/// until it is reopened.
fn current_step(state: &State, plan: &Plan) -> Option<StepName> {
    if state.stage() == StageKind::Completed {
        return None;
    }
    state.current(plan).map(|step| step.name().clone())
}

fn failure(state: &State) -> Option<Failure> {
    match (state.failed(), state.undoing().map(|u| &u.reason)) {
        (Some(failed), _) => Some(failed.failure.clone()),
        (None, Some(UndoReason::Failed { failure, .. })) => Some(failure.clone()),
        _ => None,
    }
}
