//! What a scenario does: the host's and the subject's wishes, time that passes, tasks that fail.
//!
//! ```
//! use std::time::Duration;
//! use onramp::flow::Problem;
//! use onramp::prelude::*;
//! use onramp::testing::{Fault, Scenario, act};
//! # use serde::{Deserialize, Serialize};
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! # #[derive(Serialize, Deserialize)]
//! # struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//! # #[derive(Serialize, Deserialize)]
//! # struct Site { url: String }
//! # impl Step for Site { const NAME: &'static str = "build_site"; }
//! # const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
//! let scenario = Scenario::<Workspace>::new()
//!     .given(act::fails::<_, Site>(2, Fault::retryable(BUSY)))
//!     .given(act::answer(Company { name: "Acme".into() }))
//!     .when(act::time_passes(Duration::from_secs(3600)));
//! ```

mod commit;
mod fate;
mod wish;

use std::future::Future;
use std::pin::Pin;

use crate::flow::{Flow, NotCleared};
use crate::lifecycle::{InvalidFact, Rejected, StageKind};
use crate::store::Error;
use crate::testing::world::{Unsettled, World};

pub use fate::{fails, fails_late, time_passes, undo_fails, verify_fails};
pub use wish::{answer, cancel, change, evidence, retry, retry_undo, revise, skip, start};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Does<F> =
    Box<dyn for<'w> Fn(&'w World<F>) -> BoxFuture<'w, Result<(), Refusal>> + Send + Sync>;

/// Something that a scenario does, as often as the scenario is played.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn gives_up<F: Flow>() -> Act<F> {
///     act::cancel()
/// }
/// ```
#[must_use = "an act is for a scenario"]
pub struct Act<F> {
    text: String,
    does: Does<F>,
}

impl<F: Flow> Act<F> {
    pub(in crate::testing) fn new<D>(text: impl Into<String>, does: D) -> Self
    where
        D: for<'w> Fn(&'w World<F>) -> BoxFuture<'w, Result<(), Refusal>> + Send + Sync + 'static,
    {
        let (text, does) = (text.into(), Box::new(does));
        Self { text, does }
    }

    pub(super) async fn perform(&self, world: &World<F>) -> Result<(), Refusal> {
        (self.does)(world).await
    }
}

impl<F> std::fmt::Display for Act<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why an act was refused.
///
/// ```
/// use onramp::lifecycle::StageKind;
/// use onramp::testing::Refusal;
/// let refusal = Refusal::Stage { wants: StageKind::InProgress, found: StageKind::Completed };
/// assert_eq!(refusal.to_string(), "it takes an onboarding that is in_progress, this one is completed");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The types would not have allowed it.
    #[error("it takes an onboarding that is {wants}, this one is {found}")]
    Stage {
        /// The stage that it takes.
        wants: StageKind,
        /// The stage that the onboarding is in.
        found: StageKind,
    },
    /// The rules said no.
    #[error(transparent)]
    Rejected(Rejected),
    /// The answer or the evidence cannot be taken.
    #[error(transparent)]
    Invalid(InvalidFact),
    /// A gate was closed.
    #[error(transparent)]
    NotCleared(NotCleared),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// It did not come to rest.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}
