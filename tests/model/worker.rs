//! A worker, as the engine drives: claim, see what is next, attempt it, report, and so on.
//!
//! An attempt's effect may be there from its beginning. A worker whose lease has run out begins nothing
//! more: the engine ends attempts at two thirds of a lease. What comes of a process that is stopped in
//! the middle of a call to a third party, and goes on with it after its lease, is beyond any store.

use crate::model::guard::{Guard, Guards};
use crate::model::look::Do;
use crate::model::rules::{ATTEMPTS, RowId, Rules, STEPS};
use crate::model::store::{Outcome, Queue};
use crate::model::wishes::Wish;
use crate::model::world::{By, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Worker {
    Idle,
    /// About to do what is next.
    Holding(Hold),
    /// At an attempt.
    Working(Hold, Do),
    /// About to commit what came of it.
    Reporting(Hold, Wish),
}

/// What a worker knows of the onboarding that it works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) row: RowId,
    pub(crate) fence: u16,
    pub(crate) attempt: u16,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ended {
    Done,
    Failed { again: bool },
    LeaseLost,
}

impl Worker {
    pub(crate) fn fence(self) -> Option<u16> {
        match self {
            Self::Idle => None,
            Self::Holding(hold) | Self::Working(hold, _) | Self::Reporting(hold, _) => {
                Some(hold.fence)
            }
        }
    }
}

/// Does what is next, or begins it.
pub(crate) fn step(world: &mut World, rules: &Rules, guards: Guards, hold: Hold) -> Worker {
    let look = rules.look(hold.row);
    match look.next {
        Do::Wait | Do::Nothing => {
            world.park(hold.fence, look.revision, guards);
            Worker::Idle
        }
        Do::FinishUndo => Worker::Reporting(hold, Wish::FinishUndo),
        Do::Complete => {
            let gone = |step: &u8| {
                let built = look.facts & 1 << step != 0 && Rules::is_task(*step);
                built && world.effects & look.effect(*step) == 0
            };
            let drifted = (0..STEPS).find(gone);
            let wish = drifted.map_or(Wish::Complete, |step| Wish::Drift { step });
            Worker::Reporting(hold, wish)
        }
        // Every attempt that is allowed was claimed before, and ended without a report.
        Do::Run(step) | Do::Undo(step)
            if hold.attempt > ATTEMPTS && guards.hold(Guard::Allowed) =>
        {
            let run = look.next == Do::Run(step);
            let (attempt, again) = (ATTEMPTS, false);
            let wish = match run {
                true => Wish::Fail {
                    step,
                    attempt,
                    again,
                },
                false => Wish::FailUndo {
                    step,
                    attempt,
                    again,
                },
            };
            Worker::Reporting(hold, wish)
        }
        job @ (Do::Run(_) | Do::Undo(_)) => {
            if !world.is_live(hold.fence) {
                return Worker::Idle;
            }
            world.begin(rules, hold.row, job);
            Worker::Working(hold, job)
        }
    }
}

/// An attempt ends.
pub(crate) fn end(
    world: &mut World,
    rules: &Rules,
    (hold, job): (Hold, Do),
    ended: Ended,
) -> Worker {
    let attempt = hold.attempt.min(ATTEMPTS);
    let look = rules.look(hold.row);
    let wish = match (job, ended) {
        (_, Ended::LeaseLost) => return Worker::Idle,
        (Do::Run(step), Ended::Done) => {
            if world.is_live(hold.fence) {
                world.made |= look.effect(step);
            }
            Wish::Record { step, attempt }
        }
        (Do::Run(step), Ended::Failed { again }) => Wish::Fail {
            step,
            attempt,
            again,
        },
        (Do::Undo(step), Ended::Done) => {
            world.take_back(rules, hold.row, step);
            let last = look.undoing == 1 << step;
            Wish::Undone {
                step,
                attempt,
                last,
            }
        }
        (Do::Undo(step), Ended::Failed { again }) => Wish::FailUndo {
            step,
            attempt,
            again,
        },
        _ => unreachable!("{job:?} is no attempt"),
    };
    Worker::Reporting(hold, wish)
}

/// Commits a report. When somebody else has moved the onboarding on, it is decided again on what it is
/// now: what an attempt has made is not thrown away.
pub(crate) fn report(
    world: &mut World,
    rules: &Rules,
    guards: Guards,
    (hold, wish): (Hold, Wish),
    heard: bool,
) -> Worker {
    let (wish, decided) = match (rules.decide(hold.row, wish), alone(wish)) {
        (Some(decided), _) => (wish, decided),
        // What was done is told; what was to follow from it does no more.
        (None, Some(wish)) => match rules.decide(hold.row, wish) {
            Some(decided) => (wish, decided),
            None => return Worker::Holding(hold),
        },
        (None, None) => return Worker::Holding(hold),
    };
    let by = By {
        fence: Some(hold.fence),
        command: None,
        heard,
    };
    let was = rules.look(hold.row).next;
    match world.send(rules, guards, (hold.row, wish, decided), by) {
        _ if !heard => Worker::Idle,
        Outcome::Committed if decided.queue == Queue::Hold => Worker::Holding(Hold {
            row: decided.row,
            attempt: 1,
            ..hold
        }),
        Outcome::Committed | Outcome::Replayed { .. } | Outcome::Fenced => Worker::Idle,
        Outcome::Conflict { current: row } => {
            let moved = rules.look(row).next != was;
            let attempt = if moved { 1 } else { hold.attempt };
            let hold = Hold {
                row,
                attempt,
                ..hold
            };
            match guards.hold(Guard::LateReport) {
                true => Worker::Reporting(hold, wish),
                false => Worker::Holding(hold),
            }
        }
    }
}

/// A report without what follows from it.
fn alone(wish: Wish) -> Option<Wish> {
    match wish {
        Wish::Undone {
            step,
            attempt,
            last: true,
        } => {
            let last = false;
            Some(Wish::Undone {
                step,
                attempt,
                last,
            })
        }
        _ => None,
    }
}
