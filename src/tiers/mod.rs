//! Showing the status when the database is slow or away: from a local copy, or from a mirror.
//!
//! ```text
//!   read:    local copy, if fresh ──> database ──> mirror ──> local copy, stale ──> Unknown
//!   write:   database and outbox, one commit ──> Relay ──> Projector ──> mirror, then local copy
//! ```
//!
//! **What is read here is for showing.** A [`Reading`] says from where it is and how old, and nothing
//! takes it for an [`Admission`](crate::admission::Admission): whoever writes a mirror's attributes, or
//! forges them, gets a wrong page and no access.
//!
//! Copies never go backwards. The mirror is looked at *before* the database, and written only if nobody
//! has written it since, so whatever it held came from an older look; a local copy is replaced only by a
//! newer one. Deliveries may therefore come again, late and in any order: each projects what is the
//! newest by then.
//!
//! The outbox tells of each change of stage and each reminder. Between those the mirror is as old as the
//! last one, unless the host calls [`Projector::project`] after a commit; the local copy is at most as
//! old as [`TieredBuilder::fresh_for`] says.
//!
//! An onboarding that was deleted keeps its attributes at the identity provider, which deletes them with
//! the user.

mod builder;
mod config;
#[cfg(feature = "mirror-http")]
mod http;
mod local;
mod memory_mirror;
mod mirror;
mod observed;
mod projector;
mod reading;
mod snapshot;
mod tiered;

pub use builder::TieredBuilder;
pub use config::InvalidTiers;
#[cfg(feature = "mirror-http")]
pub use http::{HttpMirror, HttpMirrorBuilder};
pub use memory_mirror::MemoryMirror;
pub use mirror::{Mirror, MirrorError, MirrorErrorKind, Stored, Tag};
pub use observed::{Observed, Tier};
pub use projector::{NotProjected, Projected, Projector};
pub use reading::{Reading, Sourced};
pub use tiered::Tiered;
