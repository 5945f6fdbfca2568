//! What a reader of many onboardings asks for.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::id::{FlowName, Key, OnboardingId, TenantId};
use crate::lifecycle::StageKind;
use crate::store::error::Error;
use crate::store::limits::check_flow;
use crate::store::record::Row;

/// A wish for a page of onboardings with what is known of them, for
/// [`Store::scan`](super::Store::scan).
///
/// ```
/// use chrono::TimeDelta;
/// use onramp::lifecycle::StageKind;
/// use onramp::store::ScanRequest;
/// use onramp::{Clock, FlowName, SystemClock};
///
/// let now = SystemClock.now();
/// let request = ScanRequest::new(&FlowName::from_static("workspace"))
///     .created_between(now - TimeDelta::days(7), now)
///     .stage(StageKind::InProgress)
///     .limit(100);
/// assert!(request.from < request.until);
/// # let last = request.from;
/// let next_page = request.after(last);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanRequest {
    /// The flow.
    pub flow: FlowName,
    /// The lowest identity that is given.
    pub from: OnboardingId,
    /// The identity before which it ends.
    pub until: OnboardingId,
    /// Only onboardings of this tenant; none is for whoever does not act for one.
    pub tenant: Option<TenantId>,
    /// Only those in this stage.
    pub stage: Option<StageKind>,
    /// How many at most.
    pub limit: usize,
}

impl ScanRequest {
    /// The first 500 onboardings of a flow, of all tenants.
    #[must_use]
    pub fn new(flow: &FlowName) -> Self {
        Self {
            flow: flow.clone(),
            from: OnboardingId::from_uuid(Uuid::nil()),
            until: OnboardingId::from_uuid(Uuid::max()),
            tenant: None,
            stage: None,
            limit: 500,
        }
    }

    /// Whether every store can look for it. Stores call this before anything else.
    ///
    /// # Errors
    /// Of kind `Invalid`: which name is over which limit; never a value.
    ///
    /// ```
    /// # use onramp::store::{Error, ScanRequest};
    /// fn scan(request: &ScanRequest) -> Result<(), Error> {
    ///     request.check()?;
    ///     Ok(()) // and so on
    /// }
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        check_flow(&self.flow)
    }

    /// Whether it is of the flow and the tenant.
    pub(crate) fn is_for(&self, key: &Key) -> bool {
        let of_tenant = self.tenant.as_ref().is_none_or(|t| key.tenant == *t);
        key.flow == self.flow && of_tenant
    }

    /// Those created from a moment on and before another one, in whole milliseconds.
    #[must_use]
    pub fn created_between(mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        self.from = OnboardingId::first_at(from);
        self.until = OnboardingId::first_at(until);
        self
    }

    /// Those after this one: the next page, when it was the last of a page.
    #[must_use]
    pub fn after(mut self, last: OnboardingId) -> Self {
        self.from = last.successor();
        self
    }

    /// Only those of a tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: &TenantId) -> Self {
        self.tenant = Some(tenant.clone());
        self
    }

    /// Only those in a stage.
    #[must_use]
    pub fn stage(mut self, stage: StageKind) -> Self {
        self.stage = Some(stage);
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// An onboarding that a scan came by.
///
/// ```
/// # use onramp::store::Scanned;
/// fn readable(page: &[Scanned]) -> usize {
///     page.iter().filter(|scanned| scanned.row.is_ok()).count()
/// }
/// ```
#[derive(Debug)]
pub struct Scanned {
    /// The onboarding.
    pub id: OnboardingId,
    /// Its row; or that this program cannot read it, so that one is in nobody else's way.
    pub row: Result<Row, Error>,
}
