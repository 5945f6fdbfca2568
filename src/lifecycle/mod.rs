//! The rules, and the typed face over them.
//!
//! ```text
//!                    start              every step settled, verified
//!      ┌─────────┐ ────────> ┌────────────┐ ────────────────> ┌───────────┐
//!      │ Pending │           │ InProgress │ ─┐ advancing      │ Completed │
//!      └─────────┘           └────────────┘ <┘ waiting        └───────────┘
//!           │ cancel    retry  ▲        │      undoing
//!           │       retry_undo │        ▼ failed for good or cancelled, and undone
//!           │                ┌────────────┐
//!           └──────────────> │   Failed   │
//!                            └────────────┘
//!
//!   Command ──decide(&State, &Plan, now)──> [Event] ──apply(State)──> State ──next(&Plan, now)──> what to do
//! ```
//!
//! [`decide`], [`apply()`] and [`next()`] are plain functions: no I/O, no clock, nothing async. The
//! typed [`Onboarding`] is a face over them and holds no rule of its own; both are generated from,
//! or tested against, the one table in `stage.rs`.

mod apply;
#[cfg(feature = "http")]
mod by_name;
mod change;
mod command;
mod decide;
mod digest;
mod event;
mod explain;
mod import;
mod loaded;
mod next;
mod onboarding;
mod questions;
mod rejected;
mod reports;
mod secret;
mod shared;
#[expect(unnameable_types, reason = "seals the stages")]
mod stage;
mod state;
mod steps;
mod wait;
mod wishes;

pub use apply::{apply, evolve, fold};
pub use change::{Change, InvalidFact};
pub use command::{Action, Command};
pub use decide::{decide, decide_all};
pub use digest::{Digest, FactMark, InvalidDigest};
pub use event::{Event, Happened};
pub use explain::{Obstacle, ObstacleKind, explain};
pub use import::{Origin, Past};
pub use loaded::Loaded;
pub use next::{Next, Phase, WaitingFor, next, phase};
pub use onboarding::Onboarding;
pub use rejected::Rejected;
pub use secret::{RevealState, SecretState};
pub use stage::{
    CanAdopt, CanApprove, CanAttest, CanCancel, CanComplete, CanDismiss, CanDraft, CanErase,
    CanLogin, CanPark, CanReopen, CanRetry, CanRetryUndo, CanRevise, CanSkip, CanStart, CanSubmit,
    CanUnpark, CanWaive, Completed, Failed, InProgress, Operation, Pending, Stage, StageKind,
    UndoReason, Undoing,
};
pub use state::{Parked, Progress, State, StepState};
pub use wait::Wait;

#[cfg(feature = "store")]
pub(crate) use change::{Intent, PutFact};
#[cfg(feature = "store")]
pub(crate) use decide::decide_erasure;
#[cfg(feature = "vault")]
pub(crate) use secret::{MAX_WRONG, Proof, SecretWish, decide_secret};
