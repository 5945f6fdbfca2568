//! Prerequisites that must hold before an onboarding starts, and the proof that they were checked.

use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::flow::Problem;
use crate::id::{OnboardingId, SubjectId, TenantId};

/// A prerequisite: the platform is ready, the upstream record exists, the region is open.
///
/// Gates are checked when an onboarding is about to start, and never after.
///
/// ```
/// use onramp::flow::{Gate, GateClosed, GateContext, Problem};
///
/// const NOT_READY: Problem =
///     Problem::new("platform_not_ready", "We are not ready for new customers yet.");
///
/// struct TablesExist { found: usize, wanted: usize }
/// impl Gate for TablesExist {
///     const NAME: &'static str = "tables_exist";
///     async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
///         if self.found == self.wanted {
///             Ok(())
///         } else {
///             Err(GateClosed::new(NOT_READY, format!("{} of {} tables", self.found, self.wanted)))
///         }
///     }
/// }
/// ```
pub trait Gate: Send + Sync + 'static {
    /// A stable name, for health reports and messages.
    const NAME: &'static str;

    /// Checks the prerequisite for one onboarding.
    ///
    /// # Errors
    /// [`GateClosed`] says what people are told and, for logs, why.
    fn check(&self, cx: &GateContext) -> impl Future<Output = Result<(), GateClosed>> + Send;

    /// How long a check may take: then the gate counts as closed. Five seconds unless told.
    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// For how long an open gate is not checked again, for whomever. Only for a gate whose answer is
    /// the same for everybody: whether the platform is ready, say. Never unless told.
    fn open_for(&self) -> Duration {
        Duration::ZERO
    }
}

/// For whom a gate is checked.
///
/// ```
/// # use onramp::flow::GateContext;
/// fn describe(cx: &GateContext) -> String {
///     format!("{} of {}", cx.subject(), cx.tenant())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct GateContext {
    tenant: TenantId,
    subject: SubjectId,
}

impl GateContext {
    /// A context. The library makes these; hosts make them to test a gate by itself.
    #[must_use]
    pub fn new(tenant: TenantId, subject: SubjectId) -> Self {
        Self { tenant, subject }
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Who is about to be onboarded.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }
}

/// Why a gate is closed: what people are told, and a detail that only logs see.
///
/// ```
/// use onramp::flow::{GateClosed, Problem};
/// const NOT_READY: Problem = Problem::new("platform_not_ready", "Not ready yet.");
/// let closed = GateClosed::new(NOT_READY, "15 of 21 tables");
/// assert_eq!(closed.to_string(), "platform_not_ready");
/// assert_eq!(closed.detail(), "15 of 21 tables");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problem.code())]
pub struct GateClosed {
    problem: Problem,
    detail: String,
}

impl GateClosed {
    /// A closed gate.
    pub fn new(problem: Problem, detail: impl Into<String>) -> Self {
        Self {
            problem,
            detail: detail.into(),
        }
    }

    /// What people are told.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// The technical reason, for logs.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// Proof that every gate of the flow was open for one onboarding, moments ago.
///
/// The only way to start; only [`Onramp::clear`](crate::Onramp::clear) makes one. It serves the
/// onboarding it was made for, once, and for five minutes.
///
/// ```no_run
/// # use onramp::prelude::*;
/// # async fn begin<F: Flow>(
/// #     onramp: Onramp<F>, pending: Onboarding<F, Pending>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let clearance: Clearance<F> = onramp.clear(&pending).await?;
/// let running = onramp.commit(pending.start(clearance)).await?;
/// # Ok(()) }
/// ```
#[must_use = "a clearance is what `start` takes"]
pub struct Clearance<F> {
    pub(crate) onboarding: OnboardingId,
    pub(crate) at: DateTime<Utc>,
    flow: PhantomData<fn() -> F>,
}

impl<F> Clearance<F> {
    /// For those who have checked the gates.
    #[cfg(feature = "store")]
    pub(crate) fn granted(onboarding: OnboardingId, at: DateTime<Utc>) -> Self {
        Self {
            onboarding,
            at,
            flow: PhantomData,
        }
    }

    /// When the gates were checked.
    #[must_use]
    pub fn checked_at(&self) -> DateTime<Utc> {
        self.at
    }
}

impl<F> std::fmt::Debug for Clearance<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clearance")
            .field("onboarding", &self.onboarding)
            .field("at", &self.at)
            .finish()
    }
}

/// At least one gate was closed. Lists every closed one.
///
/// ```
/// use onramp::flow::{GateClosed, NotCleared, Problem};
/// # const NOT_READY: Problem = Problem::new("platform_not_ready", "Not ready yet.");
/// let refused = NotCleared::new(vec![("tables_exist", GateClosed::new(NOT_READY, "15 of 21"))]);
/// assert_eq!(refused.to_string(), "not cleared to start: tables_exist (platform_not_ready)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCleared {
    closed: Vec<(&'static str, GateClosed)>,
}

impl NotCleared {
    /// The closed gates, by name.
    #[must_use]
    pub fn new(closed: Vec<(&'static str, GateClosed)>) -> Self {
        Self { closed }
    }

    /// The closed gates, by name.
    pub fn closed(&self) -> impl Iterator<Item = (&'static str, &GateClosed)> {
        self.closed.iter().map(|(name, closed)| (*name, closed))
    }
}

impl std::fmt::Display for NotCleared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not cleared to start:")?;
        for (index, (name, closed)) in self.closed.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator} {name} ({closed})")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotCleared {}
