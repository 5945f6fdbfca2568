//! Guides: one page each, to be read in this order or when the need comes. They hold text alone.
//!
//! | page | for whoever asks |
//! |---|---|
//! | [concepts] | what are flows, facts, stages and commits, and what is promised |
//! | [writing a task](writing_a_task) | how does my code survive crashes, repetitions and undoing |
//! | [writing a store](writing_a_store) | how do I keep onboardings in a database of my own |
//! | [evolving a flow](evolving_a_flow) | how do I change steps while people are half-way |
//! | [operating] | what do I run, watch, and do when something is stuck |
//! | [security] | who may do what, where are secrets and personal data, what is not protected |
//! | [upgrading] | how do I bring a new version of the library, the schema or a key into service |
//!
//! Code to run is in `examples/`: a ladder of short programs, from `01_hello` on.

#![cfg_attr(
    not(all(
        feature = "sqlite",
        feature = "postgres",
        feature = "mysql",
        feature = "fields",
        feature = "vault",
        feature = "http",
        feature = "tiers",
        feature = "cli",
        feature = "testing"
    )),
    expect(
        rustdoc::broken_intra_doc_links,
        reason = "the guides tell of every feature, also where some are off"
    )
)]

pub mod concepts;
pub mod evolving_a_flow;
pub mod operating;
pub mod security;
pub mod upgrading;
pub mod writing_a_store;
pub mod writing_a_task;
