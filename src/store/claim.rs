//! What a worker asks for when it claims.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::id::FlowName;
use crate::store::error::Error;
use crate::store::limits::{check_flow, check_worker};
use crate::store::record::WorkerId;

/// A wish for onboardings to work on, for [`Store::claim`](super::Store::claim).
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use onramp::FlowName;
/// use onramp::store::{ClaimOrder, ClaimRequest, WorkerId};
///
/// let (flow, worker) = (FlowName::from_static("workspace"), WorkerId::new("w-1"));
/// let request = ClaimRequest::new(&flow, &worker)
///     .max(16)
///     .lease(Duration::from_secs(60))
///     .order(ClaimOrder::Fair)
///     .per_tenant(NonZeroU32::new(4));
/// assert_eq!(request.max, 16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// The flow whose onboardings are claimed.
    pub flow: FlowName,
    /// Who claims, for operators.
    pub worker: WorkerId,
    /// How many at most.
    pub max: usize,
    /// How long each is leased for.
    pub lease: Duration,
    /// Who comes first.
    pub order: ClaimOrder,
    /// How many onboardings of one tenant, of this flow, may be leased at the same time by claims
    /// that have a limit, whoever makes them. Where limits differ, the largest holds.
    pub per_tenant: Option<NonZeroU32>,
}

impl ClaimRequest {
    /// One onboarding, for 30 seconds, the one due longest, without a limit.
    #[must_use]
    pub fn new(flow: &FlowName, worker: &WorkerId) -> Self {
        Self {
            flow: flow.clone(),
            worker: worker.clone(),
            max: 1,
            lease: Duration::from_secs(30),
            order: ClaimOrder::Oldest,
            per_tenant: None,
        }
    }

    /// Whether every store can keep its names as they are. Stores call this before anything else.
    ///
    /// # Errors
    /// Of kind `Invalid`: which name is over which limit; never a value.
    ///
    /// ```
    /// # use onramp::store::{ClaimRequest, Error};
    /// fn claim(request: &ClaimRequest) -> Result<(), Error> {
    ///     request.check()?;
    ///     Ok(()) // and so on
    /// }
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        check_flow(&self.flow)?;
        check_worker(&self.worker)
    }

    /// So many at most.
    #[must_use]
    pub fn max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Each for so long.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// In this order.
    #[must_use]
    pub fn order(mut self, order: ClaimOrder) -> Self {
        self.order = order;
        self
    }

    /// With this limit for each tenant; none lifts it.
    #[must_use]
    pub fn per_tenant(mut self, limit: Option<NonZeroU32>) -> Self {
        self.per_tenant = limit;
        self
    }
}

/// Which of the onboardings that are due come first.
///
/// ```
/// use onramp::store::ClaimOrder;
/// assert_eq!(ClaimOrder::default(), ClaimOrder::Oldest);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClaimOrder {
    /// Those due longest, whoever they belong to.
    #[default]
    Oldest,
    /// Tenants take turns, each with what is due longest of its own; what room is left goes to those
    /// due longest. While `n` tenants have something queued, one of them that has something due is
    /// given a turn within `4n` claims through one store, however long the others' backlogs are. A
    /// database that an old snapshot keeps from cleaning up may be spared this, for ten seconds at a
    /// time.
    Fair,
}
