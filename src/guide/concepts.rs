//! What flows, facts, stages and commits are, and what is promised.
//!
//! # Progress is data
//!
//! A [flow](crate::flow::Flow) is an ordered list of steps. Each step yields one typed *fact*. Where a
//! customer is follows from which facts there are: no position in code is stored, so steps can be
//! added, moved and removed while people are half-way. A step is reached when every step before it is
//! settled: it has its fact, was skipped, or does not apply.
//!
//! Who gives a fact decides what its type implements:
//!
//! | fact | given by | in the flow | on the handle |
//! |---|---|---|---|
//! | [`Answer`](crate::flow::Answer) | the customer: a form | `ask`, `ask_optional` | `submit`, `revise`, `skip` |
//! | [`Evidence`](crate::flow::Evidence) | the host, for a third party: a payment | `expect` | `attest` |
//! | [`Approval`](crate::flow::Approval) | an operator | `approve` | `approve` |
//! | the output of a [`Task`](crate::flow::Task) | code | `run` | nobody: a worker stores it |
//!
//! So a payment cannot be typed into a form: `running.submit(Paid { .. })` does not compile.
//!
//! # Four stages, as types
//!
//! `Pending`, `InProgress`, `Completed`, `Failed`. [`Onboarding<F, S>`](crate::Onboarding) is a handle
//! in stage `S` and has the operations of that stage alone. An operation spends the handle and gives a
//! [`Change`](crate::Change), which has done nothing yet. [`Onramp::commit`](crate::Onramp::commit)
//! stores it and gives the next handle. So a handle in the next stage exists only after the commit.
//!
//! ```
//! use onramp::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! struct Workspace;
//! impl Flow for Workspace {
//!     const NAME: &'static str = "workspace";
//!     const VERSION: u32 = 1;
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Company { name: String }
//! impl Step for Company { const NAME: &'static str = "company"; }
//! impl Answer<Workspace> for Company {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let flow = Workspace::steps().ask::<Company>().build()?;
//! let onramp = Onramp::new(MemoryStore::new(), flow);
//! let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
//!
//! let pending = onramp.enroll(&tenant, &subject).await?.into_pending().expect("it is new");
//! let clearance = onramp.clear(&pending).await?; // the gates are open
//! let running = onramp.commit(pending.start(clearance)).await?;
//!
//! let running = match onramp.commit(running.submit(Company { name: "Acme".into() })).await {
//!     Ok(running) => running,
//!     // Nothing happened: the rules, the answer or the store said no. The handle is as good as before.
//!     Err(CommitError::NotApplied(not)) => not.onboarding,
//!     // Somebody else was first: this is how it is now.
//!     Err(CommitError::Conflict(now)) => now.current.into_in_progress().expect("it goes on"),
//!     // The connection broke at the worst moment: look, and do nothing else before.
//!     Err(CommitError::Unknown(unknown)) => match onramp.resolve(&unknown.token).await? {
//!         Resolution::Committed(now) | Resolution::NotCommitted(now) => {
//!             now.into_in_progress().expect("it goes on")
//!         }
//!     },
//! };
//! assert!(running.has::<Company>());
//! # Ok(()) }
//! ```
//!
//! A host with nothing to do between those first three calls makes one of them:
//! [`Onramp::begin`](crate::Onramp::begin) gives the onboarding begun, once, however many tabs ask.
//!
//! **Types prove that a move is legal, not that the handle is fresh.** A handle is "as of revision N".
//! Whether N is still the newest is decided by the commit.
//!
//! # One commit
//!
//! The row, the facts, the journal entry, the place in the queue and the messages for others are stored
//! in one transaction, on top of exactly the revision that was looked at. Nothing has to be kept in step
//! afterwards: audit, notifications, live progress and analytics all read what that commit wrote.
//!
//! # Who does what
//!
//! - *The host* enrols, clears, commits. It decides who may ask, and when.
//! - [`Onramp`](crate::Onramp) is its front door. **Loading runs nothing**: a thousand reloads have no
//!   effect.
//! - [`Engine`](crate::engine::Engine) runs tasks: it claims what is due, tries again, takes back.
//! - [`Relay`](crate::engine::Relay) hands messages to the host's notifier.
//! - [`lifecycle`](crate::lifecycle) holds the rules, as plain functions without I/O and clock. All of
//!   the above ask them.
//! - [`Store`](crate::store::Store) keeps everything and decides nothing.
//!
//! # What is promised
//!
//! - **Effects happen at least once, checkpoints exactly once.** Between an effect and its checkpoint a
//!   process can die, and then the task runs again: see [writing a task](super::writing_a_task).
//! - Messages are delivered at least once, with the same identity, in the order of each onboarding.
//! - What was confirmed survives the loss of the process, on every store but the one in memory.
//! - The same command, committed twice, counts once.
//! - Only the database lets anybody in: [`Onramp::admit`](crate::Onramp::admit). Copies show, and an
//!   unreachable database is *unknown*, which is neither yes nor no.
