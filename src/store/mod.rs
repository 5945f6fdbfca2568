//! Where onboardings are kept: the contract, the typed commit over it, and the stores.
//!
//! Implementers read [`Store`]; hosts use [`Onramp`](crate::Onramp), or [`StoreExt`] below it.

mod audit;
mod chain;
mod claim;
mod commit_error;
mod contract;
mod delivery;
mod error;
mod ext;
mod forward;
mod hints;
mod join;
mod limits;
mod memory;
mod prepare;
mod realise;
mod record;
mod replay;
mod retention;
mod scan;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub mod sql;
mod subject;
mod tenant;
#[cfg(feature = "tokio")]
mod watch;

pub use audit::{Unverified, Verified};
pub use chain::{BrokenChain, Salt, hash, mark, verify};
pub use claim::{ClaimOrder, ClaimRequest};
pub use commit_error::{CommitError, Conflict, InDoubt, NotApplied, NotAppliedBecause, Unknown};
pub use contract::Store;
pub use delivery::{DeadLetter, Delivery, OUTBOX_LOOK, OutboxLag, Settlement};
pub use error::{Error, ErrorKind};
pub use ext::{Resolution, StoreExt};
pub use hints::{Hints, Listener, ListenerOfOne};
pub use join::Join;
pub(crate) use join::{commit_in, enroll_in};
pub use memory::MemoryStore;
pub use record::{
    Commit, CommitOutcome, Created, FactChange, FactRecord, JournalEntry, Lease, Listed,
    NewOnboarding, OutboxMessage, QueueChange, ReservationChange, Row, StepProgress, WorkerId,
};

pub use retention::{Purged, Retention};
pub use scan::{ScanRequest, Scanned};
pub use subject::{EntryExport, Erasure, FactExport, OnboardingExport, SubjectExport};
pub use tenant::TenantRequest;
#[cfg(feature = "tokio")]
pub use watch::{Progress, Watch};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::MigrationPlan;
#[cfg(feature = "mysql")]
pub use sql::MySqlStore;
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use sql::{ClaimStrategy, SqlOptions};
#[cfg(feature = "sqlite")]
pub use sql::{SqliteOptions, SqliteStore};

#[cfg(feature = "testing")]
pub(crate) use chain::entry;
#[cfg(any(feature = "tokio", feature = "import", feature = "vault"))]
pub(crate) use chain::seal;
pub(crate) use ext::{begin, key, loaded, not_applied};
#[cfg(feature = "import")]
pub(crate) use limits::check_source;
#[cfg(feature = "tokio")]
pub(crate) use prepare::Prepared;
#[cfg(any(feature = "import", feature = "testing"))]
pub(crate) use prepare::prepare_creation;
#[cfg(feature = "vault")]
pub(crate) use prepare::prepare_secret;
pub(crate) use prepare::{Proposal, Refused, prepare};
#[cfg(feature = "testing")]
pub(crate) use prepare::{messages, prepare_beginning};
pub(crate) use replay::{Before, Wish, state_as_of};
