//! What then is: the model that is checked.

use stateright::{Model, Property};

use crate::model::acts::{self, Act};
use crate::model::caller::{self, At, Caller};
use crate::model::guard::Guards;
use crate::model::person::{self, Person};
use crate::model::properties;
use crate::model::relay::{self, Relay};
use crate::model::rules::{Rules, STEPS};
use crate::model::store::Settlement;
use crate::model::wishes::Wish;
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

impl Protocol {
    pub(crate) fn new(bounds: Bounds, guards: Guards) -> Self {
        Self {
            rules: Rules::new(guards),
            guards,
            bounds,
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
        acts::possible(self, world, acts);
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
