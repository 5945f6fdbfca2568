//! A page of a flow's onboardings.

use std::collections::BTreeMap;

use super::Kept;
use crate::id::OnboardingId;
use crate::store::scan::{ScanRequest, Scanned};

/// Those that a request is for.
pub(super) fn page(
    onboardings: &BTreeMap<OnboardingId, Kept>,
    request: &ScanRequest,
) -> Vec<Scanned> {
    // A map panics at a range that ends before it begins.
    if request.from >= request.until {
        return Vec::new();
    }
    let range = onboardings.range(request.from..request.until);
    let wanted = range.filter(|(_, kept)| {
        let state = &kept.row.state;
        let in_stage = request.stage.is_none_or(|stage| state.stage() == stage);
        in_stage && request.is_for(state.key())
    });
    let scanned = wanted.map(|(id, kept)| Scanned {
        id: *id,
        row: Ok(kept.row.clone()),
    });
    scanned.take(request.limit).collect()
}
