//! What only one onboarding may have.

use std::collections::HashMap;

use crate::id::{OnboardingId, StepName};
use crate::lifecycle::Digest;
use crate::store::record::ReservationChange;

/// Takes and frees what is reserved, all of it or nothing; the step whose reservation somebody has.
pub(super) fn reserve(
    reserved: &mut HashMap<Digest, (OnboardingId, StepName)>,
    id: OnboardingId,
    changes: &[ReservationChange],
) -> Result<(), StepName> {
    let takes = changes.iter().filter_map(|change| match change {
        ReservationChange::Take { step, held } => Some((step, held)),
        ReservationChange::Release { .. } => None,
    });
    for (step, held) in takes {
        let mine = (id, step.clone());
        if reserved.get(held).is_some_and(|holder| *holder != mine) {
            return Err(step.clone());
        }
    }
    for change in changes {
        match change {
            ReservationChange::Release { step } => {
                let mine = (id, step.clone());
                reserved.retain(|_, holder| *holder != mine);
            }
            ReservationChange::Take { step, held } => {
                reserved.insert(*held, (id, step.clone()));
            }
        }
    }
    Ok(())
}
