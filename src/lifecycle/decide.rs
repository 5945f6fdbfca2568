//! The rule book: a command becomes events, or a reason why not. All transitions are in this file.

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::{Failure, Kind, Plan, Problem, Roll};
use crate::id::{Actor, Key, OnboardingId, StepName};
use crate::lifecycle::apply::apply;
use crate::lifecycle::command::{Action, Command};
use crate::lifecycle::event::{Event, Happened};
use crate::lifecycle::questions::Rules;
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::{Operation, StageData, StageKind, UndoReason};
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
    if state.key().flow != *plan.flow() {
        return Err(Rejected::WrongFlow {
            expected: plan.flow().clone(),
            found: state.key().flow.clone(),
        });
    }
    admitted(state, command.action.operation(), &command.by)?;
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
        Action::Complete { verified } => {
            // Only a worker can have looked.
            rules.complete(*verified && command.by == Actor::Worker)
        }
        Action::Cancel => Ok(rules.cancel()),
        Action::Retry => rules.retry(),
        Action::RetryUndo => rules.retry_undo(),
        Action::Erase => erase(state),
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
    Ok(events(happened, now))
}

/// What happens when the facts are erased. No flow is asked, so it serves whatever is stored.
#[cfg(feature = "store")]
pub(crate) fn decide_erasure(
    state: &State,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Rejected> {
    admitted(state, Operation::Erase, by)?;
    Ok(events(erase(state)?, now))
}

/// Whether an operation is one of the stage's and of the actor's.
fn admitted(state: &State, operation: Operation, by: &Actor) -> Result<(), Rejected> {
    if !operation.open_to(by) {
        return Err(Rejected::WrongActor {
            operation,
            actor: by.clone(),
        });
    }
    if !operation.stages().contains(&state.stage()) {
        return Err(Rejected::WrongStage {
            operation,
            stage: state.stage(),
        });
    }
    Ok(())
}

fn events(happened: Vec<Happened>, at: DateTime<Utc>) -> Vec<Event> {
    let happened = happened.into_iter();
    happened.map(|happened| Event { at, happened }).collect()
}

/// What could not be taken back still needs its facts for that.
fn erase(state: &State) -> Decision {
    if let Some(failed) = state.failed().filter(|failed| !failed.remaining.is_empty()) {
        let remaining = failed.remaining.clone();
        return Err(Rejected::UndoRemains { remaining });
    }
    if state.erased_at().is_some() {
        return Ok(Vec::new());
    }
    let known = state.steps().filter(|(_, step)| step.fact.is_some());
    let steps: Vec<_> = known.map(|(name, _)| name.clone()).collect();
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Happened::FactsErased { steps }])
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
        let rejudge: Vec<_> = judged.map(|s| s.name().clone()).collect();
        let undo = self.effects(|s| built.iter().any(|b| b.name() == s.name()));
        // A task that may be under way is overtaken when something before it is done again. Its
        // effect would be forgotten by then, so it is taken back as well.
        let overtaken = self.state.current(self.plan).filter(|current| {
            let mut steps = self.plan.steps().iter();
            let first = steps.find(|s| rejudge.contains(s.name()) || undo.contains(s.name()));
            first.is_some_and(|first| self.plan.is_before(first, current))
        });
        let steps = self.effects(|s| {
            undo.contains(s.name()) || overtaken.is_some_and(|o| o.name() == s.name())
        });
        let mut happened = vec![Happened::AnswerRevised {
            step: step.clone(),
            fact,
            rejudge,
        }];
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
        self.not_erased()?;
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
        if self.state.started_at().is_none() {
            // Its gates were never checked, and a retry must not be a way around them.
            return Err(Rejected::NeverStarted);
        }
        self.not_erased()?;
        Ok(vec![Happened::Retried])
    }

    fn not_erased(&self) -> Result<(), Rejected> {
        match self.state.erased_at() {
            Some(_) => Err(Rejected::Erased),
            None => Ok(()),
        }
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
            let failed = failed_for(&undoing.reason, undoing.steps.clone());
            // Giving up takes everything back, not only what had to be built again.
            happened.push(failed.unwrap_or_else(|| Happened::Failed {
                failure: failure.clone(),
                step: Some(step.clone()),
                remaining: self.effects(|_| true),
            }));
        }
        Ok(happened)
    }

    fn finish_undo(&self) -> Decision {
        let undoing = self.state.undoing().ok_or(Rejected::NotUndoing)?;
        if !undoing.steps.is_empty() {
            return Err(Rejected::Undoing);
        }
        let failed = failed_for(&undoing.reason, Vec::new());
        Ok(vec![failed.unwrap_or(Happened::UndoFinished)])
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
}

/// The failure that an undo for this reason ends in; none when it goes on afterwards.
fn failed_for(reason: &UndoReason, remaining: Vec<StepName>) -> Option<Happened> {
    let (failure, step) = match reason {
        UndoReason::Failed { step, failure } => (failure.clone(), Some(step.clone())),
        UndoReason::Cancelled => (Failure::from(Problem::CANCELLED), None),
        UndoReason::Revised { .. } | UndoReason::Drifted { .. } => return None,
    };
    Some(Happened::Failed {
        failure,
        step,
        remaining,
    })
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
    if let [only] = commands {
        return decide(state, plan, only, now);
    }
    let mut events = Vec::new();
    let mut reached = state.clone();
    for command in commands {
        let decided = decide(&reached, plan, command, now)?;
        reached = decided.iter().fold(reached, apply);
        events.extend(decided);
    }
    Ok(events)
}
