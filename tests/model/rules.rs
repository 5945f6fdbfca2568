//! The library's own rules, as the model asks them.
//!
//! Every transition of a row is a commit that the library makes (`testing::commits`): what is checked is
//! the code and not a drawing of it. Rules are pure, so each question is asked once: a row is a number,
//! and what follows from a row and a wish is remembered. That is what makes millions of states cheap.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::{Failure, Kind, Need, Plan, PlanStep, Problem, RetryPolicy, Roll};
use onramp::lifecycle::{
    Action, Command, Digest, Event, FactMark, Next, Rejected, StageKind, State, evolve, next,
};
use onramp::store::{Commit, QueueChange, Row};
use onramp::testing::commits::{self, SecretAct};
use onramp::{Actor, CommandId, Fence, Key, Reason, SecretName, StepName, SubjectId, TenantId};
use uuid::Uuid;

use crate::model::guard::{Guard, Guards};
use crate::model::sabotage;
use crate::model::store::Queue;

/// A row that came up, by the order in which it did.
pub(crate) type RowId = u32;

/// How often a task is attempted.
pub(crate) const ATTEMPTS: u16 = 2;

/// How many steps there are.
pub(crate) const STEPS: u8 = 3;

/// The step that is asked for.
pub(crate) const QUESTION: u8 = 1;

static SECRET: SecretName = SecretName::from_static("api_key");

/// What somebody wants, or a worker reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wish {
    Start,
    Submit,
    Revise,
    Cancel,
    Retry,
    RetryUndo,
    /// An operator stops the workers.
    Park,
    Unpark,
    AskComplete,
    Record {
        step: u8,
        attempt: u16,
    },
    Fail {
        step: u8,
        attempt: u16,
        again: bool,
    },
    Undone {
        step: u8,
        attempt: u16,
        last: bool,
    },
    FailUndo {
        step: u8,
        attempt: u16,
        again: bool,
    },
    FinishUndo,
    Complete,
    Drift {
        step: u8,
    },
    Keep,
    Offer {
        token: u8,
    },
    Refuse {
        late: bool,
    },
    Reveal {
        late: bool,
    },
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Do {
    Run(u8),
    Undo(u8),
    FinishUndo,
    Complete,
    Wait,
    Nothing,
}

/// An effect, as a bit: it is its step's, and of the round that it was made in.
pub(crate) fn effect(step: u8, round: u8) -> u32 {
    assert!(round < 8, "there is room for eight rounds");
    1 << (u32::from(step) * 8 + u32::from(round))
}

impl Do {
    pub(crate) fn is_work(self) -> bool {
        !matches!(self, Self::Wait | Self::Nothing)
    }
}

/// The newest offer to show the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Which token is out; none when it serves no more.
    pub(crate) token: Option<u8>,
    pub(crate) shown: bool,
}

/// What can be seen in a row. Sets of steps are bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) revision: u16,
    pub(crate) stage: StageKind,
    pub(crate) next: Do,
    pub(crate) facts: u8,
    pub(crate) rounds: [u8; 3],
    pub(crate) undoing: u8,
    pub(crate) remaining: u8,
    pub(crate) offer: Option<Offer>,
}

impl Look {
    /// The effect that a step has, or would have now.
    pub(crate) fn effect(&self, step: u8) -> u32 {
        effect(step, self.rounds[usize::from(step)])
    }
}

/// What a wish leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided {
    pub(crate) row: RowId,
    pub(crate) queue: Queue,
    pub(crate) tells: Option<u16>,
    events: usize,
}

pub(crate) struct Rules {
    plan: Plan,
    guards: Guards,
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    states: Vec<(Arc<State>, Look)>,
    ids: HashMap<String, RowId>,
    decided: HashMap<(RowId, Wish), Option<Decided>>,
    events: Vec<Arc<Vec<Event>>>,
    folded: HashMap<(RowId, usize), RowId>,
    messages: Vec<Uuid>,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

const TOKEN_TIME: TimeDelta = TimeDelta::minutes(15);

fn mark(byte: u8) -> FactMark {
    FactMark {
        version: 1,
        commitment: Digest::from_bytes([byte; 32]),
    }
}

fn failure() -> Failure {
    Failure::from(Problem::CRASHED)
}

impl Rules {
    /// A task, a question, and a task that is built on both. Failed attempts are due again at once.
    pub(crate) fn new(guards: Guards) -> Self {
        let retry = || RetryPolicy::new(u32::from(ATTEMPTS)).base(Duration::ZERO);
        let need = |step: &'static str| Need {
            step: step.into(),
            optional: false,
        };
        let steps = vec![
            PlanStep::new("tables", Kind::Task).retrying(retry()),
            PlanStep::new("company", Kind::Answer),
            PlanStep::new("site", Kind::Task)
                .needing(vec![need("tables"), need("company")])
                .retrying(retry()),
        ];
        Self {
            plan: Plan::new("workspace", 1, steps).unwrap(),
            guards,
            tables: RwLock::default(),
        }
    }

