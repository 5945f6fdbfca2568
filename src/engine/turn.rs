//! One onboarding at a time, for tests that move time by hand.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Engine;
use crate::engine::drive::drive;
use crate::store::{ClaimRequest, Error};

/// Nobody takes a lease over while a turn runs, because time stands still meanwhile.
const UNTIL_THE_END: Duration = Duration::from_secs(24 * 60 * 60);

impl Engine {
    /// Claims one onboarding that is due and drives it as far as it goes, in the caller's own future:
    /// when that is dropped, it is as if the process had died. Gives whether there was one.
    pub(crate) async fn turn(&self) -> Result<bool, Error> {
        let shared = &self.shared;
        for (flow, parts) in &shared.flows {
            let request = ClaimRequest::new(flow, &shared.worker)
                .lease(shared.lease)
                .order(shared.order)
                .per_tenant(shared.per_tenant);
            if let Some(lease) = shared.store.claim(&request).await?.pop() {
                let guard = shared
                    .held
                    .hold(lease.into(), Instant::now() + UNTIL_THE_END);
                drive(shared, parts, guard).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}
