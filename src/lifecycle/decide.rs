//! The rule book: a command becomes events, or a reason why not. Which rule decides each command is on
//! this page; the rules are in `wishes` (hosts, subjects, operators) and `reports` (workers).

use chrono::{DateTime, Utc};

use crate::flow::{Kind, Plan, slot};
use crate::id::{Actor, Key, OnboardingId};
use crate::lifecycle::apply::apply;
use crate::lifecycle::command::{Action, Command};
use crate::lifecycle::event::{Event, Happened};
use crate::lifecycle::next::Next;
use crate::lifecycle::questions::{Decision, Rules};
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::Operation;
use crate::lifecycle::state::State;
use crate::lifecycle::wait;

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
        Action::Draft {
            step,
            fact,
            sources,
        } => rules.draft(step, *fact, sources),
        Action::Skip { step } => rules.skip(step),
        Action::Revise { step, fact } => rules.revise(step, *fact),
        Action::Attest { step, fact } => {
            let (step, fact) = (step.clone(), *fact);
            rules.given(
                &step,
                Kind::Evidence,
                Happened::EvidenceAttested {
                    step: step.clone(),
                    fact,
                },
            )
        }
        Action::Approve { step, fact } => {
            let (step, fact) = (step.clone(), *fact);
            rules.given(
                &step,
                Kind::Approval,
                Happened::Approved {
                    step: step.clone(),
                    fact,
                },
            )
        }
        Action::Waive { step, reason } => rules.waive(step, reason),
        Action::Dismiss => Ok(match state.dismissed_at() {
            Some(_) => Vec::new(),
            None => vec![Happened::Dismissed],
        }),
        Action::Park { reason } => Ok(match state.parked() {
            Some(parked) if parked.reason == *reason => Vec::new(),
            _ => vec![Happened::Parked {
                reason: reason.clone(),
            }],
        }),
        Action::Unpark => Ok(match state.parked() {
            Some(_) => vec![Happened::Unparked],
            None => Vec::new(),
        }),
        Action::Reopen => rules.reopen(),
        Action::Adopt if state.runs_under() == plan.version() => Ok(Vec::new()),
        Action::Adopt => Ok(vec![Happened::FlowAdopted {
            flow_version: plan.version(),
            fingerprint: plan.fingerprint(),
        }]),
        Action::Login => rules.login(),
        Action::Import {
            source,
            past,
            facts,
        } => rules.import(source, past, facts),
        Action::BeginWait { step } => {
            rules.due(&Next::BeginWait { step: step.clone() })?;
            Ok(vec![Happened::WaitBegan { step: step.clone() }])
        }
        Action::Remind { step, nth } => {
            let (step, nth) = (step.clone(), *nth);
            rules.due(&Next::Remind {
                step: step.clone(),
                nth,
            })?;
            Ok(vec![Happened::Reminded { step, nth }])
        }
        Action::Elapse { step } => {
            rules.due(&Next::Elapse { step: step.clone() })?;
            Ok(vec![Happened::PauseElapsed { step: step.clone() }])
        }
        Action::Expire { step } => rules.expire(step.as_ref()),
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
    let mut events = events(happened, now);
    events.extend(wait::begun(state, plan, &events, now));
    Ok(events)
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

pub(super) fn events(happened: Vec<Happened>, at: DateTime<Utc>) -> Vec<Event> {
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
    let facts = known.map(|(name, _)| name.clone());
    let drafted = state.steps().filter(|(_, step)| step.draft.is_some());
    let drafts = drafted.map(|(name, _)| slot::draft(name));
    let steps: Vec<_> = facts.chain(drafts).chain(state.secret_slots()).collect();
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
