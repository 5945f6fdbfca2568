//! Workers: they claim due onboardings, run tasks, and checkpoint each result. And the [`Relay`], which
//! delivers what was committed to be told.
//!
//! ```text
//!   Store ──claim──> Lease ──> drive: load ─> next ─> run the task ─> decide ─> commit (fenced) ─┐
//!                     ▲                        ▲                                                 │
//!                     │                        └────────────── consecutive steps ────────────────┘
//!                 heartbeat                    until it waits, is over, or the lease is lost
//! ```
//!
//! **Effects happen at least once, checkpoints exactly once.** No transaction and no connection is
//! held while a task runs. A worker that was paused past its lease cannot write: its fence is old.

mod attempt;
mod builder;
mod drive;
mod lease;
mod notify;
mod progress;
mod relay;
mod report;
#[cfg(feature = "testing")]
mod turn;
mod verify;
mod worker;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::flow::{Parts, Roll};
use crate::id::FlowName;
use crate::lifecycle::{Event, State};
use crate::store::{ClaimOrder, Store, WorkerId};
use crate::time::Clock;

pub use builder::EngineBuilder;
pub use notify::{Notifier, NotifyError};
pub use relay::{Relay, RelayBuilder};

/// Runs the tasks of one or more flows. Cheap to clone; start as many, in as many processes, as
/// there is work for.
///
/// ```
/// use std::sync::Arc;
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// #[derive(Serialize, Deserialize)]
/// struct Dataset { path: String }
/// impl Step for Dataset { const NAME: &'static str = "create_dataset"; }
///
/// struct CreateDataset;
/// impl Task<Workspace> for CreateDataset {
///     type Needs = ();
///     type Output = Dataset;
///     async fn run(&self, cx: &TaskContext, _: ()) -> Result<Dataset, TaskError> {
///         Ok(Dataset { path: cx.effect_key().to_string() })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let flow = Workspace::steps().run(CreateDataset).build()?;
/// let engine = Engine::builder(store.clone()).flow(&flow).build();
/// let onramp = Onramp::shared(store, flow);
///
/// let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// let pending = onramp.enroll(&tenant, &subject).await?.into_pending().expect("it is new");
/// let clearance = onramp.clear(&pending).await?;
/// let _running = onramp.commit(pending.start(clearance)).await?;
///
/// engine.run_until_idle().await?;
/// let found = onramp.open(&tenant, &subject).await?.expect("it was enrolled");
/// assert_eq!(found.stage(), StageKind::Completed);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What every worker of an engine uses.
struct Shared {
    store: Arc<dyn Store>,
    flows: BTreeMap<FlowName, Arc<Parts>>,
    worker: WorkerId,
    concurrency: usize,
    lease: Duration,
    order: ClaimOrder,
    per_tenant: Option<NonZeroU32>,
    poll: Duration,
    grace: Duration,
    unreadable: Duration,
    clock: Arc<dyn Clock>,
    rolls: Rolls,
    observer: Option<Observer>,
    held: lease::Held,
    news: Arc<progress::News>,
    /// Who may load: what is claimed together is loaded a few at a time, or every one of thousands
    /// would wait for a connection with a query of its own in hand.
    loading: tokio::sync::Semaphore,
    /// Who may commit, likewise.
    storing: tokio::sync::Semaphore,
}

type Rolls = Box<dyn Fn() -> Roll + Send + Sync>;

type Observer = Box<dyn Fn(&Observed<'_>) + Send + Sync>;

/// What an engine has just stored, for progress bars and logs.
///
/// ```
/// use onramp::engine::Observed;
/// fn show(seen: &Observed<'_>) {
///     for event in seen.events {
///         println!("{}: {}", seen.state.key().subject, event.happened.name());
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Observed<'a> {
    /// The onboarding as it is now.
    pub state: &'a State,
    /// What happened to it.
    pub events: &'a [Event],
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let flows: Vec<_> = self.shared.flows.keys().map(FlowName::as_str).collect();
        f.debug_struct("Engine")
            .field("worker", &self.shared.worker)
            .field("flows", &flows)
            .finish_non_exhaustive()
    }
}
