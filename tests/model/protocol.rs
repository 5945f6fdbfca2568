//! What may happen, and what then is.

use stateright::{Model, Property};

use crate::model::caller::{self, At, Caller};
use crate::model::guard::Guards;
use crate::model::person::{self, Person};
use crate::model::properties;
use crate::model::relay::{self, Relay};
use crate::model::rules::{Do, Rules, STEPS, Wish};
use crate::model::store::{Due, Message, Settlement};
use crate::model::worker::{self, Ended, Worker};
use crate::model::world::{Left, World, Wrong};

/// How large a world is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) workers: usize,
    pub(crate) callers: usize,
    pub(crate) relays: usize,
    pub(crate) people: usize,
    /// Whether it is completed already, and its secret offered.
    pub(crate) offered: bool,
    pub(crate) left: Left,
}

pub(crate) struct Protocol {
    pub(crate) rules: Rules,
    pub(crate) guards: Guards,
    bounds: Bounds,
}

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

impl Protocol {
    pub(crate) fn new(bounds: Bounds, guards: Guards) -> Self {
        Self {
            rules: Rules::new(guards),
            guards,
            bounds,
        }
    }

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

    fn load(&self, world: &mut World, which: usize, wish: Wish) {
        let left = &mut world.left;
        match wish {
            Wish::Cancel => left.cancels -= 1,
            Wish::Revise => left.revisions -= 1,
            Wish::Retry | Wish::RetryUndo => left.retries -= 1,
            Wish::Park => left.parkings -= 1,
            Wish::Offer { .. } => left.offers -= 1,
            _ => {}
        }
        let caller = &mut world.callers[which];
        caller.issued += 1;
        caller.at = At::Holding(world.kept.row, wish);
    }

    fn work(&self, world: &mut World, which: usize, act: Act) {
        let (rules, guards) = (&self.rules, self.guards);
        world.workers[which] = match (act, world.workers[which]) {
            (Act::Step(_), Worker::Holding(hold)) => worker::step(world, rules, guards, hold),
            (Act::End(_, ended), Worker::Working(hold, job)) => {
                world.left.faults -= u8::from(matches!(ended, Ended::Failed { .. }));
                worker::end(world, rules, (hold, job), ended)
            }
            (Act::Report { heard, .. }, Worker::Reporting(hold, wish)) => {
                world.left.unheard -= u8::from(!heard);
                worker::report(world, rules, guards, (hold, wish), heard)
            }
            (Act::Renew(_), worker) => {
                let fence = worker.fence().unwrap_or_default();
                let held = world.kept.is_held(fence);
                let renewed = world.kept.renew(fence, true, guards);
                world.note(Wrong::LostLeaseRenewed, renewed && !held);
                if held {
                    world.lease = Some(fence);
                }
                if renewed { worker } else { Worker::Idle }
            }
            (_, worker) => worker,
        };
    }

    fn relay(&self, world: &mut World, which: usize, act: Act) {
        let guards = self.guards;
        world.relays[which] = match (act, world.relays[which]) {
            (Act::Take(_), _) => relay::take(world, guards),
            (Act::Tell { well, .. }, Relay::Telling(message)) => {
                world.left.relay_faults -= u8::from(!well);
                relay::tell(world, guards, message, well)
            }
            // It has timed out.
            (Act::Settle(_), Relay::Late(message)) => {
                relay::settle(world, guards, message, Settlement::Later(true));
                Relay::Idle
            }
            (Act::Settle(_), Relay::Settling(message, settlement)) => {
                relay::settle(world, guards, message, settlement);
                Relay::Idle
            }
            (_, relay) => relay,
        };
    }
}

/// Heard, and perhaps unheard.
fn heard_or_not(unheard: bool) -> impl Iterator<Item = bool> {
    [true, false]
        .into_iter()
        .filter(move |heard| *heard || unheard)
}

impl Model for Protocol {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let mut row = self.rules.created();
        if self.bounds.offered {
            let attempt = 1;
            for wish in [
                Wish::Start,
                Wish::Record { step: 0, attempt },
                Wish::Submit,
                Wish::Record { step: 2, attempt },
                Wish::Complete,
                Wish::Keep,
                Wish::Offer { token: 1 },
            ] {
                row = self.rules.decide(row, wish).unwrap().row;
            }
        }
        let mut world = World::new(row, &self.rules, self.bounds.left);
        let effects = (0..STEPS).filter(|step| self.bounds.offered && Rules::is_task(*step));
        world.effects = effects.fold(0, |all, step| all | self.rules.look(row).effect(step));
        world.workers = vec![Worker::Idle; self.bounds.workers];
        world.callers = vec![Caller::new(); self.bounds.callers];
        world.relays = vec![Relay::Idle; self.bounds.relays];
        world.people = vec![Person::Idle; self.bounds.people];
        vec![world]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        self.callers_may(world, acts);
        self.workers_may(world, acts);
        self.effects_may(world, acts);
        self.relays_may(world, acts);
        self.people_may(world, acts);
    }

    fn next_state(&self, last: &World, act: Act) -> Option<World> {
        let mut next = last.clone();
        let (world, rules, guards) = (&mut next, &self.rules, self.guards);
        match act {
            Act::Load(which, wish) => self.load(world, which, wish),
            Act::Commit { caller, heard } => {
                world.left.unheard -= u8::from(!heard);
                caller::commit(world, rules, guards, caller, heard);
            }
            Act::Claim(which) => {
                let (fence, attempt) = world.claim(guards)?;
                let row = world.kept.row;
                world.workers[which] = Worker::Holding(worker::Hold {
                    row,
                    fence,
                    attempt,
                });
            }
            Act::Step(which)
            | Act::End(which, _)
            | Act::Report { worker: which, .. }
            | Act::Renew(which) => self.work(world, which, act),
            Act::Die(which) => {
                world.left.crashes -= 1;
                if world.workers[which].fence() == Some(world.kept.fence) {
                    world.made = 0;
                }
                world.workers[which] = Worker::Idle;
            }
            Act::LeaseRunsOut => {
                world.left.stalls -= u8::from(!world.is_orphaned());
                world.kept.run_out();
                world.lease = None;
            }
            Act::Vanish(step) => {
                world.left.losses -= 1;
                world.effects &= !rules.look(world.kept.row).effect(step);
            }
            Act::Take(which) | Act::Tell { relay: which, .. } | Act::Settle(which) => {
                self.relay(world, which, act);
            }
            Act::RelayDies(which) => {
                world.left.relay_crashes -= 1;
                world.relays[which] = Relay::Idle;
            }
            Act::Reappear(place) => {
                let fence = world.kept.reappear(place)?;
                let late = |relay: &&mut Relay| relay.has() == Some((place, fence));
                if let Some(relay) = world.relays.iter_mut().find(late) {
                    world.left.relay_stalls -= 1;
                    if let Relay::Telling(message) = *relay {
                        *relay = Relay::Late(message);
                    }
                }
            }
            Act::Ask {
                person,
                token,
                right,
            } => {
                let left = &mut world.left;
                left.right_tokens -= u8::from(right);
                left.wrong_tokens -= u8::from(!right);
                world.people[person] = person::ask(world, rules, guards, token, right);
            }
            Act::Answer { person, heard } => {
                world.left.unheard -= u8::from(!heard);
                if let Person::Asking { row, token, right } = world.people[person] {
                    world.people[person] =
                        person::answer(world, rules, guards, (row, token, right), heard);
                }
            }
            Act::TokenTimeIsOver => {
                world.left.late -= 1;
                world.late = true;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
