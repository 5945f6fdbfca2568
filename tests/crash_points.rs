//! Every place in the code that writes to a store is crashed: before the write, after it, and so that nobody
//! knows whether it was made. Whoever goes on afterwards ends where an undisturbed run ends.
//!
//! Which places there are is read from the sources, and which were struck from the stack of each write: one
//! that is new and is not struck fails `every_write_in_the_code_was_struck`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

#[path = "walls/code.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod code;

#[path = "walls/sources.rs"]
mod sources;

mod crash_points {
    pub(crate) mod host;
    pub(crate) mod places;
    pub(crate) mod plays;
    pub(crate) mod strike;
}

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crash_points::host::{Host, Picture};
use crash_points::places::{Place, elsewhere, written};
use crash_points::plays::{PLAYS, Play};
use crash_points::strike::{Strike, Struck};
use onramp::prelude::*;
use support::each_store;

/// What was struck, of all plays.
type Covered = Arc<Mutex<BTreeSet<(Place, Strike)>>>;

/// Plays until the end, or until the process dies.
async fn until_it_dies(play: Play, host: &Host, struck: &Struck) {
    tokio::select! {
        () = struck.died() => {}
        // Whatever it is told, the next process goes on.
        _ = play.run(host) => {}
    }
}

/// Plays it with one write struck, and then again, undisturbed. Gives what there is then.
async fn struck(
    play: Play,
    store: &Arc<dyn Store>,
    at: &Place,
    nth: usize,
    strike: Strike,
) -> Option<Picture> {
    let layer = Struck::new(Arc::clone(store), Some((at.clone(), nth, strike)));
    let host = Host::on(layer.clone(), play.subject(at, nth, strike));
    until_it_dies(play, &host, &layer).await;
    if !layer.has_struck() {
        return None;
    }
    let next = host.next_process(Arc::clone(store));
    let again = tokio::time::timeout(Duration::from_secs(30), play.run(&next));
    let ended = again
        .await
        .unwrap_or_else(|_| panic!("{}: {at} {strike:?}: it hangs", play.name));
    assert!(ended.is_ok(), "{}: {at} {strike:?}: {ended:?}", play.name);
    Some(next.picture().await)
}

async fn everywhere(play: Play, store: Arc<dyn Store>, strike: Strike, covered: Covered) {
    let layer = Struck::new(Arc::clone(&store), None);
    let host = Host::on(
        layer.clone(),
        format!("{} {strike:?} undisturbed", play.name),
    );
    let ended = play.run(&host).await;
    assert!(ended.is_ok(), "{}: {ended:?}", play.name);
    let undisturbed = host.picture().await;
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    for place in layer.writes() {
        *places.entry(place).or_default() += 1;
    }
    assert!(!places.is_empty(), "{} writes nothing", play.name);
    for (place, times) in places {
        // Beats and news come as often as they come.
        for nth in 0..times.min(if place.is_timed() { 1 } else { 9 }) {
            let Some(picture) = struck(play, &store, &place, nth, strike).await else {
                continue;
            };
            assert_eq!(
                picture, undisturbed,
                "{}: {place}, {nth}, {strike:?}",
                play.name
            );
            covered.lock().unwrap().insert((place.clone(), strike));
        }
    }
}

#[test]
fn every_write_in_the_code_was_struck() {
    let covered = Covered::default();
    std::thread::scope(|threads| {
        for strike in Strike::ALL {
            let covered = Arc::clone(&covered);
            threads.spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(async {
                    for store in each_store().await {
                        for play in PLAYS {
                            everywhere(*play, Arc::clone(&store), strike, Arc::clone(&covered))
                                .await;
                        }
                    }
                });
            });
        }
    });
    let covered = covered.lock().unwrap().clone();
    let mut missing = Vec::new();
    for place in written() {
        if elsewhere(&place) {
            continue;
        }
        for strike in Strike::ALL {
            if !covered.contains(&(place.clone(), strike)) {
                missing.push(format!("{place} {strike:?}"));
            }
        }
    }
    println!("{} points of crashes", covered.len());
    assert!(
        missing.is_empty(),
        "these writes are never struck: {missing:#?}"
    );
}
