//! The rule book: a command becomes events, or a reason why not. All transitions are in this file.

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::{Failure, Kind, Plan, PlanStep, Problem, Roll};
use crate::id::{Key, OnboardingId, StepName};
use crate::lifecycle::apply::apply;
use crate::lifecycle::command::{Action, Command};
use crate::lifecycle::event::{Event, Happened};
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::{StageData, StageKind, UndoReason, Undoing};
use crate::lifecycle::state::{Progress, State};

/// How long a clearance serves.
const CLEARANCE_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// What happens when `command` is carried out in `state` at `now`, or why it is refused.
///
/// Pure. No events means that what is wished holds already, so that a repeated wish succeeds.
///
/// # Errors
/// [`Rejected`] says which rule stands against it.
///
/// ```
/// use onramp::lifecycle::{Action, Command, Operation, Rejected, StageKind, State, decide};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// let retry = Command { by: Actor::Host, action: Action::Retry };
/// let no = Rejected::WrongStage { operation: Operation::Retry, stage: StageKind::Pending };
/// assert_eq!(decide(&state, &plan, &retry, now), Err(no));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide(
    state: &State,
    plan: &Plan,
    command: &Command,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Rejected> {
    let operation = command.action.operation();
    if state.key().flow != *plan.flow() {
        return Err(Rejected::WrongFlow {
            expected: plan.flow().clone(),
            found: state.key().flow.clone(),
        });
    }
    if !operation.open_to(&command.by) {
        return Err(Rejected::WrongActor {
            operation,
            actor: command.by.clone(),
        });
    }
    if !operation.stages().contains(&state.stage()) {
        return Err(Rejected::WrongStage {
            operation,
            stage: state.stage(),
        });
    }
    let rules = Rules { state, plan, now };
    let happened = match &command.action {
        Action::Start {
            cleared,
            cleared_at,
        } => rules.start(*cleared, *cleared_at),
        Action::Submit { step, fact } => {
            rules.answerable(step)?;
            Ok(vec![Happened::AnswerSubmitted {
                step: step.clone(),
                fact: *fact,
            }])
        }
        Action::Skip { step } => rules.skip(step),
        Action::Revise { step, fact } => rules.revise(step, *fact),
        Action::Attest { step, fact } => rules.attest(step, *fact),
        Action::Complete { verified } => rules.complete(*verified),
        Action::Cancel => Ok(rules.cancel()),
        Action::Retry => rules.retry(),
        Action::RetryUndo => rules.retry_undo(),
        Action::Settle { step, applies } => rules.settle(step, *applies),
        Action::Record {
            step,
            attempt,
            fact,
        } => {
            rules.recordable(step)?;
            Ok(vec![Happened::FactRecorded {
                step: step.clone(),
                attempt: *attempt,
                fact: *fact,
            }])
        }
        Action::FailAttempt {
            step,
            attempt,
            failure,
            retryable,
            roll,
        } => rules.fail_attempt(step, *attempt, failure, retryable.then_some(*roll)),
        Action::Undone { step, attempt } => {
            rules.next_to_undo(step)?;
            Ok(vec![Happened::StepUndone {
                step: step.clone(),
                attempt: *attempt,
            }])
        }
        Action::FailUndo {
            step,
            attempt,
            failure,
            retryable,
            roll,
        } => rules.fail_undo(step, *attempt, failure, retryable.then_some(*roll)),
        Action::FinishUndo => rules.finish_undo(),
        Action::Drift { step, failure } => rules.drift(step, failure),
    }?;
    let at = now;
    Ok(happened
        .into_iter()
        .map(|happened| Event { at, happened })
        .collect())
}

impl State {
    /// A new onboarding, and the event that says so. Its first commit makes revision 1.
    #[must_use]
    pub fn create(id: OnboardingId, key: Key, plan: &Plan, now: DateTime<Utc>) -> (Self, Event) {
        let state = Self::newborn(id, key.clone(), plan.version(), now);
        let event = Event {
            at: now,
            happened: Happened::Created {
                id,
                key,
                flow_version: plan.version(),
                fingerprint: plan.fingerprint(),
            },
        };
        (
            crate::lifecycle::evolve(state, std::slice::from_ref(&event)),
            event,
        )
    }
}

struct Rules<'a> {
    state: &'a State,
    plan: &'a Plan,
    now: DateTime<Utc>,
}

type Decision = Result<Vec<Happened>, Rejected>;

