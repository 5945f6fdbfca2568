//! What most hosts use: `use onramp::prelude::*;`.

#[cfg(feature = "tokio")]
pub use crate::engine::Engine;
pub use crate::flow::{
    Answer, Approval, Clearance, Definition, Draft, Evidence, Flow, Gate, GateClosed, GateContext,
    Invalid, NotCleared, Prefill, PrefillError, Problem, RetryPolicy, Step, Task, TaskContext,
    TaskError,
};
pub use crate::id::{Actor, OnboardingId, Reason, SubjectId, TenantId};
pub use crate::lifecycle::{
    Change, Completed, Failed, InProgress, Loaded, Onboarding, Pending, Rejected, StageKind,
};
#[cfg(feature = "store")]
pub use crate::onramp::Onramp;
#[cfg(feature = "mysql")]
pub use crate::store::MySqlStore;
#[cfg(feature = "postgres")]
pub use crate::store::PostgresStore;
#[cfg(feature = "sqlite")]
pub use crate::store::SqliteStore;
#[cfg(feature = "store")]
pub use crate::store::{CommitError, MemoryStore, Resolution, Store, StoreExt};
