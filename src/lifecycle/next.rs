//! What is to be done now, and by whom.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Kind, Plan};
use crate::id::StepName;
use crate::lifecycle::stage::StageData;
use crate::lifecycle::state::{Progress, State};
use crate::lifecycle::wait;

/// What is to be done now.
///
/// ```
/// use onramp::lifecycle::{Next, WaitingFor};
/// let next = Next::Wait { on: WaitingFor::Subject, step: Some("company".into()), until: None };
/// assert!(next.is_waiting());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Judge whether a conditional step applies.
    Judge {
        /// The step.
        step: StepName,
    },
    /// Run a task.
    Run {
        /// Its step.
        step: StepName,
    },
    /// Take an effect back.
    Undo {
        /// Its step.
        step: StepName,
    },
    /// Note since when a step waits.
    BeginWait {
        /// The step.
        step: StepName,
    },
    /// Remind somebody that they are waited for.
    Remind {
        /// The step that waits.
        step: StepName,
        /// The which reminder it is, counted from 1; those before it are over.
        nth: u32,
    },
    /// A pause is over.
    Elapse {
        /// Its step.
        step: StepName,
    },
    /// Patience is at an end.
    Expire {
        /// The step that waited; none when the whole took too long.
        step: Option<StepName>,
    },
    /// Everything is taken back: end that.
    FinishUndo,
    /// Every step is settled: verify what was built and complete.
    Complete,
    /// Wait.
    Wait {
        /// For whom or what.
        on: WaitingFor,
        /// The step that waits; none before the start, and for a parked one.
        step: Option<StepName>,
        /// Until when, where that is known.
        until: Option<DateTime<Utc>>,
    },
    /// Nothing: it is over.
    Nothing,
}

impl Next {
    /// Whether nothing can be done now, but later.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Wait { .. })
    }
}

/// For whom or what an onboarding waits.
///
/// ```
/// use onramp::lifecycle::WaitingFor;
/// assert_eq!(WaitingFor::ThirdParty.as_str(), "third_party");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WaitingFor {
    /// The host, to clear and start it.
    Host,
    /// The one who is being onboarded, to answer.
    Subject,
    /// A third party, whose evidence the host attests.
    ThirdParty,
    /// An operator, to approve.
    Operator,
    /// A time: the end of a pause, or the next attempt after a failed one.
    Time,
    /// A worker: something is to be done at once.
    Worker,
}

impl WaitingFor {
    /// `"host"`, `"subject"`, `"third_party"`, `"operator"`, `"time"` or `"worker"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Subject => "subject",
            Self::ThirdParty => "third_party",
            Self::Operator => "operator",
            Self::Time => "time",
            Self::Worker => "worker",
        }
    }
}

/// What an onboarding that is in progress is about.
///
/// ```
/// use onramp::lifecycle::Phase;
/// assert_eq!(Phase::Undoing.as_str(), "undoing");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A worker has something to do now.
    Advancing,
    /// Somebody or some time is waited for.
    Waiting,
    /// Effects are being taken back.
    Undoing,
}

impl Phase {
    /// `"advancing"`, `"waiting"` or `"undoing"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advancing => "advancing",
            Self::Waiting => "waiting",
            Self::Undoing => "undoing",
        }
    }
}

/// What is to be done now: the first thing that is not settled, in plan order.
///
/// Pure: the same arguments give the same answer, and nothing is changed.
///
/// ```
/// use onramp::lifecycle::{Next, State, WaitingFor, next};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// let waits = Next::Wait { on: WaitingFor::Host, step: None, until: None };
/// assert_eq!(next(&state, &plan, now), waits); // it is pending
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn next(state: &State, plan: &Plan, now: DateTime<Utc>) -> Next {
    let running = match &state.stage {
        StageData::Pending(_) => {
            return Next::Wait {
                on: WaitingFor::Host,
                step: None,
                until: None,
            };
        }
        StageData::Completed(_) | StageData::Failed(_) => return Next::Nothing,
        StageData::InProgress(running) => running,
    };
    if state.parked().is_some() {
        return Next::Wait {
            on: WaitingFor::Operator,
            step: None,
            until: None,
        };
    }
    // The moment before which a step must not be attempted again.
    let held_until = |step: &StepName, deadline: Option<DateTime<Utc>>| {
        let retry_at = state.step(step.as_str()).and_then(|s| s.retry_at);
        retry_at.filter(|at| *at > now).map(|at| Next::Wait {
            on: WaitingFor::Time,
            step: Some(step.clone()),
            until: deadline.into_iter().chain([at]).min(),
        })
    };
    if let Some(undoing) = &running.undoing {
        return match undoing.steps.first() {
            None => Next::FinishUndo,
            Some(step) => {
                held_until(step, None).unwrap_or_else(|| Next::Undo { step: step.clone() })
            }
        };
    }
    let Some(current) = state.current(plan) else {
        return Next::Complete;
    };
    let deadline = wait::deadline(running, plan);
    if deadline.is_some_and(|at| at <= now) {
        return Next::Expire { step: None };
    }
    let step = current.name().clone();
    let waiting = |on| wait::next_of(state, current, on, deadline, now);
    match (state.progress(current), current.kind()) {
        (Progress::Unjudged, _) => Next::Judge { step },
        (_, Kind::Answer) => waiting(WaitingFor::Subject),
        (_, Kind::Evidence) => waiting(WaitingFor::ThirdParty),
        (_, Kind::Approval) => waiting(WaitingFor::Operator),
        (_, Kind::Pause) => waiting(WaitingFor::Time),
        (_, Kind::Task) => held_until(&step, deadline).unwrap_or(Next::Run { step }),
    }
}

/// What an onboarding that is in progress is about; `None` in every other stage.
///
/// ```
/// use onramp::lifecycle::{Event, Happened, Phase, State, evolve, phase};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// assert_eq!(phase(&state, &plan, now), None);
/// let state = evolve(state, &[Event { at: now, happened: Happened::Started }]);
/// assert_eq!(phase(&state, &plan, now), Some(Phase::Waiting)); // for the company
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn phase(state: &State, plan: &Plan, now: DateTime<Utc>) -> Option<Phase> {
    let StageData::InProgress(running) = &state.stage else {
        return None;
    };
    Some(match next(state, plan, now) {
        _ if running.undoing.is_some() => Phase::Undoing,
        Next::Wait { .. } => Phase::Waiting,
        _ => Phase::Advancing,
    })
}
