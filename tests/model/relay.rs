//! A relay: takes a message, tells it, settles it.
//!
//! It tells nothing once the message is due again: an attempt ends long before that.

use crate::model::guard::{Guard, Guards};
use crate::model::store::{Message, Settlement};
use crate::model::world::World;

/// How often a message is tried.
pub(crate) const TRIES: u16 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Relay {
    Idle,
    Telling(Message),
    /// Its time to tell it is over.
    Late(Message),
    Settling(Message, Settlement),
}

impl Relay {
    /// The message that it has, and the number of its handing out.
    pub(crate) fn has(self) -> Option<(u16, u16)> {
        match self {
            Self::Idle => None,
            Self::Telling(message) | Self::Late(message) | Self::Settling(message, _) => {
                Some((message.place, message.fence))
            }
        }
    }
}

pub(crate) fn take(world: &mut World, guards: Guards) -> Relay {
    match world.kept.take(true, guards) {
        None => Relay::Idle,
        // Every attempt was handed out, and the last one was never heard of.
        Some(message) if message.attempt > TRIES && guards.hold(Guard::GivenUp) => {
            Relay::Settling(message, Settlement::Dead)
        }
        Some(message) if !guards.hold(Guard::ToldFirst) => {
            settle(world, guards, message, Settlement::Delivered);
            Relay::Telling(message)
        }
        Some(message) => Relay::Telling(message),
    }
}

/// Tells the message, well or badly.
pub(crate) fn tell(world: &mut World, guards: Guards, message: Message, well: bool) -> Relay {
    let name = match guards.hold(Guard::Identity) {
        true => message.name,
        false => message.name + 100 * message.attempt,
    };
    world.tell(message, name, well);
    match well {
        _ if !guards.hold(Guard::ToldFirst) => Relay::Idle,
        true => Relay::Settling(message, Settlement::Delivered),
        false if message.attempt >= TRIES => Relay::Settling(message, Settlement::Dead),
        false => Relay::Settling(message, Settlement::Later(true)),
    }
}

pub(crate) fn settle(world: &mut World, guards: Guards, message: Message, settlement: Settlement) {
    let before = world.kept.outbox.len();
    let (place, fence) = (message.place, message.fence);
    world.kept.settle(place, fence, settlement, guards);
    world.forgot(place, world.kept.outbox.len() < before);
}
