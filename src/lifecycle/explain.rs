//! Why is this one not complete? Everything that stands between an onboarding and its completion.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::flow::{Failure, Kind, Plan, PlanStep};
use crate::id::StepName;
use crate::lifecycle::next::{Next, WaitingFor, next};
use crate::lifecycle::stage::StageData;
use crate::lifecycle::state::{Progress, State};

/// One thing that stands between an onboarding and its completion.
///
/// ```
/// use onramp::lifecycle::{Obstacle, ObstacleKind};
/// fn tell_support(obstacles: &[Obstacle]) {
///     for obstacle in obstacles {
///         println!("{obstacle}"); // "payment: waits for a third party until 2026-12-01 ..."
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Obstacle {
    /// What kind of thing it is.
    pub kind: ObstacleKind,
    /// The step it is about, if it is about one.
    pub step: Option<StepName>,
    /// Who can do something about it.
    pub on: WaitingFor,
    /// Since when it is waited for, where that is known.
    pub since: Option<DateTime<Utc>>,
    /// Until when it is waited for: then something happens by itself.
    pub until: Option<DateTime<Utc>>,
    /// What went wrong, in words for people.
    pub failure: Option<Failure>,
}

/// What kind of thing stands between an onboarding and its completion.
///
/// ```
/// use onramp::lifecycle::ObstacleKind;
/// assert_eq!(ObstacleKind::NotStarted.as_str(), "not_started");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObstacleKind {
    /// It was never started.
    NotStarted,
    /// Too many of the tenant start at once.
    TooManyStarts,
    /// A gate is closed.
    GateClosed,
    /// An operator has stopped it.
    Parked,
    /// The step that is next is not settled.
    Open,
    /// A later step is not settled either.
    Later,
    /// An attempt at the step has failed, and is repeated.
    Retrying,
    /// An effect is being taken back first.
    Undoing,
    /// What was built is still to be verified.
    Unverified,
    /// It was given up.
    GivenUp,
    /// An effect could not be taken back.
    NotTakenBack,
    /// The facts were erased: it stays as it is.
    Erased,
}

impl ObstacleKind {
    /// The stable name, as it is serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::TooManyStarts => "too_many_starts",
            Self::GateClosed => "gate_closed",
            Self::Parked => "parked",
            Self::Open => "open",
            Self::Later => "later",
            Self::Retrying => "retrying",
            Self::Undoing => "undoing",
            Self::Unverified => "unverified",
            Self::GivenUp => "given_up",
            Self::NotTakenBack => "not_taken_back",
            Self::Erased => "erased",
        }
    }
}

impl Obstacle {
    fn new(kind: ObstacleKind, step: Option<&StepName>, on: WaitingFor) -> Self {
        Self {
            kind,
            step: step.cloned(),
            on,
            since: None,
            until: None,
            failure: None,
        }
    }

    fn failing(mut self, failure: Option<&Failure>) -> Self {
        self.failure = failure.cloned();
        self
    }

    /// One start too many, until then.
    #[cfg(feature = "store")]
    pub(crate) fn too_many_starts(until: DateTime<Utc>) -> Self {
        Self {
            until: Some(until),
            ..Self::new(ObstacleKind::TooManyStarts, None, WaitingFor::Time)
        }
    }

    /// A closed gate.
    #[cfg(feature = "store")]
    pub(crate) fn gate(failure: Failure) -> Self {
        Self::new(ObstacleKind::GateClosed, None, WaitingFor::Host).failing(Some(&failure))
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "{step}: ")?;
        }
        let whom = match self.on {
            WaitingFor::Host => "us",
            WaitingFor::Subject => "the subject",
            WaitingFor::ThirdParty => "a third party",
            WaitingFor::Operator => "an operator",
            WaitingFor::Time => "the time",
            WaitingFor::Worker => "a worker",
        };
        match self.kind {
            ObstacleKind::NotStarted => f.write_str("it was not started")?,
            ObstacleKind::TooManyStarts => {
                f.write_str("too many of its tenant start at once: it has to wait")?;
            }
            ObstacleKind::GateClosed => f.write_str("a prerequisite does not hold")?,
            ObstacleKind::Parked => f.write_str("it was parked: unpark it")?,
            ObstacleKind::Open => write!(f, "waits for {whom}")?,
            ObstacleKind::Later => write!(f, "will wait for {whom}")?,
            ObstacleKind::Retrying => f.write_str("is tried again")?,
            ObstacleKind::Undoing if self.step.is_none() => {
                f.write_str("everything was taken back")?;
            }
            ObstacleKind::Undoing => f.write_str("is being taken back")?,
            ObstacleKind::Unverified => f.write_str("what was built is to be verified")?,
            ObstacleKind::GivenUp => f.write_str("it was given up: retry it")?,
            ObstacleKind::NotTakenBack => {
                f.write_str("could not be taken back: retry the undo")?;
            }
            ObstacleKind::Erased => f.write_str("its facts were erased")?,
        }
        if let Some(since) = self.since {
            write!(f, " since {since}")?;
        }
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        if let Some(failure) = &self.failure {
            write!(f, " ({})", failure.code())?;
        }
        Ok(())
    }
}

