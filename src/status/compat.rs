//! The status in the shape of an older client.

use serde::{Deserialize, Serialize};

use crate::flow::{FactError, Facts, Step};
use crate::id::TenantId;
use crate::lifecycle::StageKind;
use crate::status::projection::Status;

/// The step that an older client takes for the end.
const COMPLETE: &str = "complete";

/// A status as clients of the system before expect it: exactly these six keys, in this order.
///
/// `status` is `"pending"`, `"in_progress"`, `"complete"` or `"failed"`. Once it is completed
/// `current_step` is `"complete"`, which is then the last of the completed steps too; before, steps that
/// were skipped, waived or do not apply are not among them.
///
/// ```
/// # use onramp::status::Status;
/// fn answer(status: &Status, billing: &dyn Fn(&str) -> Option<String>) -> serde_json::Result<String> {
///     serde_json::to_string(&status.compat(|status| billing(status.subject.as_str())))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Compat {
    /// Whether it is not completed.
    pub needs_onboarding: bool,
    /// The stage.
    pub status: String,
    /// The first step that is not settled; `"complete"` at the end.
    pub current_step: Option<String>,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The subscription plan, as the host knows it.
    pub subscription_plan: Option<String>,
    /// The steps whose fact is there; and `"complete"`.
    pub completed_steps: Vec<String>,
}

impl Compat {
    /// A status in this shape, with the subscription plan.
    #[must_use]
    pub fn of(status: &Status, subscription_plan: Option<String>) -> Self {
        let complete = status.stage == StageKind::Completed;
        let end = complete.then(|| COMPLETE.to_owned());
        let done = status.completed_steps.iter().map(ToString::to_string);
        // Every step is settled, and what was built is still to be verified: not the end yet.
        let current = status.current_step.as_ref().map(ToString::to_string);
        Self {
            needs_onboarding: status.needs_onboarding,
            status: match status.stage {
                StageKind::Completed => COMPLETE.to_owned(),
                stage => stage.as_str().to_owned(),
            },
            current_step: current.or_else(|| end.clone()),
            tenant_id: status.tenant.clone(),
            subscription_plan,
            completed_steps: done.chain(end).collect(),
        }
    }

    /// The same with the plan that a typed fact names, evidence of billing say.
    ///
    /// # Errors
    /// [`FactError`] when the fact does not decode: nobody is told a plan that is made up.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # use onramp::flow::{FactError, Facts};
    /// # use onramp::status::{Compat, Status};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Paid { plan: String }
    /// # impl Step for Paid { const NAME: &'static str = "payment"; }
    /// fn answer(status: &Status, facts: &Facts) -> Result<Compat, FactError> {
    ///     Compat::with_fact(status, facts, |paid: Paid| paid.plan)
    /// }
    /// ```
    pub fn with_fact<T: Step>(
        status: &Status,
        facts: &Facts,
        plan: impl FnOnce(T) -> String,
    ) -> Result<Self, FactError> {
        Ok(Self::of(status, facts.get::<T>()?.map(plan)))
    }
}
