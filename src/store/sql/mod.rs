//! Stores on SQL databases: one body, [`SqlStore`], and one sealed [`Dialect`] for each database.
//!
//! ```text
//!   onramp_onboarding  id | tenant flow subject active | revision stage fence state head | ...
//!      │ 1             one row each; `revision` is what a commit is compared against
//!      │
//!      ├─ n  onramp_fact     (onboarding, step)      payload, salt: all personal data is here
//!      ├─ n  onramp_journal  (onboarding, revision)  one row per commit; its command is unique
//!      ├─ 1? onramp_queue    (onboarding)            flow due_at | fence leased attempt worker
//!      │                     only while a worker has, or will have, something to do
//!      └─ n  onramp_outbox   (onboarding, revision, place)  until it is delivered
//!
//!   onramp_reservation  (held)  who has what only one may have; a hash of it
//!   onramp_slot  (flow, tenant, slot)  names a lease; how many of a tenant's there may be at once
//! ```
//!
//! **Every write is one transaction, in a task of its own that no dropped future can stop; every
//! statement in it that changes a row names the revision or the fence it was decided on.**
//!
//! How a call travels:
//!
//! ```text
//!   Store method (body) ─> Work (read, write, claim, queue, outbox) ─> transact: spawn, BEGIN, run,
//!   COMMIT, retry what is busy, tell definite from in doubt ─> Statements of the Dialect ─> sqlx
//! ```
//!
//! What the rest relies on:
//!
//! - *Fence*: while an onboarding is queued its last fence is in its queue row, otherwise in its
//!   own row. It is carried over in the transaction that takes it out or puts it in, so it never
//!   repeats.
//! - *Lease*: `due_at` of a leased entry is when the lease runs out, so that what can be claimed is
//!   one range of one index. All times of the queue are the database's.
//! - *Looking locks nothing*: what a commit is checked against is read in one statement, as of one
//!   moment; what is then written names it, and the whole begins again when it has changed. A lock
//!   on the first row would not do: PostgreSQL reads the others as they were before it waited.
//! - *Migrations* are lists of statements in `migrations/`, one list a version, each only adding.
//!   What a start would do is data first (`plan`), so a dry run shows exactly what is then done.
//! - *Nothing of sqlx* is in a public signature.

mod body;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod claim;
mod codec;
mod delete;
#[expect(unnameable_types, reason = "seals the dialects")]
mod dialect;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod driver;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod fault;
#[cfg(feature = "sqlite")]
mod file;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod group;
mod join;
mod lookup;
mod migrate;
#[cfg(feature = "mysql")]
mod mysql;
mod names;
#[cfg(feature = "postgres")]
mod news;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod options;
mod outbox;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod queue;
mod read;
mod reservation;
mod script;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod statements;
mod transact;
#[expect(
    unnameable_types,
    reason = "named by the sealed part of a dialect only"
)]
mod write;

pub use body::SqlStore;
pub use claim::ClaimStrategy;
pub use dialect::Dialect;
#[cfg(feature = "sqlite")]
pub use file::SqliteOptions;
pub use group::Written;
pub use join::Joined;
#[cfg(feature = "mysql")]
pub use mysql::{MySql, MySqlStore};
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use options::SqlOptions;
pub use plan::MigrationPlan;
#[cfg(feature = "postgres")]
pub use postgres::{Postgres, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteStore};
