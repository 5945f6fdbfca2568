//! The relay: takes messages out of the outbox and has each delivered.
//!
//! ```text
//!   Store ──take──> Delivery ──> notify (in a task of its own, bounded in time) ──> Settlement ─┐
//!     ^              one of each onboarding, hidden from other relays                           │
//!     └──────────────────────────────── settle: delivered, later, dead ─────────────────────────┘
//! ```
//!
//! **At least once, in the order of each onboarding.** A message stays until it is settled; until then
//! no later one of its onboarding is handed out, to whatever relay. One that was handed out and of
//! which nothing was heard, because the process died, is handed out again after three timeouts.

mod builder;
mod deliver;
mod rounds;

use std::sync::Arc;
use std::time::Duration;

use crate::engine::notify::Notifier;
use crate::flow::RetryPolicy;
use crate::store::Store;

pub use builder::RelayBuilder;

/// Delivers the messages of a store by a [`Notifier`]. Cheap to clone; start one in each process, or
/// in a few: they share the work.
///
/// A message that fails is tried again by the retry policy. After its last attempt, or an error that is
/// final, it is dead: it keeps nobody waiting, is listed by
/// [`dead_outbox`](Store::dead_outbox) and made due again by [`revive_outbox`](Store::revive_outbox).
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use onramp::engine::{Notifier, NotifyError, Relay};
/// use onramp::prelude::*;
/// use onramp::store::OutboxMessage;
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
///
/// #[derive(Default)]
/// struct Mailbox(Mutex<Vec<String>>);
///
/// #[async_trait::async_trait]
/// impl Notifier for Mailbox {
///     async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
///         self.0.lock().unwrap().push(message.topic.clone());
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let flow = Workspace::steps().ask::<Company>().build()?;
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// let mailbox = Arc::new(Mailbox::default());
/// let relay = Relay::builder(store.clone()).notifier(mailbox.clone()).build();
///
/// # let onramp = Onramp::shared(store, flow);
/// # let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// # let pending = onramp.enroll(&tenant, &subject).await?.into_pending().expect("it is new");
/// # let clearance = onramp.clear(&pending).await?;
/// let _running = onramp.commit(pending.start(clearance)).await?;
/// relay.run_until_idle().await?;
/// assert_eq!(*mailbox.0.lock().unwrap(), ["started"]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

/// What every clone of a relay uses.
struct Shared {
    store: Arc<dyn Store>,
    notifier: Arc<dyn Notifier>,
    concurrency: usize,
    batch: usize,
    retry: RetryPolicy,
    timeout: Duration,
    poll: Duration,
}

impl Shared {
    /// How long a message that was taken is hidden: an attempt ends in a third of it, so that it is
    /// settled before anybody else is given the message.
    fn hidden(&self) -> Duration {
        self.timeout.saturating_mul(3)
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("concurrency", &self.shared.concurrency)
            .field("retry", &self.shared.retry)
            .finish_non_exhaustive()
    }
}