/// Everything that stands between an onboarding and its completion, in the order in which it comes up.
/// Nothing does when it is completed.
///
/// Pure: the same arguments give the same answer.
///
/// ```
/// use onramp::lifecycle::{ObstacleKind, State, explain};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// let kinds: Vec<_> = explain(&state, &plan, now).iter().map(|o| o.kind).collect();
/// assert_eq!(kinds, [ObstacleKind::NotStarted, ObstacleKind::Later]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn explain(state: &State, plan: &Plan, now: DateTime<Utc>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let running = match &state.stage {
        StageData::Completed(_) => return obstacles,
        StageData::Pending(_) => {
            let start = Obstacle::new(ObstacleKind::NotStarted, None, WaitingFor::Host);
            obstacles.push(start);
            false
        }
        StageData::Failed(failed) => {
            for step in &failed.remaining {
                let kind = ObstacleKind::NotTakenBack;
                obstacles.push(Obstacle::new(kind, Some(step), WaitingFor::Operator));
            }
            let kind = ObstacleKind::GivenUp;
            let given_up = Obstacle::new(kind, failed.step.as_ref(), WaitingFor::Host);
            obstacles.push(given_up.failing(Some(&failed.failure)));
            false
        }
        StageData::InProgress(running) => {
            if let Some(parked) = state.parked() {
                let mut stopped = Obstacle::new(ObstacleKind::Parked, None, WaitingFor::Operator);
                stopped.since = Some(parked.at);
                obstacles.push(stopped);
            }
            if let Some(undoing) = &running.undoing {
                let steps = undoing.steps.iter().map(Some);
                // With nothing left to take back, a worker still has to say so.
                let none = undoing.steps.is_empty().then_some(None);
                obstacles.extend(steps.chain(none).map(|step| {
                    let known = step.and_then(|step| state.step(step.as_str()));
                    let failure = known.and_then(|known| known.failure());
                    let undoing = Obstacle::new(ObstacleKind::Undoing, step, WaitingFor::Worker);
                    undoing.failing(failure)
                }));
            }
            running.undoing.is_none()
        }
    };
    if state.erased_at().is_some() {
        obstacles.push(Obstacle::new(ObstacleKind::Erased, None, WaitingFor::Host));
    }
    let open = plan
        .steps()
        .iter()
        .filter(|step| !state.progress(step).is_settled());
    let open: Vec<_> = open.collect();
    for (place, step) in open.iter().enumerate() {
        obstacles.push(match place == 0 && running {
            true => current(state, plan, step, now),
            false => Obstacle::new(ObstacleKind::Later, Some(step.name()), on(state, step)),
        });
    }
    let built = plan.steps().iter().any(|step| step.kind() == Kind::Task);
    if running && open.is_empty() && built {
        let kind = ObstacleKind::Unverified;
        obstacles.push(Obstacle::new(kind, None, WaitingFor::Worker));
    } else if running && open.is_empty() {
        // Nothing is missing but the wish.
        obstacles.push(Obstacle::new(ObstacleKind::Open, None, WaitingFor::Host));
    }
    obstacles
}

/// Who settles a step.
fn on(state: &State, step: &PlanStep) -> WaitingFor {
    match step.kind() {
        _ if state.progress(step) == Progress::Unjudged => WaitingFor::Worker,
        Kind::Answer => WaitingFor::Subject,
        Kind::Evidence => WaitingFor::ThirdParty,
        Kind::Approval => WaitingFor::Operator,
        Kind::Task => WaitingFor::Worker,
        Kind::Pause => WaitingFor::Time,
    }
}

/// The step that is next.
fn current(state: &State, plan: &Plan, step: &PlanStep, now: DateTime<Utc>) -> Obstacle {
    let name = step.name();
    let known = state.step(name.as_str());
    let failure = known.and_then(|s| s.failure());
    let kind = match failure {
        Some(_) => ObstacleKind::Retrying,
        None => ObstacleKind::Open,
    };
    let mut obstacle = Obstacle::new(kind, Some(name), on(state, step)).failing(failure);
    let wait = state.wait().filter(|wait| wait.step == *name);
    obstacle.since = wait.map(|wait| wait.since);
    if let Next::Wait { until, .. } = next(state, plan, now) {
        obstacle.until = until;
    }
    obstacle
}
