//! Whoever stops waiting harms nobody: every public future, dropped at every poll, on every database whose
//! store has one connection.
//!
//! Afterwards the store answers, what it has is wholly made or wholly not, no transaction is left open, and
//! what was begun can be ended. `every_public_future_is_dropped_here` fails when a new one is not among
//! them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

#[path = "walls/sources.rs"]
mod sources;

mod cancellation {
    pub(crate) mod drops;
    mod front;
    mod listed;
    mod opening;
    pub(crate) mod place;
    mod stored;
    mod vaulted;
    mod working;

    pub(crate) use {
        front::FRONT, opening::OPENING, stored::STORED, vaulted::VAULTED, working::WORKING,
    };
}

use cancellation::drops::Case;
use cancellation::place::Place;

/// Every case there is, by room.
fn cases() -> impl Iterator<Item = &'static Case> {
    use cancellation::{FRONT, OPENING, STORED, VAULTED, WORKING};
    [FRONT, STORED, VAULTED, WORKING, OPENING]
        .into_iter()
        .flatten()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_waiting_leaves_nothing_half_made() {
    for place in Place::each().await {
        let mut drops = 0;
        for case in cases() {
            drops += case.dropped_everywhere(&place).await;
        }
        place.is_wholly_well().await;
        println!("{:?}: {drops} futures dropped", place.database.kind);
    }
}
