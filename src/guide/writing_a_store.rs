//! How to keep onboardings in a database of one's own.
//!
//! First see whether you have to. [`SqliteStore`](crate::store::SqliteStore),
//! [`PostgresStore`](crate::store::PostgresStore) and [`MySqlStore`](crate::store::MySqlStore) live in
//! the host's own database, under a prefix of your choice, and
//! [`join`](crate::store::sql::SqlStore::join) the host's own transactions. To change something about a
//! store, wrap it: `examples/08_store.rs` closes one for maintenance in thirty lines.
//!
//! Otherwise implement [`Store`](crate::store::Store). It has no default methods, so none is forgotten,
//! and each says what holds when it returns. [`MemoryStore`](crate::store::MemoryStore) is a whole one to
//! read.
//!
//! **A store stores: it never decides.** It does not know what a step is, nor whether a move is legal.
//! Whatever it is given has been decided, on top of the revision that it names.
//!
//! # What is kept
//!
//! | what | found by | note |
//! |---|---|---|
//! | the row: state, revision, head of the journal | identity; and (tenant, subject, flow), unique: in this order it serves the lists of a tenant and of a subject | |
//! | facts | identity and step | text as it is, with its salt |
//! | journal entries | identity and revision | unique, so it guards the revision once more |
//! | the queue: when due, under which lease and fence, which attempt | flow and time | only of what a worker has something to do with |
//! | outbox messages | identity, revision, place | delivered in this order, one at a time of each onboarding |
//! | reservations | a hash, unique | of all tenants |
//!
//! # The one that matters: `commit`
//!
//! One transaction, or what your database has in its place. What is looked at first, and in which order,
//! is the contract:
//!
//! ```
//! use onramp::Fence;
//! use onramp::store::{Commit, CommitOutcome, Error, JournalEntry, Row};
//!
//! /// What is stored of an onboarding, read inside the transaction.
//! struct Kept { row: Row, journal: Vec<JournalEntry>, leased: Option<Fence> }
//!
//! /// Why nothing is to be written; `None` when everything is.
//! fn refused(kept: Option<&Kept>, commit: &Commit) -> Result<Option<CommitOutcome>, Error> {
//!     commit.check()?; // the limits that all stores share
//!     let Some(kept) = kept else { return Ok(Some(CommitOutcome::Absent)) };
//!     let current = || Box::new(kept.row.clone());
//!
//!     // A command counts once, whenever it comes again.
//!     let mut journal = kept.journal.iter();
//!     if let Some(entry) = journal.find(|entry| entry.command == commit.command()) {
//!         let (revision, current) = (entry.revision, current());
//!         return Ok(Some(CommitOutcome::Replayed { revision, current }));
//!     }
//!     // A worker that was overtaken must not write. Time says nothing here; the fence does.
//!     if commit.fence.is_some() && commit.fence != kept.leased {
//!         return Ok(Some(CommitOutcome::Fenced));
//!     }
//!     if kept.row.state.revision() != commit.expected {
//!         return Ok(Some(CommitOutcome::Conflict { current: current() }));
//!     }
//!     Ok(None) // then the reservations, the last thing that can refuse it
//! }
//! ```
//!
//! Put the revision, and the fence, into the writing statement itself (`WHERE revision = ..`) and look
//! at how many rows it changed: a look before a write is out of date when the write comes.
//!
//! # What is easily got wrong
//!
//! - *In doubt.* When the connection breaks after COMMIT was sent, nobody knows. Say so
//!   ([`Error::in_doubt`](crate::store::Error::in_doubt)); any other error promises that nothing has
//!   changed. The caller looks the command up by `committed`.
//! - *A dropped future* leaves the change wholly made or wholly not. With most drivers that means to
//!   write in a task of its own.
//! - *Leases* are reckoned on the store's clock, never on the caller's. Each claim of an onboarding gets
//!   a higher fence, also for the same worker, and counts an attempt.
//! - *`park`* takes an onboarding out of the queue only at the revision that was looked at, or a wake-up
//!   is lost.
//! - *Exact keys.* `Ann` and `ann` are two subjects, whatever the database's collation says.
//! - *Tenants.* What belongs to another tenant is absent, on every method that is given one.
//! - *Hints* may be left out: [`Hints::default`](crate::store::Hints). With them workers of the same
//!   process begin at once; call [`Hints::committed`](crate::store::Hints::committed) after each commit.
//! - *Names and causes.* Errors have a kind and a text; the driver's error is the source, and never in a
//!   signature.
//!
//! # Whether it holds
//!
//! ```
//! use std::sync::Arc;
//! use onramp::store::{MemoryStore, Store};
//! use onramp::testing::conformance::check;
//!
//! # #[tokio::main]
//! # async fn main() {
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new()); // yours
//! assert_eq!(check(store).await, []);
//! # }
//! ```
//!
//! The suite takes a few seconds. It names each clause that does not hold, and what was seen instead.
//! Every clause works in a tenant of its own, so the store need not be empty. What it cannot see are
//! crashes: kill the process, and the database, in tests of your own.
