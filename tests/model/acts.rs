//! What may happen in a world.

use crate::model::caller::At;
use crate::model::look::Do;
use crate::model::person::{self, Person};
use crate::model::protocol::Protocol;
use crate::model::relay::Relay;
use crate::model::rules::STEPS;
use crate::model::store::{Due, Message};
use crate::model::wishes::Wish;
use crate::model::worker::{Ended, Worker};
use crate::model::world::World;

/// Something that happens; the numbers say whom it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Load(usize, Wish),
    Commit {
        caller: usize,
        heard: bool,
    },
    Claim(usize),
    Step(usize),
    End(usize, Ended),
    Report {
        worker: usize,
        heard: bool,
    },
    Renew(usize),
    Die(usize),
    LeaseRunsOut,
    Vanish(u8),
    Take(usize),
    Tell {
        relay: usize,
        well: bool,
    },
    Settle(usize),
    RelayDies(usize),
    Reappear(u16),
    Ask {
        person: usize,
        token: u8,
        right: bool,
    },
    Answer {
        person: usize,
        heard: bool,
    },
    TokenTimeIsOver,
}

/// Everything that may happen, in an order that is always the same.
pub(crate) fn possible(model: &Protocol, world: &World, acts: &mut Vec<Act>) {
    model.callers_may(world, acts);
    model.workers_may(world, acts);
    model.effects_may(world, acts);
    model.relays_may(world, acts);
    model.people_may(world, acts);
}

impl Protocol {
    fn callers_may(&self, world: &World, acts: &mut Vec<Act>) {
        let left = &world.left;
        for (which, caller) in world.callers.iter().enumerate() {
            match caller.at {
                At::Idle => {
                    let wishes = [
                        (Wish::Start, true),
                        (Wish::Submit, true),
                        (Wish::Cancel, left.cancels > 0),
                        (Wish::Revise, left.revisions > 0),
                        (Wish::Retry, left.retries > 0),
                        (Wish::RetryUndo, left.retries > 0),
                        (Wish::Park, left.parkings > 0),
                        (Wish::Unpark, true),
                        (Wish::AskComplete, true),
                        (Wish::Offer { token: 2 }, left.offers > 0 && !world.late),
                    ];
                    let open = wishes.iter().filter(|(wish, may)| {
                        *may && self.rules.decide(world.kept.row, *wish).is_some()
                    });
                    acts.extend(open.map(|(wish, _)| Act::Load(which, *wish)));
                }
                At::Holding(..) => {
                    let unheard = left.unheard > 0;
                    acts.extend(heard_or_not(unheard).map(|heard| Act::Commit {
                        caller: which,
                        heard,
                    }));
                }
                At::InDoubt(..) => acts.push(Act::Commit {
                    caller: which,
                    heard: true,
                }),
            }
        }
    }

    fn workers_may(&self, world: &World, acts: &mut Vec<Act>) {
        let left = &world.left;
        for (which, worker) in world.workers.iter().enumerate() {
            let late = worker.fence().is_some_and(|fence| !world.is_live(fence));
            match worker {
                Worker::Idle => {
                    acts.extend(
                        world
                            .kept
                            .is_claimable(self.guards)
                            .then_some(Act::Claim(which)),
                    );
                    continue;
                }
                Worker::Holding(_) => acts.push(Act::Step(which)),
                Worker::Working(..) => {
                    acts.push(Act::End(which, Ended::Done));
                    let fails = [true, false].map(|again| Act::End(which, Ended::Failed { again }));
                    acts.extend(fails.into_iter().filter(|_| left.faults > 0));
                    acts.extend(late.then_some(Act::End(which, Ended::LeaseLost)));
                }
                Worker::Reporting(..) => {
                    let unheard = left.unheard > 0;
                    acts.extend(heard_or_not(unheard).map(|heard| Act::Report {
                        worker: which,
                        heard,
                    }));
                }
            }
            acts.extend(late.then_some(Act::Renew(which)));
            acts.extend((left.crashes > 0).then_some(Act::Die(which)));
        }
        let leased = world
            .kept
            .queued
            .is_some_and(|queued| queued.leased && !queued.due);
        if leased && (left.stalls > 0 || world.is_orphaned()) {
            acts.push(Act::LeaseRunsOut);
        }
    }

    /// What vanishes once somebody has looked is beyond looking.
    fn effects_may(&self, world: &World, acts: &mut Vec<Act>) {
        let look = self.rules.look(world.kept.row);
        let mut workers = world.workers.iter();
        let looked = workers.any(|w| matches!(w, Worker::Reporting(_, Wish::Complete)));
        if world.left.losses == 0 || look.next != Do::Complete || looked {
            return;
        }
        let exist = (0..STEPS).filter(|step| world.effects & look.effect(*step) != 0);
        acts.extend(exist.map(Act::Vanish));
    }

    fn relays_may(&self, world: &World, acts: &mut Vec<Act>) {
        let left = &world.left;
        for (which, relay) in world.relays.iter().enumerate() {
            match relay {
                Relay::Idle => {
                    let some = world.kept.clone().take(true, self.guards).is_some();
                    acts.extend(some.then_some(Act::Take(which)));
                    continue;
                }
                Relay::Telling(_) => {
                    acts.push(Act::Tell {
                        relay: which,
                        well: true,
                    });
                    if left.relay_faults > 0 {
                        acts.push(Act::Tell {
                            relay: which,
                            well: false,
                        });
                    }
                }
                Relay::Late(_) | Relay::Settling(..) => acts.push(Act::Settle(which)),
            }
            acts.extend((left.relay_crashes > 0).then_some(Act::RelayDies(which)));
        }
        for Message {
            place, fence, due, ..
        } in world.kept.outbox.iter().copied()
        {
            let lives = world
                .relays
                .iter()
                .any(|relay| relay.has() == Some((place, fence)));
            if due == Due::Later && (!lives || left.relay_stalls > 0) {
                acts.push(Act::Reappear(place));
            }
        }
    }

    fn people_may(&self, world: &World, acts: &mut Vec<Act>) {
        let left = &world.left;
        for (which, person) in world.people.iter().enumerate() {
            match person {
                Person::Idle => {
                    for token in [1, 2] {
                        if !person::is_meant(&self.rules, world.kept.row, token) {
                            continue;
                        }
                        let ask = |right| Act::Ask {
                            person: which,
                            token,
                            right,
                        };
                        acts.extend((left.right_tokens > 0).then(|| ask(true)));
                        acts.extend((left.wrong_tokens > 0).then(|| ask(false)));
                    }
                }
                Person::Asking { .. } => {
                    let unheard = left.unheard > 0;
                    acts.extend(heard_or_not(unheard).map(|heard| Act::Answer {
                        person: which,
                        heard,
                    }));
                }
            }
        }
        let offer = self.rules.look(world.kept.row).offer;
        if left.late > 0 && offer.is_some_and(|offer| offer.token.is_some()) {
            acts.push(Act::TokenTimeIsOver);
        }
    }
}

/// Heard, and perhaps unheard.
fn heard_or_not(unheard: bool) -> impl Iterator<Item = bool> {
    [true, false]
        .into_iter()
        .filter(move |heard| *heard || unheard)
}
