//! What to run, what to watch, and what to do when something is stuck.
//!
//! # What to run
//!
//! There is no server of ours. In each process of the host that is to work, an
//! [`Engine`](crate::engine::Engine) and a [`Relay`](crate::engine::Relay); in each that serves people, an
//! [`Onramp`](crate::Onramp). As many of each as there is need for, all on one database.
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! use onramp::engine::{Notifier, Relay};
//! use onramp::prelude::*;
//! use tokio_util::sync::CancellationToken;
//!
//! async fn work<F: Flow>(
//!     store: Arc<dyn Store>,
//!     flow: &Definition<F>,
//!     notifier: impl Notifier,
//!     shutdown: CancellationToken,
//! ) {
//!     let engine = Engine::builder(store.clone())
//!         .flow(flow)
//!         .worker("eu-1")                   // seen by operators
//!         .concurrency(32)                  // onboardings at once
//!         .per_tenant(4)                    // of one tenant, over all workers
//!         .lease(Duration::from_secs(30))   // so long after a crash somebody else goes on
//!         .grace(Duration::from_secs(20))   // for tasks under way at the end
//!         .build();
//!     let relay = Relay::builder(store).notifier(notifier).build();
//!     tokio::join!(engine.run(shutdown.clone()), relay.run(shutdown));
//! }
//! ```
//!
//! Cancel the token on SIGTERM and wait for `work`: nothing more is claimed, tasks may end, and what does
//! not is given back. A process that is killed instead loses nothing; others wait for its leases.
//!
//! Workers need no fixed number and no leader. Their clocks need not agree: leases run on the database's.
//!
//! # What to watch
//!
//! With the feature `metrics` these go to the host's recorder, by the `metrics` facade:
//!
//! | figure | worry when |
//! |---|---|
//! | `onramp_failures_total{code}` | one code grows: the code names the cause |
//! | `onramp_attempt_seconds{step,outcome}` | it nears the task's timeout, or failures prevail |
//! | `onramp_claim_seconds` | it grows: the database is slow |
//! | `onramp_in_flight` | it stays at the limit: add workers |
//! | `onramp_outbox_oldest_seconds` | older than your notifier is ever down |
//! | `onramp_outbox_dead` | it is not 0 |
//!
//! What is logged goes to the host's `tracing` subscriber. [`Probes`](crate::http::Probes) are `/health`
//! and `/ready`, for whatever keeps the process running; mount them where only probes come.
//!
//! # What to do every day
//!
//! ```
//! use chrono::TimeDelta;
//! use std::time::Duration;
//! use onramp::prelude::*;
//! use onramp::store::Retention;
//! use onramp::{Clock, SystemClock};
//!
//! async fn daily<F: Flow>(onramp: &Onramp<F>) -> Result<(), onramp::store::Error> {
//!     // What nobody has noticed: not worked on, not readable, not taken back.
//!     let found = onramp.doctor(Duration::from_secs(3600)).await?;
//!     for ailing in found.neglected.iter().chain(&found.unreadable).chain(&found.remaining) {
//!         println!("{} of {}, since {}", ailing.id, ailing.tenant, ailing.since);
//!     }
//!     // What ended long ago. What could not be taken back is kept.
//!     let year = SystemClock.now() - TimeDelta::days(365);
//!     let purged = onramp.store().purge(&Retention::ended_before(year)).await?;
//!     println!("{} forgotten", purged.deleted);
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! # #[derive(serde::Serialize, serde::Deserialize)] struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//! # let flow = Workspace::steps().ask::<Company>().build()?;
//! # daily(&Onramp::new(MemoryStore::new(), flow)).await?;
//! # Ok(()) }
//! ```
//!
//! # When somebody is stuck
//!
//! The command line `onramp` (feature `cli`) knows the host's flows when the host makes it of
//! [`Cli`](crate::cli::Cli), in ten lines: `examples/operator.rs`. The operators' routes of
//! [`Api`](crate::http::Api) do much of the same.
//!
//! | it | ask | then |
//! |---|---|---|
//! | waits | `onramp explain`: everything that stands in the way | remind them, [`approve`](crate::Onboarding::approve), or `onramp waive` with a reason |
//! | failed | `onramp explain` names the code, logs have the cause | mend the cause, `onramp retry` |
//! | failed and left something behind | `onramp doctor` | mend it, then [`retry_undo`](crate::Onboarding::retry_undo) |
//! | must not go on now | | `onramp park`, later `unpark` |
//! | is not worked on | `onramp doctor`: neglected | is an engine running that has this flow? |
//! | cannot be read | `onramp doctor`: unreadable | a newer program has written it: start that one |
//! | a message did not come | `onramp outbox dead` | mend the receiver, `onramp outbox revive` |
//! | all is slow | `onramp bench`, in a quiet hour: `--in-use` beside onboardings | where more callers bring no more commits, the database is at its end |
//! | did something happen at all | `onramp journal`, `onramp verify` | the journal is a hash chain: what does not verify was changed past us |
//!
//! Many at once: [`Onramp::bulk`](crate::Onramp::bulk), with a result for each.
//!
//! # When the database is away
//!
//! Nothing is lost and nothing is admitted: calls fail with a kind that says whether to try again
//! ([`ErrorKind`](crate::store::ErrorKind)), engines and relays log it and wait it out,
//! [`admit`](crate::Onramp::admit) says *unknown*. To show people where they were meanwhile, there are
//! [`tiers`](crate::tiers). Back up the database as you back up the host's own tables: it is the whole
//! truth. After a restore, tasks that ran since the backup run again, under the same effect keys.
