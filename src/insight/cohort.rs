//! Whose onboardings are looked at.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::Plan;
use crate::id::TenantId;
use crate::lifecycle::State;
use crate::store::{Error, ErrorKind, ScanRequest, Scanned, Store};

/// How long a subject may take to answer before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Whose onboardings of a flow are looked at. Not the cohort of a step
/// ([`flow::Cohort`](crate::flow::Cohort)).
///
/// When one was created is told by its identity, in whole milliseconds, so a cohort is a range of the
/// primary key; cohorts that follow one another hold every onboarding once. One that was imported counts
/// as of when it began in the other system, where that was known. One with an identity
/// that is no UUID version 7 (the test kit makes such ones) is to be looked for in
/// [`everyone`](Self::everyone).
///
/// ```
/// use chrono::TimeDelta;
/// use onramp::TenantId;
/// use onramp::insight::Cohort;
/// use onramp::{Clock, SystemClock};
/// let now = SystemClock.now();
/// let acme = TenantId::new("acme")?;
/// let cohort = Cohort::created_between(now - TimeDelta::days(7), now).tenant(&acme).version(3);
/// # drop(cohort);
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is to be given to `funnel` or `cross`"]
pub struct Cohort {
    created: Option<(DateTime<Utc>, DateTime<Utc>)>,
    tenant: Option<TenantId>,
    version: Option<u32>,
    patience: TimeDelta,
}

impl Cohort {
    /// Those created from a moment on and before another one, of all tenants.
    pub fn created_between(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self {
            created: Some((from, until)),
            ..Self::everyone()
        }
    }

    /// All that are stored, of all tenants.
    pub fn everyone() -> Self {
        Self {
            created: None,
            tenant: None,
            version: None,
            patience: delta(PATIENCE),
        }
    }

    /// Only those of a tenant.
    pub fn tenant(mut self, tenant: &TenantId) -> Self {
        self.tenant = Some(tenant.clone());
        self
    }

    /// Only those created with this version of the flow.
    pub fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// How long one may wait for its subject before it counts as abandoned: a week unless told.
    pub fn abandoned_after(mut self, wait: Duration) -> Self {
        self.patience = delta(wait);
        self
    }

    pub(super) fn patience(&self) -> TimeDelta {
        self.patience
    }

    fn request(&self, plan: &Plan) -> ScanRequest {
        let mut request = ScanRequest::new(plan.flow());
        if let Some((from, until)) = self.created {
            request = request.created_between(from, until);
        }
        request.tenant.clone_from(&self.tenant);
        request
    }

    /// Shows each of them, a page at a time. Gives how many could not be read, of any version.
    pub(super) async fn each(
        &self,
        store: &dyn Store,
        plan: &Plan,
        mut show: impl FnMut(&State) + Send,
    ) -> Result<u64, Error> {
        walk(store, self.request(plan), |state| {
            if self.version.is_none_or(|v| state.flow_version() == v) {
                show(state);
            }
        })
        .await
    }
}

/// Shows whatever a scan gives, page after page. Gives how many could not be read.
pub(super) async fn walk(
    store: &dyn Store,
    mut request: ScanRequest,
    mut show: impl FnMut(&State) + Send,
) -> Result<u64, Error> {
    let mut unreadable = 0;
    loop {
        let page = store.scan(&request).await?;
        let Some(last) = page.last() else {
            return Ok(unreadable);
        };
        request = request.after(last.id);
        for Scanned { row, .. } in page {
            match row {
                Ok(row) => show(&row.state),
                Err(error) if error.kind() == ErrorKind::Corrupt => unreadable += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// A wait as the difference of two times; one that no two times are apart is the longest.
pub(super) fn delta(wait: Duration) -> TimeDelta {
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)
}
