//! What an event changes. Total: an event that does not fit changes nothing.

use chrono::{DateTime, SubsecRound, Utc};

use crate::lifecycle::event::{Event, Happened};
use crate::lifecycle::stage::{Completed, Failed, InProgress, StageData, Undoing};
use crate::lifecycle::state::{Parked, State, StepState};
use crate::lifecycle::wait::Wait;

/// The state after an event.
///
/// ```
/// use onramp::lifecycle::{Event, Happened, StageKind, State, apply};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// let started = Event { at: now, happened: Happened::Started };
/// assert_eq!(apply(state, &started).stage(), StageKind::InProgress);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn apply(mut state: State, event: &Event) -> State {
    change(&mut state, event);
    state
}

fn change(state: &mut State, event: &Event) {
    let at = event.at;
    state.end_wait(&event.happened);
    match &event.happened {
        Happened::Created { .. } => {}
        Happened::Started => {
            state.common.started_at.get_or_insert(at);
            state.stage = StageData::InProgress(InProgress {
                since: at,
                undoing: None,
            });
        }
        Happened::FactsErased { .. } => {
            // The marks stay: what was done was done. A draft was never anything.
            state.common.erased_at = Some(at);
            for step in state.common.steps.values_mut() {
                step.draft = None;
            }
            state.common.secrets.clear();
        }
        Happened::SecretKept { .. }
        | Happened::SecretRewrapped { .. }
        | Happened::SecretBurnt { .. }
        | Happened::RevealOffered { .. }
        | Happened::RevealRefused { .. }
        | Happened::RevealBurnt { .. }
        | Happened::Revealed { .. } => state.change_secret(&event.happened, at),
        Happened::Retried => {
            for step in state.common.steps.values_mut() {
                step.forget_attempts();
            }
            state.stage = StageData::InProgress(InProgress {
                since: at,
                undoing: None,
            });
        }
        Happened::AnswerSubmitted { step, fact }
        | Happened::EvidenceAttested { step, fact }
        | Happened::Approved { step, fact } => {
            let known = state.step_mut(step);
            known.fact = Some(*fact);
            known.draft = None;
            known.settle(at);
            // What is given after all is no exception any more.
            known.waived = false;
        }
        Happened::StepWaived { step, .. } => {
            let waived = state.step_mut(step);
            waived.waived = true;
            waived.settle(at);
        }
        Happened::DraftSaved {
            step,
            fact,
            sources,
        } => {
            let known = state.step_mut(step);
            known.draft = Some(Box::new(*fact));
            known.sources = sources.clone();
        }
        Happened::Dismissed => state.common.dismissed_at = Some(at),
        Happened::Parked { reason } => {
            let reason = reason.clone();
            state.common.parked = Some(Box::new(Parked { at, reason }));
        }
        Happened::Unparked => state.common.parked = None,
        Happened::LoggedIn => {
            state.common.login_at.get_or_insert(at);
        }
        Happened::Imported {
            source,
            past,
            facts,
        } => state.take_over(source, past, facts, at),
        Happened::WaitBegan { step } => {
            state.common.wait = Some(Wait {
                step: step.clone(),
                since: at,
                reminded: 0,
            });
        }
        Happened::Reminded { step, nth } => {
            if let Some(wait) = state.common.wait.as_mut().filter(|w| w.step == *step) {
                wait.reminded = *nth;
            }
        }
        Happened::PauseElapsed { step } => {
            let pause = state.step_mut(step);
            pause.elapsed = true;
            pause.settle(at);
        }
        Happened::AnswerRevised {
            step,
            fact,
            rejudge,
        } => {
            let answer = state.step_mut(step);
            answer.fact = Some(*fact);
            answer.draft = None;
            answer.skipped = false;
            answer.settle(at);
            for step in rejudge {
                let judged = state.step_mut(step);
                judged.applies = None;
                judged.settled_at.take_if(|_| judged.fact.is_none());
            }
        }
        Happened::StepSkipped { step } => {
            let skipped = state.step_mut(step);
            skipped.skipped = true;
            skipped.draft = None;
            skipped.settle(at);
        }
        Happened::ConditionJudged { step, applies } => {
            let judged = state.step_mut(step);
            judged.applies = Some(*applies);
            if !applies {
                judged.settle(at);
            }
        }
        Happened::FactRecorded {
            step,
            attempt,
            fact,
        } => {
            let task = state.step_mut(step);
            task.fact = Some(*fact);
            task.settle(at);
            task.attempts = *attempt;
            task.retry_at = None;
            task.failure = None;
        }
        Happened::AttemptFailed {
            step,
            attempt,
            failure,
            retry_at,
        } => {
            let task = state.step_mut(step);
            task.attempts = *attempt;
            task.retry_at = *retry_at;
            task.failure = Some(failure.clone());
        }
        Happened::DriftFound { step, failure } => {
            let task = state.step_mut(step);
            task.drifts = task.drifts.saturating_add(1);
            task.failure = Some(failure.clone());
        }
        Happened::UndoStarted { reason, steps } => {
            for step in steps {
                state.step_mut(step).retry_at = None;
            }
            let since = match &state.stage {
                StageData::InProgress(running) => running.since,
                _ => at,
            };
            state.stage = StageData::InProgress(InProgress {
                since,
                undoing: Some(Undoing {
                    reason: reason.clone(),
                    steps: steps.clone(),
                }),
            });
        }
        Happened::StepUndone { step, .. } => {
            let task = state.step_mut(step);
            task.fact = None;
            task.settled_at = None;
            task.round = task.round.saturating_add(1);
            task.undo_attempts = 0;
            task.retry_at = None;
            if let Some(undoing) = state.undoing_mut() {
                undoing.steps.retain(|s| s != step);
            }
        }
        Happened::UndoAttemptFailed {
            step,
            attempt,
            failure,
            retry_at,
        } => {
            let task = state.step_mut(step);
            task.undo_attempts = *attempt;
            task.retry_at = *retry_at;
            task.failure = Some(failure.clone());
        }
        Happened::UndoFinished => {
            if let StageData::InProgress(running) = &mut state.stage {
                running.undoing = None;
            }
        }
        Happened::Reopened { due } => {
            // The stage's own time goes with the stage.
            state.common.completed_at = state.completed_at();
            state.common.reopened_for = Some(due.clone());
            state.stage = StageData::InProgress(InProgress {
                since: at,
                undoing: None,
            });
        }
        Happened::FlowAdopted { flow_version, .. } => {
            state.common.adopted = Some(*flow_version);
        }
        Happened::Completed => state.stage = StageData::Completed(Completed { at }),
        Happened::Failed {
            failure,
            step,
            remaining,
        } => {
            state.stage = StageData::Failed(Failed {
                at,
                failure: failure.clone(),
                step: step.clone(),
                remaining: remaining.clone(),
            });
        }
    }
}

