//! Group commit: creations and commits that wait at the same time are stored in one transaction.
//!
//! ```text
//!   callers ──> queue ──> lane 1 (a connection) ──> together: all members in one transaction
//!      ^                  lane 2 (a connection)         │
//!      │                                                ├─ applied: answered
//!      └──────────────── answer <───────────────────────┴─ not applied, or the whole failed:
//!                                                          alone, in a transaction of its own
//! ```
//!
//! - *A member never fails another.* `together` applies those whose revision and fence hold and
//!   passes over the others; whatever goes wrong with the whole, each is tried again alone. Alone
//!   also finds out why: conflict, fence, repetition.
//! - *Trying again is safe*, even when it is not known whether the first try was stored: it names
//!   the same revision and the same command, so it is stored once at most, and the second try finds
//!   the first one by its command.
//! - *One caller waits no longer than before*: a lane that is free takes what there is, at once. Only
//!   while it is busy do others gather.
//! - *Bounded*: at most [`MOST`] members and [`LARGEST`] bytes in a transaction.
//! - *Distinct*: two commits of one onboarding never share a transaction.

mod batch;
#[cfg(feature = "postgres")]
mod columns;
#[cfg(feature = "postgres")]
pub(super) mod fused;
mod lane;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(super) mod parts;
pub(super) mod rows;
#[cfg(feature = "sqlite")]
pub(super) mod scripts;
#[cfg(feature = "sqlite")]
pub(super) mod single;
#[cfg(feature = "mysql")]
pub(super) mod tables;
pub(super) mod texts;

#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(super) use batch::Locked;
pub(super) use batch::{Batch, Member, Outcome};
pub(super) use lane::Lanes;
pub use lane::Written;
pub(super) use texts::Texts;

/// Members of a transaction, at most. More make it longer, not faster.
const MOST: usize = 128;

/// Bytes of states and facts in a transaction, roughly, at most.
const LARGEST: usize = 2 * 1024 * 1024;
