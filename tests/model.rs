//! The protocol, exhaustively: every interleaving of workers, hosts, relays and people over one onboarding,
//! with crashes, leases that run out, answers that get lost, attempts that fail and effects that vanish.
//!
//! Rows change by the library's own rules; the smallest store that holds the contract is around them, and
//! `tests/histories.rs` compares the real stores with that one. `scripts/model` looks at larger worlds.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stop as tests do"
)]

mod model {
    pub(crate) mod acts;
    pub(crate) mod bounds;
    pub(crate) mod caller;
    pub(crate) mod guard;
    pub(crate) mod look;
    pub(crate) mod person;
    pub(crate) mod properties;
    pub(crate) mod protocol;
    pub(crate) mod relay;
    pub(crate) mod rules;
    pub(crate) mod sabotage;
    #[expect(dead_code, reason = "the histories use the rest of it")]
    pub(crate) mod store;
    pub(crate) mod wishes;
    pub(crate) mod worker;
    pub(crate) mod world;
}

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use model::bounds::{self, SEEDED};
use model::guard::Guards;
use model::properties::{SIGHTS, is_over};
use model::protocol::{Bounds, Protocol};
use model::world::World;
use stateright::{Checker, HasDiscoveries, Model};

/// Looks at every state; gives how many there are.
fn prove(what: &str, bounds: Bounds) -> usize {
    let begun = Instant::now();
    let checker = Protocol::new(bounds, Guards::ALL).checker().threads(2);
    let checker = checker.spawn_bfs().join();
    for (property, path) in checker.discoveries() {
        let expected = checker.model().property(property).expectation;
        let acts = path.clone().into_actions();
        let acts: Vec<_> = acts.iter().map(|act| format!("{act:?}")).collect();
        let (acts, end) = (acts.join("\n"), path.into_states().pop());
        assert!(
            !expected.discovery_is_failure(),
            "not so: {property}:\n{acts}\n{end:?}"
        );
    }
    assert!(checker.is_done());
    checker.assert_any_discovery("some are completed");
    let (states, rows) = (checker.unique_state_count(), checker.model().rules.rows());
    let took = begun.elapsed().as_secs_f64();
    let depth = checker.max_depth();
    println!("{what}: {states} states, {rows} rows, at most {depth} steps, {took:.1} s");
    states
}

#[test]
fn the_protocol_holds_in_small_worlds() {
    for (what, bounds) in bounds::small() {
        prove(what, bounds);
    }
}

/// `scripts/model` runs it, optimised.
#[test]
#[ignore = "takes minutes unless it is optimised: scripts/model"]
fn the_protocol_holds_in_large_worlds() {
    let begun = Instant::now();
    let worlds = bounds::large().into_iter();
    let states: usize = worlds.map(|(what, bounds)| prove(what, bounds)).sum();
    let took = begun.elapsed().as_secs();
    println!("model: {states} states in {took} s");
    assert!(states >= 5_000_000, "only {states} states");
}

#[test]
fn a_protocol_with_one_guard_taken_out_is_found_out() {
    let mut guards = HashSet::new();
    for (guard, bounds, property) in SEEDED {
        let model = Protocol::new(bounds, Guards::without(guard));
        let found = HasDiscoveries::AnyOf(BTreeSet::from([property]));
        let checker = model.checker().threads(2).finish_when(found);
        let checker = checker.spawn_bfs().join();
        let found = checker.discovery(property);
        let path = found.unwrap_or_else(|| panic!("{guard:?} out: not found that {property}"));
        println!(
            "without {guard:?}: \"{property}\" fails after {} steps, found among {} states",
            path.into_actions().len(),
            checker.unique_state_count(),
        );
        assert!(guards.insert(format!("{guard:?}")), "{guard:?} comes twice");
    }
    println!("model: {} seeded bugs found", guards.len());
}

/// No way leads in a circle, and where nothing can happen any more everything is over: so every run
/// ends, completed or failed, its messages told or dead. And what the model is about does come up.
#[test]
fn every_run_ends_with_everything_over() {
    let mut unseen: Vec<_> = SIGHTS.iter().collect();
    for (what, bounds) in bounds::small() {
        let model = Protocol::new(bounds, Guards::ALL);
        let mut ends = 0;
        let seen = walk(&model, |world, is_end| {
            unseen.retain(|(_, sight)| !sight(&model, world));
            assert!(
                !is_end || is_over(&model, world),
                "{what}: stuck: {world:?}"
            );
            ends += usize::from(is_end);
        });
        println!("{what}: {seen} states, {ends} ends");
    }
    let unseen: Vec<_> = unseen.iter().map(|(sight, _)| sight).collect();
    assert!(unseen.is_empty(), "never seen: {unseen:?}");
}

/// Visits every state, and whether nothing follows on it. Gives how many there are; panics at a circle.
fn walk(model: &Protocol, mut visit: impl FnMut(&World, bool)) -> usize {
    let mut on_the_way: HashMap<World, bool> = HashMap::new();
    let mut stack: Vec<(World, bool)> = Vec::new();
    stack.extend(model.init_states().into_iter().map(|world| (world, false)));
    while let Some((world, left)) = stack.pop() {
        if left {
            on_the_way.insert(world, false);
            continue;
        }
        match on_the_way.get(&world) {
            Some(true) => panic!("it can go on for ever: {world:?}"),
            Some(false) => continue,
            None => {}
        }
        let next = model.next_states(&world);
        visit(&world, next.is_empty());
        on_the_way.insert(world.clone(), true);
        for following in &next {
            let circle = on_the_way.get(following) == Some(&true);
            assert!(!circle, "it can go on for ever: {following:?}");
        }
        stack.push((world, true));
        stack.extend(next.into_iter().map(|world| (world, false)));
    }
    on_the_way.len()
}