impl Rules<'_> {
    // What the host and the subject wish.

    fn start(&self, cleared: OnboardingId, cleared_at: DateTime<Utc>) -> Decision {
        if cleared != self.state.id() {
            return Err(Rejected::ForeignClearance { cleared });
        }
        if self.now - cleared_at > CLEARANCE_LIFETIME {
            return Err(Rejected::StaleClearance);
        }
        Ok(vec![Happened::Started])
    }

    fn skip(&self, step: &StepName) -> Decision {
        let planned = self.answerable(step)?;
        if !planned.is_optional() {
            return Err(Rejected::Required { step: step.clone() });
        }
        Ok(vec![Happened::StepSkipped { step: step.clone() }])
    }

    fn revise(&self, step: &StepName, fact: crate::lifecycle::FactMark) -> Decision {
        self.not_undoing()?;
        let planned = self.planned(step, Kind::Answer)?;
        match self.state.progress(planned) {
            Progress::Done | Progress::Skipped => {}
            Progress::NotApplicable => {
                return Err(Rejected::NotApplicable { step: step.clone() });
            }
            Progress::Open | Progress::Unjudged => {
                return Err(Rejected::NothingToRevise { step: step.clone() });
            }
        }
        let built = self.plan.built_on(step.as_str());
        let judged = built.iter().filter(|s| {
            let known = self.state.step(s.name().as_str());
            s.is_conditional() && known.is_some_and(|k| k.applies.is_some())
        });
        let rejudge = judged.map(|s| s.name().clone()).collect();
        let mut happened = vec![Happened::AnswerRevised {
            step: step.clone(),
            fact,
            rejudge,
        }];
        let steps = self.effects(|s| built.iter().any(|b| b.name() == s.name()));
        if !steps.is_empty() {
            let reason = UndoReason::Revised { step: step.clone() };
            happened.push(Happened::UndoStarted { reason, steps });
        }
        Ok(happened)
    }

    fn attest(&self, step: &StepName, fact: crate::lifecycle::FactMark) -> Decision {
        self.planned(step, Kind::Evidence)?;
        let known = self.state.step(step.as_str());
        if known.is_some_and(|k| k.fact.is_some()) {
            // Webhooks are delivered more than once: the first one counts.
            return Ok(Vec::new());
        }
        Ok(vec![Happened::EvidenceAttested {
            step: step.clone(),
            fact,
        }])
    }

    fn complete(&self, verified: bool) -> Decision {
        self.not_undoing()?;
        let open = self
            .plan
            .steps()
            .iter()
            .filter(|step| !self.state.progress(step).is_settled());
        let steps: Vec<_> = open.map(|step| step.name().clone()).collect();
        if !steps.is_empty() {
            return Err(Rejected::Outstanding { steps });
        }
        let built = self.plan.steps().iter().any(|s| s.kind() == Kind::Task);
        if built && !verified {
            return Err(Rejected::Unverified);
        }
        Ok(vec![Happened::Completed])
    }

    fn cancel(&self) -> Vec<Happened> {
        if self.state.stage() == StageKind::Pending {
            return vec![Happened::Failed {
                failure: Failure::from(Problem::CANCELLED),
                step: None,
                remaining: Vec::new(),
            }];
        }
        let undoing = self.state.undoing();
        if undoing.is_some_and(|u| u.reason.ends_in_failure()) {
            return Vec::new();
        }
        vec![Happened::UndoStarted {
            reason: UndoReason::Cancelled,
            steps: self.effects(|_| true),
        }]
    }

    fn retry(&self) -> Decision {
        let remaining = self.remaining();
        if !remaining.is_empty() {
            return Err(Rejected::UndoRemains { remaining });
        }
        Ok(vec![Happened::Retried])
    }

    fn retry_undo(&self) -> Decision {
        let steps = self.remaining();
        let StageData::Failed(failed) = &self.state.stage else {
            return Err(Rejected::NothingRemains);
        };
        if steps.is_empty() {
            return Err(Rejected::NothingRemains);
        }
        let reason = match &failed.step {
            Some(step) => UndoReason::Failed {
                step: step.clone(),
                failure: failed.failure.clone(),
            },
            None => UndoReason::Cancelled,
        };
        Ok(vec![Happened::UndoStarted { reason, steps }])
    }

    // What workers report.

    fn settle(&self, step: &StepName, applies: bool) -> Decision {
        self.not_undoing()?;
        let planned = self.reached(step)?;
        if !planned.is_conditional() {
            return Err(Rejected::Unconditional { step: step.clone() });
        }
        if self.state.progress(planned) != Progress::Unjudged {
            return Err(Rejected::AlreadySettled { step: step.clone() });
        }
        Ok(vec![Happened::ConditionJudged {
            step: step.clone(),
            applies,
        }])
    }

    fn fail_attempt(
        &self,
        step: &StepName,
        attempt: u32,
        failure: &Failure,
        retry: Option<Roll>,
    ) -> Decision {
        let planned = self.recordable(step)?;
        if self.state.undoing().is_some() {
            // It is about to be taken back; how the attempt ended no longer matters.
            return Ok(Vec::new());
        }
        let retry_at = self.retry_at(planned, attempt, retry);
        let mut happened = vec![Happened::AttemptFailed {
            step: step.clone(),
            attempt,
            failure: failure.clone(),
            retry_at,
        }];
        if retry_at.is_none() {
            happened.push(self.give_up(step, failure));
        }
        Ok(happened)
    }

    fn fail_undo(
        &self,
        step: &StepName,
        attempt: u32,
        failure: &Failure,
        retry: Option<Roll>,
    ) -> Decision {
        let undoing = self.next_to_undo(step)?;
        let planned = self.planned(step, Kind::Task)?;
        let retry_at = self.retry_at(planned, attempt, retry);
        let mut happened = vec![Happened::UndoAttemptFailed {
            step: step.clone(),
            attempt,
            failure: failure.clone(),
            retry_at,
        }];
        if retry_at.is_none() {
            // What is earlier may be what the stuck one stands on, so nothing more is taken back.
            let remaining = undoing.steps.clone();
            happened.push(match &undoing.reason {
                UndoReason::Failed { step, failure } => Happened::Failed {
                    failure: failure.clone(),
                    step: Some(step.clone()),
                    remaining,
                },
                UndoReason::Cancelled => Happened::Failed {
                    failure: Failure::from(Problem::CANCELLED),
                    step: None,
                    remaining,
                },
                UndoReason::Revised { .. } | UndoReason::Drifted { .. } => Happened::Failed {
                    failure: failure.clone(),
                    step: Some(step.clone()),
                    remaining,
                },
            });
        }
        Ok(happened)
    }

    fn finish_undo(&self) -> Decision {
        let undoing = self.state.undoing().ok_or(Rejected::NotUndoing)?;
        if !undoing.steps.is_empty() {
            return Err(Rejected::Undoing);
        }
        let remaining = Vec::new();
        Ok(vec![match &undoing.reason {
            UndoReason::Failed { step, failure } => Happened::Failed {
                failure: failure.clone(),
                step: Some(step.clone()),
                remaining,
            },
            UndoReason::Cancelled => Happened::Failed {
                failure: Failure::from(Problem::CANCELLED),
                step: None,
                remaining,
            },
            UndoReason::Revised { .. } | UndoReason::Drifted { .. } => Happened::UndoFinished,
        }])
    }

    fn drift(&self, step: &StepName, failure: &Failure) -> Decision {
        self.not_undoing()?;
        let planned = self.planned(step, Kind::Task)?;
        if let Some(open) = self.state.current(self.plan) {
            let step = open.name().clone();
            return Err(Rejected::Outstanding { steps: vec![step] });
        }
        if self.state.progress(planned) != Progress::Done {
            return Err(Rejected::NotApplicable { step: step.clone() });
        }
        let found = Happened::DriftFound {
            step: step.clone(),
            failure: failure.clone(),
        };
        let drifts = self.state.step(step.as_str()).map_or(0, |s| s.drifts);
        if drifts + 1 >= planned.retry().max_attempts() {
            return Ok(vec![found, self.give_up(step, failure)]);
        }
        let built = self.plan.built_on(step.as_str());
        let steps =
            self.effects(|s| s.name() == step || built.iter().any(|b| b.name() == s.name()));
        let reason = UndoReason::Drifted { step: step.clone() };
        Ok(vec![found, Happened::UndoStarted { reason, steps }])
    }

    // What several rules ask.

    fn planned(&self, step: &StepName, expected: Kind) -> Result<&PlanStep, Rejected> {
        let planned = self.plan.step(step.as_str());
        let planned = planned.ok_or_else(|| Rejected::UnknownStep { step: step.clone() })?;
        if planned.kind() != expected {
            return Err(Rejected::WrongKind {
                step: step.clone(),
                expected,
                found: planned.kind(),
            });
        }
        Ok(planned)
    }

    fn not_undoing(&self) -> Result<(), Rejected> {
        match self.state.undoing() {
            Some(_) => Err(Rejected::Undoing),
            None => Ok(()),
        }
    }

    /// An answer that is open: it may be given ahead of its turn, unless it is not yet known
    /// whether it applies.
    fn answerable(&self, step: &StepName) -> Result<&PlanStep, Rejected> {
        self.not_undoing()?;
        let planned = self.planned(step, Kind::Answer)?;
        let step = step.clone();
        match self.state.progress(planned) {
            Progress::Open => Ok(planned),
            Progress::Unjudged => Err(Rejected::NotReached { step }),
            Progress::NotApplicable => Err(Rejected::NotApplicable { step }),
            Progress::Done | Progress::Skipped => Err(Rejected::AlreadySettled { step }),
        }
    }

    /// The step that every earlier step has made way for.
    fn reached(&self, step: &StepName) -> Result<&PlanStep, Rejected> {
        if self.plan.step(step.as_str()).is_none() {
            return Err(Rejected::UnknownStep { step: step.clone() });
        }
        let current = self.state.current(self.plan);
        current
            .filter(|current| current.name() == step)
            .ok_or_else(|| Rejected::NotReached { step: step.clone() })
    }

    /// A task that a worker may report on: the one reached, or one that was under way when
    /// effects began to be taken back, so that its effect is known to the undo.
    fn recordable(&self, step: &StepName) -> Result<&PlanStep, Rejected> {
        let planned = self.planned(step, Kind::Task)?;
        match self.state.undoing() {
            None => {
                self.reached(step)?;
                match self.state.progress(planned) {
                    Progress::Open => Ok(planned),
                    _ => Err(Rejected::NotReached { step: step.clone() }),
                }
            }
            Some(undoing) => {
                let known = self.state.step(step.as_str());
                let unreported = known.is_none_or(|k| k.fact.is_none());
                if unreported && undoing.steps.contains(step) {
                    Ok(planned)
                } else {
                    Err(Rejected::Undoing)
                }
            }
        }
    }

    fn next_to_undo(&self, step: &StepName) -> Result<&Undoing, Rejected> {
        let undoing = self.state.undoing().ok_or(Rejected::NotUndoing)?;
        if undoing.steps.first() != Some(step) {
            return Err(Rejected::NotReached { step: step.clone() });
        }
        Ok(undoing)
    }

    fn retry_at(
        &self,
        planned: &PlanStep,
        attempt: u32,
        retry: Option<Roll>,
    ) -> Option<DateTime<Utc>> {
        let delay = planned.retry().delay(attempt, retry?)?;
        Some(self.now + delay)
    }

    fn give_up(&self, step: &StepName, failure: &Failure) -> Happened {
        let reason = UndoReason::Failed {
            step: step.clone(),
            failure: failure.clone(),
        };
        Happened::UndoStarted {
            reason,
            steps: self.effects(|_| true),
        }
    }

    fn remaining(&self) -> Vec<StepName> {
        match &self.state.stage {
            StageData::Failed(failed) => failed.remaining.clone(),
            _ => Vec::new(),
        }
    }

    /// The effects that exist, or may: tasks with a fact, the one that is reached (an attempt may
    /// be under way), and those already being taken back. Last one first.
    fn effects(&self, among: impl Fn(&PlanStep) -> bool) -> Vec<StepName> {
        let current = self.state.current(self.plan).map(PlanStep::name);
        let undoing = self.state.undoing();
        let may_exist = |step: &PlanStep| {
            let known = self.state.step(step.name().as_str());
            known.is_some_and(|k| k.fact.is_some())
                || current == Some(step.name())
                || undoing.is_some_and(|u| u.steps.contains(step.name()))
        };
        let tasks = self.plan.steps().iter().rev();
        tasks
            .filter(|step| step.kind() == Kind::Task && among(step) && may_exist(step))
            .map(|step| step.name().clone())
            .collect()
    }
}

/// Decides several commands one after another, as one commit: each sees what the ones before it
/// did. The first refusal refuses all.
///
/// # Errors
/// [`Rejected`] of the first command that is refused.
///
/// ```
/// use onramp::lifecycle::{Action, Command, State, decide_all};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// let id = state.id();
/// let by = || Actor::Host;
/// let start = Command { by: by(), action: Action::Start { cleared: id, cleared_at: now } };
/// let cancel = Command { by: by(), action: Action::Cancel };
/// assert_eq!(decide_all(&state, &plan, &[start, cancel], now)?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide_all(
    state: &State,
    plan: &Plan,
    commands: &[Command],
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Rejected> {
    let mut events = Vec::new();
    let mut reached = state.clone();
    for command in commands {
        let decided = decide(&reached, plan, command, now)?;
        reached = decided.iter().fold(reached, apply);
        events.extend(decided);
    }
    Ok(events)
}
