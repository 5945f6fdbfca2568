//! The protocol, exhaustively: every interleaving of workers, hosts, relays and people over one onboarding,
//! with crashes, leases that run out, answers that get lost, attempts that fail and effects that vanish.
//!
//! Rows change by the library's own rules; the smallest store that holds the contract is around them, and
//! `tests/histories.rs` compares the real stores with that one. `scripts/model` looks at larger worlds.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod model {
    pub(crate) mod bounds;
    pub(crate) mod caller;
    pub(crate) mod guard;
    pub(crate) mod person;
    pub(crate) mod properties;
    pub(crate) mod protocol;
    pub(crate) mod relay;
    pub(crate) mod rules;
    pub(crate) mod sabotage;
    pub(crate) mod store;
    pub(crate) mod worker;
    pub(crate) mod world;
}

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use model::bounds::{self, SEEDED};
use model::guard::Guards;
use model::properties::{is_over, sights};
use model::protocol::{Bounds, Protocol};
use model::world::World;
use stateright::{Checker, HasDiscoveries, Model};

/// Looks at every state; gives how many there are.
fn prove(what: &str, bounds: Bounds, threads: usize) -> usize {
    let begun = Instant::now();
    let checker = Protocol::new(bounds, Guards::ALL).checker().threads(threads);
    let checker = checker.spawn_bfs().join();
    for (property, path) in checker.discoveries() {
        let expected = checker.model().property(property).expectation;
        let acts = path.clone().into_actions();
        let acts: Vec<_> = acts.iter().map(|act| format!("{act:?}")).collect();
        let (acts, end) = (acts.join("\n"), path.into_states().pop());
        assert!(!expected.discovery_is_failure(), "{property}:\n{acts}\n{end:?}");
    }
    checker.assert_any_discovery("some are completed");
    let (states, rows) = (checker.unique_state_count(), checker.model().rules.rows());
    let took = begun.elapsed().as_secs_f64();
    println!("{what}: {states} states of {rows} rows in {took:.1} s, depth {}", checker.max_depth());
    states
}

#[test]
fn the_protocol_holds_in_small_worlds() {
    for (what, bounds) in bounds::small() {
        prove(what, bounds, 2);
    }
}

#[test]
fn a_protocol_with_one_guard_taken_out_is_found_out() {
    let mut guards = HashSet::new();
    for (guard, bounds, property) in SEEDED {
        let model = Protocol::new(bounds, Guards::without(guard));
        let found = HasDiscoveries::AnyOf(BTreeSet::from([property]));
        let checker = model.checker().threads(2).finish_when(found).spawn_bfs().join();
        let found = checker.discovery(property);
        let path = found.unwrap_or_else(|| panic!("{guard:?} out: not found that {property}"));
        println!(
            "without {guard:?}: \"{property}\" fails after {} steps, found among {} states",
            path.into_actions().len(),
            checker.unique_state_count(),
        );
        assert!(guards.insert(format!("{guard:?}")), "{guard:?} is there twice");
    }
    assert_eq!(guards.len(), 27, "a guard of the protocol is in no row of the table");
}
