//! Every store does what the store does that the protocol is proven over (`tests/model.rs`): asked the same
//! at random, one thing after another, and at once.
//!
//! `ONRAMP_HISTORIES` says how many there are (a tenth of it for databases), `ONRAMP_HISTORY_SEED` plays
//! the one that a failure names.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stop as tests do"
)]

mod histories {
    pub(crate) mod broken;
    pub(crate) mod chance;
    pub(crate) mod onboard;
    pub(crate) mod race;
    pub(crate) mod reference;
    pub(crate) mod sequential;
    pub(crate) mod trace;
}
#[expect(dead_code, reason = "the model uses the rest of it")]
#[path = "model/proven.rs"]
mod model;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use histories::broken::{Broken, Wrong};
use histories::race::{Race, is_linearizable};
use histories::reference::Reference;
use histories::trace::Trace;
use onramp::prelude::*;
use onramp::testing::Layered;
use support::each_store;

/// How many traces are played in memory.
const TRACES: u64 = 1_000;

/// How often callers race there.
const RACES: u64 = 5_000;

/// How long databases are asked, however many that is, unless the number is given.
const PATIENCE: Duration = Duration::from_secs(6);

/// The seeds to play on the nth store, the first of which is in memory, and for how long.
fn seeds(nth: usize, usual: u64) -> (std::ops::Range<u64>, Duration) {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text: String| text.parse::<u64>().ok())
    };
    if let Some(seed) = number("ONRAMP_HISTORY_SEED") {
        return (seed..seed + 1, Duration::MAX);
    }
    let asked = number("ONRAMP_HISTORIES");
    let patience = asked.map_or(PATIENCE, |_| Duration::MAX);
    let count = asked.unwrap_or(usual);
    match nth {
        0 => (0..count, Duration::MAX),
        _ => (0..count / 10, patience),
    }
}

/// The store in memory looks through all that it has, so now and then there is a new one.
fn fresh(store: &mut Arc<dyn Store>, nth: usize, seed: u64) {
    if nth == 0 && seed.is_multiple_of(200) {
        *store = Arc::new(MemoryStore::new());
    }
}

/// Where two tellings of a trace part.
async fn difference(name: &str, seed: u64, store: &dyn Store) -> Option<String> {
    let trace = Trace::new(name, seed);
    let expected = trace.play(&Layered(Reference::default())).await.unwrap();
    let found = trace.play(store).await.unwrap();
    let at = expected.iter().zip(&found).position(|(a, b)| a != b)?;
    let before = expected[..at].join("\n");
    Some(format!(
        "ONRAMP_HISTORY_SEED={seed}\n{before}\nexpected: {}\n   found: {}",
        expected[at], found[at]
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_store_answers_as_the_proven_one() {
    for (nth, mut store) in each_store().await.into_iter().enumerate() {
        let (seeds, patience) = seeds(nth, TRACES);
        let (begun, mut played) = (Instant::now(), 0);
        for seed in seeds.take_while(|_| begun.elapsed() < patience) {
            fresh(&mut store, nth, seed);
            if let Some(difference) = difference("same", seed, &*store).await {
                panic!("store {nth} answers something else: {difference}");
            }
            played += 1;
        }
        println!("store {nth}: {played} traces in {:.1?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_histories_are_linearizable_on_every_store() {
    for (nth, mut store) in each_store().await.into_iter().enumerate() {
        let (seeds, patience) = seeds(nth, RACES);
        let (begun, mut played, mut overlapping) = (Instant::now(), 0, 0);
        for seed in seeds.take_while(|_| begun.elapsed() < patience) {
            fresh(&mut store, nth, seed);
            let history = Race::new("race", seed).run(&store).await;
            overlapping += usize::from(history.overlaps());
            let holds = is_linearizable(&history);
            assert!(holds, "store {nth}: ONRAMP_HISTORY_SEED={seed}\n{history}");
            played += 1;
        }
        let took = begun.elapsed();
        println!("store {nth}: {played} histories, {overlapping} overlapping, in {took:.1?}");
        assert!(overlapping * 4 > played, "they hardly ever met");
    }
}

/// One after another, in the same order, what is broken differs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_broken_answers_something_else() {
    for how in Broken::IN_ORDER {
        let mut found = None;
        for seed in 0..500 {
            let store = Layered(Wrong::new(how));
            found = difference("broken", seed, &store).await;
            if found.is_some() {
                println!("{how:?}: found by trace {seed}");
                break;
            }
        }
        assert!(found.is_some(), "{how:?} was not found out");
    }
}

/// Some are right as long as nobody else is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_broken_at_once_is_not_linearizable() {
    for how in Broken::AT_ONCE {
        let store: Arc<dyn Store> = Arc::new(Layered(Wrong::new(how)));
        let mut found = None;
        for seed in 0..1_000 {
            let history = Race::new("broken", seed).run(&store).await;
            if !is_linearizable(&history) {
                found = Some(seed);
                println!("{how:?}: found by history {seed}\n{history}");
                break;
            }
        }
        assert!(found.is_some(), "{how:?} was not found out");
    }
}