/// The state after one commit: its events applied, its revision counted.
///
/// ```
/// use onramp::lifecycle::{Event, Happened, State, evolve};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// assert_eq!(state.revision().get(), 1);
/// let started = Event { at: now, happened: Happened::Started };
/// assert_eq!(evolve(state, &[started]).revision().get(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn evolve(mut state: State, events: &[Event]) -> State {
    for event in events {
        change(&mut state, event);
    }
    state.common.revision = state.common.revision.next();
    state
}

/// The state that a whole journal adds up to: one item per commit.
///
/// `None` when the first commit does not begin with the creation.
///
/// ```
/// use onramp::lifecycle::{State, fold};
/// # use onramp::flow::{Kind, Plan, PlanStep};
/// # use onramp::{Actor, Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
/// # let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// # let key = Key { tenant: TenantId::new("acme")?, flow: plan.flow().clone(), subject: SubjectId::new("org-001")? };
/// # let now = SystemClock.now();
/// # let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
/// assert_eq!(fold([[created].as_slice()]), Some(state));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn fold<'e>(commits: impl IntoIterator<Item = &'e [Event]>) -> Option<State> {
    let mut commits = commits.into_iter();
    let first = commits.next()?;
    let Happened::Created {
        id,
        key,
        flow_version,
        ..
    } = &first.first()?.happened
    else {
        return None;
    };
    let newborn = State::newborn(*id, key.clone(), *flow_version, first.first()?.at);
    Some(commits.fold(evolve(newborn, first), evolve))
}

impl State {
    /// A wait is over when its step is settled, or the onboarding goes another way; and whoever goes
    /// on wants to be asked again.
    fn end_wait(&mut self, happened: &Happened) {
        let common = &mut self.common;
        match happened {
            Happened::Started | Happened::AnswerRevised { .. } => common.dismissed_at = None,
            Happened::AnswerSubmitted { step, .. } | Happened::StepSkipped { step } => {
                common.dismissed_at = None;
                common.wait.take_if(|wait| wait.step == *step);
            }
            Happened::EvidenceAttested { step, .. }
            | Happened::Approved { step, .. }
            | Happened::StepWaived { step, .. }
            | Happened::PauseElapsed { step } => {
                common.wait.take_if(|wait| wait.step == *step);
            }
            Happened::UndoStarted { .. } | Happened::Failed { .. } | Happened::Completed => {
                common.wait = None;
            }
            _ => {}
        }
    }

    pub(super) fn step_mut(&mut self, step: &crate::id::StepName) -> &mut StepState {
        self.common.steps.known(step)
    }

    fn undoing_mut(&mut self) -> Option<&mut Undoing> {
        match &mut self.stage {
            StageData::InProgress(running) => running.undoing.as_mut(),
            _ => None,
        }
    }
}

impl StepState {
    /// The first time counts: what is changed later was settled all the while. In whole microseconds,
    /// so that a row that was stored is still what its journal adds up to.
    fn settle(&mut self, at: DateTime<Utc>) {
        self.settled_at.get_or_insert(at.trunc_subsecs(6));
    }

    /// A new start counts its attempts anew; how often the effect was undone is kept, because the
    /// effect key depends on it.
    fn forget_attempts(&mut self) {
        self.attempts = 0;
        self.undo_attempts = 0;
        self.drifts = 0;
        self.retry_at = None;
        self.failure = None;
    }
}
