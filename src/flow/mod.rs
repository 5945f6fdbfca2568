//! What a flow, a step and a task are.
//!
//! ```text
//!   Flow::steps() ── ask / expect / approve / run / pause / when ──> build() ──> Definition<F>
//!                        each adds one Step; `run` and `when`                 ├─ Plan   (data: names, kinds, needs)
//!                        check at compile time that what they                 └─ code   (tasks, conditions, gates)
//!                        need is provided by an earlier step
//! ```
//!
//! This module declares the async traits that a host implements ([`Task`], [`Gate`], [`Prefill`]) and awaits
//! nothing; it reads no clock.

mod builder;
mod cancellation;
mod cohort;
mod context;
mod definition;
mod draft;
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, reason = "called by the engine")
)]
mod erased;
mod fact;
mod facts;
#[cfg(feature = "http")]
mod form;
mod gate;
mod input;
mod limits;
mod lock;
mod needs;
mod plan;
mod plan_step;
#[cfg(feature = "http")]
mod pointer;
mod prefill;
#[expect(
    unnameable_types,
    reason = "the compile-time list is never written by a host"
)]
mod provides;
mod reservation;
mod retry;
pub(crate) mod slot;
mod task;
mod waits;

pub use builder::{Steps, When};
pub use cancellation::Cancellation;
pub use cohort::Cohort;
pub use context::{Direction, Progressed, TaskContext};
pub use definition::{Definition, InvalidFlow};
pub use draft::{Draft, DraftField};
pub use fact::{Answer, Approval, Evidence, Invalid, NoUpcast, Step};
pub use facts::{EncodedFact, FactError, Facts};
pub use gate::{Clearance, Gate, GateClosed, GateContext, NotCleared};
pub use input::Input;
pub use limits::{MAX_FACT_BYTES, MAX_FACT_DEPTH, Unstorable};
pub use lock::InvalidLock;
pub use needs::Needs;
pub use plan::Plan;
pub use plan_step::{Kind, Need, PlanStep};
pub use prefill::{Prefill, PrefillError};
pub use reservation::Reservation;
pub use retry::{RetryPolicy, Roll};
pub use task::{Failure, Problem, Task, TaskError};
pub use waits::Waits;

#[cfg(feature = "tokio")]
pub(crate) use context::ProgressSink;
#[cfg(feature = "store")]
pub(crate) use definition::GateCode;
#[cfg(feature = "tokio")]
pub(crate) use definition::Parts;
#[cfg(feature = "testing")]
pub(crate) use definition::StepCode;
#[cfg(feature = "tokio")]
pub(crate) use erased::{BoxFuture, ErasedTask, Fault};
#[cfg(feature = "http")]
pub(crate) use form::{Fields, Filled, Form, Unread, read_json};
#[cfg(feature = "http")]
pub(crate) use limits::check as check_json;

/// A versioned definition of what a customer goes through, from sign-up to ready.
///
/// The type is a name only; the steps are given once, by [`Flow::steps`].
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// struct Workspace;
/// impl Flow for Workspace {
///     const NAME: &'static str = "workspace";
///     const VERSION: u32 = 1;
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String }
/// impl Step for Company { const NAME: &'static str = "company"; }
/// impl Answer<Workspace> for Company {}
///
/// let flow = Workspace::steps().ask::<Company>().build()?;
/// assert_eq!(flow.plan().steps().len(), 1);
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
pub trait Flow: Sized + Send + Sync + 'static {
    /// The stored name: 1 to 64 of `a-z`, `0-9` and `_`, a letter first.
    const NAME: &'static str;

    /// Counts up when the steps change in a way that matters to those who are half-way.
    const VERSION: u32;

    /// Begins the list of steps.
    fn steps() -> Steps<Self> {
        Steps::new()
    }
}