    /// The row of a new onboarding.
    pub(crate) fn created(&self) -> RowId {
        let key = Key {
            tenant: TenantId::new("acme").unwrap(),
            flow: self.plan.flow().clone(),
            subject: SubjectId::new("org-001").unwrap(),
        };
        let new = commits::creation(key, &self.plan, now()).unwrap();
        self.known(new.row.state)
    }

    pub(crate) fn is_task(step: u8) -> bool {
        step != QUESTION
    }

    fn name(&self, step: u8) -> StepName {
        self.plan.steps()[usize::from(step)].name().clone()
    }

    fn step(&self, name: &StepName) -> u8 {
        let mut steps = self.plan.steps().iter();
        steps.position(|step| step.name() == name).unwrap() as u8
    }

    fn bits<'a>(&self, names: impl IntoIterator<Item = &'a StepName>) -> u8 {
        let names = names.into_iter();
        names.fold(0, |bits, name| bits | 1 << self.step(name))
    }

    /// What can be seen in a row.
    pub(crate) fn look(&self, row: RowId) -> Look {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.states[row as usize].1
    }

    fn state(&self, row: RowId) -> Arc<State> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&tables.states[row as usize].0)
    }

    /// What follows from a wish; none when the rules refuse it, or it holds already.
    pub(crate) fn decide(&self, row: RowId, wish: Wish) -> Option<Decided> {
        {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = tables.decided.get(&(row, wish)) {
                return *known;
            }
        }
        let before = self.state(row);
        let decided = self.commit(&before, wish).ok().flatten();
        let decided = decided.map(|commit| self.decided(&before, wish, commit));
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        *tables.decided.entry((row, wish)).or_insert(decided)
    }

    fn commit(&self, before: &State, wish: Wish) -> Result<Option<Commit>, Rejected> {
        let row = Row {
            state: before.clone(),
            head: Digest::ZERO,
        };
        let command = CommandId::from_uuid(Uuid::nil());
        if let Some((act, now)) = self.secret_act(wish) {
            return commits::of_secret(&row, command, &SECRET, act, now);
        }
        let commands = self.commands(before, wish);
        let by_worker = commands[0].by == Actor::Worker;
        let fence = by_worker.then_some(Fence::new(1));
        commits::of(&row, &self.plan, command, &commands, fence, now())
    }

    fn secret_act(&self, wish: Wish) -> Option<(SecretAct, DateTime<Utc>)> {
        let at = |late: bool| match late && self.guards.hold(Guard::TokenTime) {
            true => now() + TOKEN_TIME,
            false => now(),
        };
        Some(match wish {
            Wish::Keep => (SecretAct::Keep(mark(9)), now()),
            Wish::Offer { token } => {
                let offer = SecretAct::Offer {
                    token: mark(token),
                    until: now() + TOKEN_TIME,
                    proven: token > 1,
                };
                (offer, now())
            }
            Wish::Refuse { late } => (SecretAct::Refuse, at(late)),
            Wish::Reveal { late } => (SecretAct::Reveal, at(late)),
            _ => return None,
        })
    }

    fn commands(&self, before: &State, wish: Wish) -> Vec<Command> {
        let roll = Roll::from_bits(0);
        let (step, fact) = (|step| self.name(step), mark(1));
        let by = |by: Actor, action| vec![Command { by, action }];
        let worker = |action| by(Actor::Worker, action);
        let operator = || Actor::Operator("ann".into());
        match wish {
            Wish::Start => {
                let (cleared, cleared_at) = (before.id(), now());
                by(
                    Actor::Host,
                    Action::Start {
                        cleared,
                        cleared_at,
                    },
                )
            }
            Wish::Submit => {
                let step = step(QUESTION);
                by(Actor::Subject, Action::Submit { step, fact })
            }
            Wish::Revise => {
                let (step, fact) = (step(QUESTION), mark(2));
                by(Actor::Subject, Action::Revise { step, fact })
            }
            Wish::Cancel => by(Actor::Subject, Action::Cancel),
            Wish::Retry => by(Actor::Subject, Action::Retry),
            Wish::RetryUndo => by(operator(), Action::RetryUndo),
            Wish::Park => {
                let reason = Reason::new("incident-1").unwrap();
                by(operator(), Action::Park { reason })
            }
            Wish::Unpark => by(operator(), Action::Unpark),
            Wish::AskComplete if self.guards.hold(Guard::Verification) => {
                by(Actor::Host, Action::Complete { verified: false })
            }
            Wish::AskComplete | Wish::Complete => worker(Action::Complete { verified: true }),
            Wish::Record { step: s, attempt } => worker(Action::Record {
                step: step(s),
                attempt: attempt.into(),
                fact,
            }),
            Wish::Fail {
                step: s,
                attempt,
                again,
            } => worker(Action::FailAttempt {
                step: step(s),
                attempt: attempt.into(),
                failure: failure(),
                retryable: again,
                roll,
            }),
            Wish::Undone {
                step: s,
                attempt,
                last,
            } => {
                let (step, attempt) = (step(s), attempt.into());
                let mut commands = worker(Action::Undone { step, attempt });
                commands.extend(
                    last.then(|| worker(Action::FinishUndo))
                        .into_iter()
                        .flatten(),
                );
                commands
            }
            Wish::FailUndo {
                step: s,
                attempt,
                again,
            } => worker(Action::FailUndo {
                step: step(s),
                attempt: attempt.into(),
                failure: failure(),
                retryable: again,
                roll,
            }),
            Wish::FinishUndo => worker(Action::FinishUndo),
            Wish::Drift { step: s } => worker(Action::Drift {
                step: step(s),
                failure: failure(),
            }),
            Wish::Keep | Wish::Offer { .. } | Wish::Refuse { .. } | Wish::Reveal { .. } => {
                unreachable!("a secret's")
            }
        }
    }

    fn decided(&self, before: &State, wish: Wish, commit: Commit) -> Decided {
        let events = commit.entry.decode().unwrap();
        let state = sabotage::state(self.guards, before, commit.row.state);
        let failed = matches!(
            wish,
            Wish::Fail { again: true, .. } | Wish::FailUndo { again: true, .. }
        );
        let queue = match commit.queue {
            QueueChange::Keep => Queue::Keep,
            QueueChange::Wake(after) => Queue::Wake(after.is_zero()),
            QueueChange::Release(_) if failed && !self.guards.hold(Guard::RetryCounted) => {
                Queue::Hold
            }
            QueueChange::Hold => Queue::Hold,
            QueueChange::Release(after) => Queue::Release(after.is_zero()),
            QueueChange::Remove => Queue::Remove,
        };
        let row = self.known(state);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.events.push(Arc::new(events));
        assert!(
            commit.outbox.len() < 2,
            "the model has room for one message a commit"
        );
        let tells = commit.outbox.first().map(|message| {
            let known = tables.messages.iter().position(|id| *id == message.id);
            known.unwrap_or_else(|| {
                tables.messages.push(message.id);
                tables.messages.len() - 1
            }) as u16
        });
        Decided {
            row,
            queue,
            tells,
            events: tables.events.len() - 1,
        }
    }

    /// The row that a journal adds up to once these events are in it.
    pub(crate) fn fold(&self, row: RowId, decided: Decided) -> RowId {
        let (events, state) = {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = tables.folded.get(&(row, decided.events)) {
                return *known;
            }
            let events = Arc::clone(&tables.events[decided.events]);
            (events, Arc::clone(&tables.states[row as usize].0))
        };
        let folded = self.known(evolve(state.as_ref().clone(), &events));
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.folded.insert((row, decided.events), folded);
        folded
    }

    fn known(&self, state: State) -> RowId {
        let text = serde_json::to_string(&state).unwrap();
        let look = self.seen(&state);
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = tables.ids.get(&text) {
            return *id;
        }
        let id = tables.states.len() as RowId;
        tables.states.push((Arc::new(state), look));
        tables.ids.insert(text, id);
        id
    }

    fn seen(&self, state: &State) -> Look {
        let mut rounds = [0; 3];
        for (name, step) in state.steps() {
            rounds[usize::from(self.step(name))] = step.round() as u8;
        }
        let known = state.steps().filter(|(_, step)| step.fact().is_some());
        let reveal = state.secret(&SECRET).and_then(|secret| secret.reveal());
        let to_undo = state.undoing().map_or(&[][..], |undoing| &undoing.steps);
        let remaining = state.failed().map_or(&[][..], |failed| &failed.remaining);
        Look {
            revision: state.revision().get() as u16,
            stage: state.stage(),
            next: match next(state, &self.plan, now()) {
                Next::Run { step } => Do::Run(self.step(&step)),
                Next::Undo { step } => Do::Undo(self.step(&step)),
                Next::FinishUndo => Do::FinishUndo,
                Next::Complete => Do::Complete,
                Next::Nothing => Do::Nothing,
                Next::Wait { .. } => Do::Wait,
                other => unreachable!("{other:?} is not in the model"),
            },
            facts: self.bits(known.map(|(name, _)| name)),
            rounds,
            undoing: self.bits(to_undo),
            remaining: self.bits(remaining),
            offer: reveal.map(|reveal| Offer {
                token: reveal.token().map(|mark| mark.commitment.as_bytes()[0]),
                shown: reveal.revealed_at().is_some(),
            }),
        }
    }

    /// How many rows came up.
    pub(crate) fn rows(&self) -> usize {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.states.len()
    }
}
