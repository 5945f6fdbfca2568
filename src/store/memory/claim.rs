//! Who comes first, and for whom there is room.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::All;
use crate::id::{OnboardingId, TenantId};
use crate::store::claim::{ClaimOrder, ClaimRequest};

impl All {
    /// What is due of a flow, in the order asked for.
    pub(super) fn in_order(
        &self,
        request: &ClaimRequest,
        now: DateTime<Utc>,
    ) -> Vec<(TenantId, OnboardingId)> {
        let of_flow = self.onboardings.iter().filter_map(|(id, kept)| {
            let key = kept.row.state.key();
            let queued = kept
                .queued
                .filter(|q| key.flow == request.flow && q.is_due(now))?;
            Some((queued.due, *id, key.tenant.clone()))
        });
        let mut due: Vec<_> = of_flow.collect();
        due.sort();
        let mut ordered: Vec<_> = due
            .into_iter()
            .map(|(_, id, tenant)| (tenant, id))
            .collect();
        if request.order == ClaimOrder::Fair {
            // Everybody's first, then everybody's second; after the one whose turn was last.
            let last = self.turns.get(&request.flow);
            let mut nth = BTreeMap::<TenantId, usize>::new();
            ordered.sort_by_cached_key(|(tenant, _)| {
                let nth = nth.entry(tenant.clone()).or_default();
                *nth += 1;
                (
                    *nth,
                    last.is_some_and(|last| tenant <= last),
                    tenant.clone(),
                )
            });
        }
        ordered
    }
}

/// How much may still be claimed of each tenant.
pub(super) struct Room {
    limit: Option<usize>,
    held: BTreeMap<TenantId, usize>,
}

impl Room {
    /// Counts the leases with a limit. Those that ran out are over, so that none is renewed beside
    /// the one that takes its place.
    pub(super) fn of(all: &mut All, request: &ClaimRequest, now: DateTime<Utc>) -> Self {
        let limit = request.per_tenant.map(|limit| limit.get() as usize);
        let mut held = BTreeMap::<TenantId, usize>::new();
        for kept in all.onboardings.values_mut() {
            let key = kept.row.state.key();
            let Some(queued) = kept.queued.as_mut() else {
                continue;
            };
            if limit.is_none() || key.flow != request.flow || !queued.leased || !queued.limited {
                continue;
            }
            if queued.is_due(now) {
                queued.leased = false;
                queued.due = queued.due.min(now);
            } else {
                *held.entry(key.tenant.clone()).or_default() += 1;
            }
        }
        Self { limit, held }
    }

    /// Takes a place, if there is one.
    pub(super) fn take(&mut self, tenant: &TenantId) -> bool {
        let Some(limit) = self.limit else {
            return true;
        };
        let held = self.held.entry(tenant.clone()).or_default();
        let free = *held < limit;
        *held += usize::from(free);
        free
    }
}
