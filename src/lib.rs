//! Durable, explainable customer onboarding.

#[cfg(feature = "fields")]
pub mod fields;
pub mod flow;
mod id;
pub mod lifecycle;
#[cfg(feature = "store")]
mod onramp;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;

pub use id::{
    Actor, CommandId, Fence, FlowName, InvalidId, Key, MAX_ID_BYTES, OnboardingId, Revision,
    StepName, SubjectId, TenantId, UnknownActor,
};
pub use lifecycle::{Change, Loaded, Onboarding};
#[cfg(feature = "store")]
pub use onramp::Onramp;
pub use time::{Clock, SystemClock};

/// What most hosts use: `use onramp::prelude::*;`.
pub mod prelude {
    pub use crate::flow::{
        Answer, Clearance, Definition, Evidence, Flow, Gate, GateClosed, GateContext, Invalid,
        NotCleared, Problem, RetryPolicy, Step, Task, TaskContext, TaskError,
    };
    pub use crate::id::{Actor, OnboardingId, SubjectId, TenantId};
    pub use crate::lifecycle::{
        Change, Completed, Failed, InProgress, Loaded, Onboarding, Pending, Rejected, StageKind,
    };
    #[cfg(feature = "store")]
    pub use crate::onramp::Onramp;
    #[cfg(feature = "store")]
    pub use crate::store::{CommitError, MemoryStore, Resolution, Store, StoreExt};
}
