//! What anybody may wish of a row, and the library's own commit of it.

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::{Failure, Plan, Problem, Roll};
use onramp::lifecycle::{Action, Command, Digest, FactMark, Rejected, State};
use onramp::store::{Commit, Row};
use onramp::testing::commits::{self, SecretAct};
use onramp::{Actor, CommandId, Fence, Reason, SecretName};
use uuid::Uuid;

use crate::model::guard::{Guard, Guards};

/// The step that is asked for.
pub(crate) const QUESTION: u8 = 1;

pub(crate) static SECRET: SecretName = SecretName::from_static("api_key");

const TOKEN_TIME: TimeDelta = TimeDelta::minutes(15);

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

/// The commit that a wish makes of a row; none when what is wished holds already.
pub(crate) fn commit(
    plan: &Plan,
    guards: Guards,
    before: &State,
    wish: Wish,
) -> Result<Option<Commit>, Rejected> {
    let row = Row {
        state: before.clone(),
        head: Digest::ZERO,
    };
    let command = CommandId::from_uuid(Uuid::nil());
    if let Some((act, now)) = secret_act(guards, wish) {
        return commits::of_secret(&row, command, &SECRET, act, now);
    }
    let commands = commands(plan, guards, before, wish);
    let by_worker = commands[0].by == Actor::Worker;
    let fence = by_worker.then_some(Fence::new(1));
    commits::of(&row, plan, command, &commands, fence, now())
}

fn secret_act(guards: Guards, wish: Wish) -> Option<(SecretAct, DateTime<Utc>)> {
    let at = |late: bool| match late && guards.hold(Guard::TokenTime) {
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

fn commands(plan: &Plan, guards: Guards, before: &State, wish: Wish) -> Vec<Command> {
    let roll = Roll::from_bits(0);
    let (step, fact) = (
        |step: u8| plan.steps()[usize::from(step)].name().clone(),
        mark(1),
    );
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
        Wish::AskComplete if guards.hold(Guard::Verification) => {
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
            if last {
                commands.extend(worker(Action::FinishUndo));
            }
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

/// Time stands still in the model; what runs out is said.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn mark(byte: u8) -> FactMark {
    FactMark {
        version: 1,
        commitment: Digest::from_bytes([byte; 32]),
    }
}

fn failure() -> Failure {
    Failure::from(Problem::CRASHED)
}
