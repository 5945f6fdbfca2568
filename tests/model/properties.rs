//! What holds in every world, and what must come up in some, so that it is not vacuous.

use onramp::lifecycle::StageKind;
use stateright::Property;

use crate::model::caller::At;
use crate::model::person::Person;
use crate::model::protocol::Protocol;
use crate::model::relay::Relay;
use crate::model::rules::{Rules, STEPS};
use crate::model::store::{Due, Queued};
use crate::model::wishes::Wish;
use crate::model::worker::Worker;
use crate::model::world::{World, Wrong};

macro_rules! never {
    ($($name:literal: $wrong:ident),+ $(,)?) => {
        vec![$(Property::always($name, |_, world: &World| !world.saw(Wrong::$wrong))),+]
    };
}

pub(crate) fn all() -> Vec<Property<Protocol>> {
    let mut all = never![
        "who has lost the lease writes nothing": StaleWrite,
        "a checkpoint is stored once": CheckpointTwice,
        "nothing is attempted more often than allowed": TooManyAttempts,
        "the last effect is taken back first": UndoneTooEarly,
        "an undo is told what was made": UntoldUndo,
        "a command counts once": CommandTwice,
        "a lease is taken over when it has run out": LeaseTaken,
        "a lost lease is not renewed": LostLeaseRenewed,
        "a lease is given back by its holder": ForeignLeaseReturned,
        "a message is told before it is forgotten": ForgottenMessage,
        "messages come in order": MessageOutOfOrder,
        "a message keeps its name": MessageRenamed,
        "a message is tried no more often than allowed": TooManyDeliveries,
        "a token shows the secret once": ShownTwice,
        "five wrong tokens burn the right one": ShownAfterFive,
        "nothing is shown that the journal does not tell": ShownUnknown,
        "nothing is shown after its time": ShownLate,
    ];
    all.extend([
        Property::always(
            "the row is what its journal adds up to",
            |_, world: &World| world.folded == world.kept.row,
        ),
        Property::always(
            "what workers are to do is in the queue",
            |model: &Protocol, world: &World| {
                let next = model.rules.look(world.kept.row).next;
                !next.is_work() || world.kept.queued.is_some()
            },
        ),
        Property::always(
            "every change of stage has its message",
            |_, world: &World| world.owed == world.kept.posted,
        ),
        Property::always("nothing is left behind unlisted", nothing_is_left_behind),
        Property::always("complete means that all is there", complete_means_complete),
        Property::always("nothing gets stuck", |model: &Protocol, world: &World| {
            is_over(model, world) || goes_on(model, world)
        }),
        Property::sometimes("some are completed", |model, world: &World| {
            stage(model, world) == StageKind::Completed && is_over(model, world)
        }),
    ]);
    all
}

/// Something to be seen in a world.
type Sight = (&'static str, fn(&Protocol, &World) -> bool);

/// What has to come up somewhere.
pub(crate) const SIGHTS: [Sight; 7] = [
    ("one fails, and nothing is left", |model, world| {
        let look = model.rules.look(world.kept.row);
        look.stage == StageKind::Failed && look.remaining == 0 && world.checkpoints != 0
    }),
    ("one fails, and says what is left", |model, world| {
        let look = model.rules.look(world.kept.row);
        look.stage == StageKind::Failed && look.remaining != 0 && world.effects != 0
    }),
    (
        "what was made is recorded after a cancellation",
        |model, world| {
            let look = model.rules.look(world.kept.row);
            let late =
                |worker: &Worker| matches!(worker, Worker::Reporting(_, Wish::Record { .. }));
            look.undoing != 0 && world.workers.iter().any(late)
        },
    ),
    ("something is built anew", |model, world| {
        model.rules.look(world.kept.row).rounds.contains(&1)
    }),
    ("a message is dead", |_, world| {
        let mut messages = world.kept.outbox.iter();
        messages.any(|message| message.due == Due::Dead)
    }),
    ("two are at the same onboarding", |_, world| {
        let fences: Vec<_> = world.workers.iter().map(|worker| worker.fence()).collect();
        fences.len() == 2 && fences.iter().all(Option::is_some) && fences[0] != fences[1]
    }),
    ("a token is burnt", |model, world| {
        let offer = model.rules.look(world.kept.row).offer;
        offer.is_some_and(|offer| offer.token.is_none() && !offer.shown)
    }),
];

fn stage(model: &Protocol, world: &World) -> StageKind {
    model.rules.look(world.kept.row).stage
}

fn nothing_is_left_behind(model: &Protocol, world: &World) -> bool {
    let look = model.rules.look(world.kept.row);
    if look.stage != StageKind::Failed {
        return true;
    }
    let listed = (0..STEPS).filter(|step| look.remaining & 1 << step != 0);
    let listed = listed.fold(0, |all, step| all | look.effect(step));
    world.effects & !listed == 0
}

fn complete_means_complete(model: &Protocol, world: &World) -> bool {
    let look = model.rules.look(world.kept.row);
    if look.stage != StageKind::Completed {
        return true;
    }
    let tasks = (0..STEPS).filter(|step| Rules::is_task(*step));
    world.effects == tasks.fold(0, |all, step| all | look.effect(step))
}

/// Everything is said and done.
pub(crate) fn is_over(model: &Protocol, world: &World) -> bool {
    let over = [StageKind::Completed, StageKind::Failed].contains(&stage(model, world));
    let untold = world
        .kept
        .outbox
        .iter()
        .any(|message| message.due != Due::Dead);
    let relayed = world.relays.is_empty() || !untold;
    over && relayed && everybody_rests(world)
}

fn everybody_rests(world: &World) -> bool {
    world.workers.iter().all(|worker| *worker == Worker::Idle)
        && world.callers.iter().all(|caller| caller.at == At::Idle)
        && world.relays.iter().all(|relay| *relay == Relay::Idle)
        && world.people.iter().all(|person| *person == Person::Idle)
}

/// Something can happen that is nobody's whim: somebody goes on, or takes up what lies there.
fn goes_on(model: &Protocol, world: &World) -> bool {
    let takes_up = |queued: Queued| queued.due || queued.leased;
    let untold = world
        .kept
        .outbox
        .iter()
        .any(|message| message.due != Due::Dead);
    let waits_for = |wish| model.rules.decide(world.kept.row, wish).is_some();
    !everybody_rests(world)
        || world.kept.queued.is_some_and(takes_up)
        || (untold && !world.relays.is_empty())
        || (!world.callers.is_empty()
            && [Wish::Start, Wish::Submit, Wish::Unpark]
                .into_iter()
                .any(waits_for))
}
