//! Random histories, and the world outside in which effects come to be.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::{Failure, Kind, Plan, Problem, Roll};
use onramp::lifecycle::{
    Action, Command, Digest, Event, FactMark, Happened, Next, Past, Rejected, State, WaitingFor,
    apply, decide, evolve, next,
};
use onramp::{Actor, Key, OnboardingId, Reason, StepName, SubjectId, TenantId};
use proptest::prelude::*;

use super::plans::name;

/// One move of a history. Mostly it does what is next; sometimes it does anything at all.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    /// Below 170: what is next. Above: whatever `which` says.
    wild: u8,
    which: u8,
    step: usize,
    actor: u8,
    /// Whether an attempt succeeds, a condition holds, an error is worth another attempt.
    luck: u8,
    seconds: i64,
    roll: u32,
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = (
        any::<u8>(),
        0..37u8,
        0..9usize,
        0..4u8,
        any::<u8>(),
        0..4i64,
        any::<u32>(),
    )
        .prop_map(|(wild, which, step, actor, luck, seconds, roll)| Move {
            wild,
            which,
            step,
            actor,
            luck,
            seconds,
            roll,
        });
    prop::collection::vec(one, 1..50)
}

pub(crate) fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

pub(crate) fn mark(byte: u8) -> FactMark {
    FactMark {
        version: 1,
        commitment: Digest::from_bytes([byte; 32]),
    }
}

/// A command that was tried, and what came of it.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) before: State,
    pub(crate) command: Command,
    pub(crate) now: DateTime<Utc>,
    pub(crate) outcome: Result<Vec<Event>, Rejected>,
    /// The effects that may exist afterwards: a step's, made in one of its rounds.
    pub(crate) world: BTreeSet<(StepName, u32)>,
    after: State,
}

impl Tried {
    pub(crate) fn after(&self) -> &State {
        &self.after
    }
}

pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) state: State,
    pub(crate) commits: Vec<Vec<Event>>,
    pub(crate) tried: Vec<Tried>,
    now: DateTime<Utc>,
    world: BTreeSet<(StepName, u32)>,
}

impl Run {
    pub(crate) fn new(plan: Plan) -> Self {
        let key = Key {
            tenant: TenantId::new("acme").unwrap(),
            flow: plan.flow().clone(),
            subject: SubjectId::new("org-001").unwrap(),
        };
        let now = time(0);
        let (state, created) = State::create(OnboardingId::fresh(), key, &plan, now);
        Self {
            plan,
            state,
            commits: vec![vec![created]],
            tried: Vec::new(),
            now,
            world: BTreeSet::new(),
        }
    }

