//! Places beside the facts: what is kept for a step, or under a name, and is no fact of any step.
//!
//! A slot is stored like a fact, so the commit, the tenants' wall, erasure and the journal hold for it.
//! The dot in its name keeps it apart from every step, whose names have none.

use crate::id::{SecretName, StepName};

/// Where the draft of a step's answer is kept.
pub(crate) fn draft(step: &StepName) -> StepName {
    StepName::from_text(format!("draft.{step}"))
}

/// Where a secret is kept, sealed.
pub(crate) fn sealed(name: &SecretName) -> StepName {
    StepName::from_text(format!("sealed.{name}"))
}

/// Where it is kept what proves the token that shows a secret.
pub(crate) fn reveal(name: &SecretName) -> StepName {
    StepName::from_text(format!("reveal.{name}"))
}

/// Whether this is a slot, and not a step.
#[cfg(feature = "store")]
pub(crate) fn is_slot(name: &StepName) -> bool {
    name.as_str().contains('.')
}

/// The step whose draft is kept here.
#[cfg(feature = "store")]
pub(crate) fn drafted_step(slot: &StepName) -> Option<StepName> {
    let step = slot.as_str().strip_prefix("draft.")?;
    Some(StepName::from_text(step))
}