    /// Every event with the state before and after it.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (State, &Event, State)> {
        self.tried.iter().flat_map(|tried| {
            let mut state = tried.before.clone();
            let events = tried.outcome.as_ref().map_or(&[][..], Vec::as_slice);
            events.iter().map(move |event| {
                let before = state.clone();
                state = apply(state.clone(), event);
                (before, event, state.clone())
            })
        })
    }

    pub(crate) fn is_task(&self, step: &StepName) -> bool {
        let planned = self.plan.step(step.as_str());
        planned.is_some_and(|planned| planned.kind() == Kind::Task)
    }

    pub(crate) fn attempt(&mut self, by: Actor, action: Action) -> Result<(), Rejected> {
        let command = Command { by, action };
        let before = self.state.clone();
        let outcome = decide(&before, &self.plan, &command, self.now);
        if let Ok(events) = &outcome
            && !events.is_empty()
        {
            for event in events {
                if let Happened::StepUndone { step, .. } = &event.happened {
                    self.world.remove(&(step.clone(), self.round(step)));
                }
                if let Happened::Imported { facts, .. } = &event.happened {
                    let built = facts.keys().filter(|step| self.is_task(step));
                    let built: Vec<_> = built.map(|step| (step.clone(), 0)).collect();
                    self.world.extend(built);
                }
            }
            self.state = evolve(self.state.clone(), events);
            self.commits.push(events.clone());
        }
        let result = outcome.clone().map(|_| ());
        self.tried.push(Tried {
            before,
            command,
            now: self.now,
            outcome,
            world: self.world.clone(),
            after: self.state.clone(),
        });
        result
    }

    pub(crate) fn must(&mut self, by: Actor, action: Action) {
        self.attempt(by, action).unwrap();
    }

    pub(crate) fn start(&mut self) {
        self.must(Actor::Host, self.starting());
    }

    pub(crate) fn record(&mut self, step: &'static str) {
        let (step, attempt, fact) = (step.into(), 1, mark(1));
        self.must(
            Actor::Worker,
            Action::Record {
                step,
                attempt,
                fact,
            },
        );
    }

    fn starting(&self) -> Action {
        Action::Start {
            cleared: self.state.id(),
            cleared_at: self.now,
        }
    }

    fn round(&self, step: &StepName) -> u32 {
        self.state
            .step(step.as_str())
            .map_or(0, onramp::lifecycle::StepState::round)
    }

    pub(crate) fn play(&mut self, one: &Move) {
        self.now += TimeDelta::seconds(one.seconds);
        let (by, action) = if one.wild < 170 {
            match self.plausible(one) {
                Some(next) => next,
                None => return,
            }
        } else {
            (self.actor(one), self.anything(one))
        };
        let _ = self.attempt(by, action);
    }

    /// What is next, done well or badly. `None` for a worker that dies or a time that passes.
    fn plausible(&mut self, one: &Move) -> Option<(Actor, Action)> {
        let lucky = one.luck < 180;
        let failure = Failure::from(Problem::CRASHED);
        let (retryable, roll) = (one.luck.is_multiple_of(2), Roll::from_bits(one.roll));
        let attempt = 1 + u32::from(one.luck % 4);
        Some(match next(&self.state, &self.plan, self.now) {
            Next::Judge { step } => (
                Actor::Worker,
                Action::Settle {
                    step,
                    applies: lucky,
                },
            ),
            Next::Run { step } => {
                // From here on the effect may exist, whatever is reported.
                let effect = (step.clone(), self.round(&step));
                self.world.insert(effect);
                if one.luck >= 215 {
                    return None;
                }
                let action = if lucky {
                    Action::Record {
                        step,
                        attempt,
                        fact: mark(one.luck),
                    }
                } else {
                    Action::FailAttempt {
                        step,
                        attempt,
                        failure,
                        retryable,
                        roll,
                    }
                };
                (Actor::Worker, action)
            }
            Next::Undo { step } if lucky => (Actor::Worker, Action::Undone { step, attempt }),
            Next::Undo { step } => (
                Actor::Worker,
                Action::FailUndo {
                    step,
                    attempt,
                    failure,
                    retryable,
                    roll,
                },
            ),
            Next::BeginWait { step } => (Actor::Worker, Action::BeginWait { step }),
            Next::Remind { step, nth } => (Actor::Worker, Action::Remind { step, nth }),
            Next::Elapse { step } => (Actor::Worker, Action::Elapse { step }),
            Next::Expire { step } => (Actor::Worker, Action::Expire { step }),
            Next::FinishUndo => (Actor::Worker, Action::FinishUndo),
            Next::Complete if lucky => (Actor::Worker, Action::Complete { verified: true }),
            Next::Complete => {
                let step = name(one.step);
                (Actor::Worker, Action::Drift { step, failure })
            }
            Next::Wait {
                on: WaitingFor::Host,
                ..
            } => (Actor::Host, self.starting()),
            Next::Wait {
                on: WaitingFor::Operator,
                step: None,
                ..
            } => (Actor::Operator("ann".into()), Action::Unpark),
            Next::Wait {
                step: Some(step),
                on,
                until,
            } => match on {
                // Nobody does what is waited for.
                _ if one.luck >= 240 => {
                    self.now = until.unwrap_or(self.now);
                    return None;
                }
                WaitingFor::Operator if lucky => (
                    Actor::Operator("ann".into()),
                    Action::Approve {
                        step,
                        fact: mark(one.luck),
                    },
                ),
                WaitingFor::Operator => (
                    Actor::Operator("ann".into()),
                    Action::Waive {
                        step,
                        reason: Reason::new("contract-1").unwrap(),
                    },
                ),
                WaitingFor::Subject if lucky => (
                    Actor::Subject,
                    Action::Submit {
                        step,
                        fact: mark(one.luck),
                    },
                ),
                WaitingFor::Subject => (Actor::Subject, Action::Skip { step }),
                WaitingFor::ThirdParty => (
                    Actor::Host,
                    Action::Attest {
                        step,
                        fact: mark(one.luck),
                    },
                ),
                _ => {
                    self.now = until.unwrap_or(self.now);
                    return None;
                }
            },
            _ if lucky => (Actor::Operator("ann".into()), Action::Retry),
            _ => (Actor::Operator("ann".into()), Action::RetryUndo),
        })
    }

    /// Mostly the actor who usually does it, so that something comes of it.
    fn actor(&self, one: &Move) -> Actor {
        match (one.luck % 4, one.which) {
            (0, _) => match one.actor {
                0 => Actor::Subject,
                1 => Actor::Host,
                2 => Actor::Operator("ann".into()),
                _ => Actor::Worker,
            },
            (_, 23 | 24 | 33 | 34) => Actor::Operator("ann".into()),
            (_, 0..=9 | 16..=22 | 25 | 30..=32 | 35 | 36) => Actor::Host,
            _ => Actor::Worker,
        }
    }

    /// Mostly a step of that kind, so that something comes of it.
    fn step(&self, kind: Kind, one: &Move) -> StepName {
        let fitting: Vec<_> = self
            .plan
            .steps()
            .iter()
            .filter(|step| step.kind() == kind)
            .collect();
        match fitting.get(one.step % fitting.len().max(1)) {
            Some(step) if !one.luck.is_multiple_of(5) => step.name().clone(),
            _ => name(one.step),
        }
    }

    /// Of every second step, whoever gives it.
    fn importing(&self, one: &Move) -> Action {
        let steps = self.plan.steps().iter().enumerate();
        let some = steps.filter(|(place, step)| {
            (place + one.step).is_multiple_of(2) && step.kind() != Kind::Pause
        });
        let facts = some.map(|(_, step)| (step.name().clone(), step.kind(), mark(one.luck)));
        let complete = one.luck.is_multiple_of(3);
        Action::Import {
            source: "crm".into(),
            past: Past {
                complete,
                first_login_at: Some(time(-30)),
                started_at: Some(time(-20)),
                completed_at: complete.then(|| time(-10)),
            },
            facts: facts.collect(),
        }
    }

    fn anything(&self, one: &Move) -> Action {
        let kind = match one.which {
            0..=3 | 16..=20 | 32 => Kind::Answer,
            4 | 27 | 29 => Kind::Evidence,
            23 => Kind::Approval,
            24 => [Kind::Answer, Kind::Evidence, Kind::Approval][one.step % 3],
            26 | 28 => Kind::Pause,
            _ => Kind::Task,
        };
        let (step, fact) = (self.step(kind, one), mark(one.luck));
        let attempt = u32::from(one.luck);
        let failure = Failure::from(Problem::DRIFTED);
        let (retryable, roll) = (one.luck.is_multiple_of(2), Roll::from_bits(one.roll));
        match one.which {
            0 => self.starting(),
            1 => Action::Submit { step, fact },
            2 => Action::Skip { step },
            3 | 16..=20 => Action::Revise { step, fact },
            4 => Action::Attest { step, fact },
            5 => Action::Complete {
                verified: retryable,
            },
            6 | 21 => Action::Cancel,
            7 => Action::Retry,
            8 => Action::RetryUndo,
            22 => Action::Erase,
            23 => Action::Approve { step, fact },
            24 => Action::Waive {
                step,
                reason: Reason::new("contract-1").unwrap(),
            },
            25 => Action::Dismiss,
            32 => Action::Draft {
                step,
                fact,
                sources: vec!["crm".into()],
            },
            33 => Action::Park {
                reason: Reason::new("incident-1").unwrap(),
            },
            34 => Action::Unpark,
            30 => Action::Reopen,
            31 => Action::Adopt,
            35 => Action::Login,
            36 => self.importing(one),
            26 => Action::BeginWait { step },
            27 => Action::Remind { step, nth: attempt },
            28 => Action::Elapse { step },
            29 => Action::Expire {
                step: retryable.then_some(step),
            },
            9 => Action::Start {
                cleared: OnboardingId::fresh(),
                cleared_at: self.now,
            },
            10 => Action::Settle {
                step,
                applies: retryable,
            },
            11 => Action::Record {
                step,
                attempt,
                fact,
            },
            12 => Action::FailAttempt {
                step,
                attempt,
                failure,
                retryable,
                roll,
            },
            13 => Action::Undone { step, attempt },
            14 => Action::FailUndo {
                step,
                attempt,
                failure,
                retryable,
                roll,
            },
            _ => Action::Drift { step, failure },
        }
    }
}
