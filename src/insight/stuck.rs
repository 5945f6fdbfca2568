//! Who has been waiting longest, and for whom.

use std::collections::BinaryHeap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::cohort::{delta, walk};
use super::csv::{Cell, Table};
use super::standing::Standing;
use crate::flow::Plan;
use crate::id::{Key, OnboardingId, StepName, TenantId};
use crate::lifecycle::{Next, Obstacle, StageKind, State, WaitingFor, explain, next};
use crate::store::{Error, ScanRequest, Store};

/// An onboarding that has been where it is for long.
///
/// ```
/// # use onramp::insight::Stuck;
/// fn say(stuck: &Stuck) -> String {
///     format!("{} since {}: {}", stuck.key.subject, stuck.since, stuck.waits_for)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stuck {
    /// The onboarding.
    pub id: OnboardingId,
    /// Tenant, flow and subject.
    pub key: Key,
    /// Since when it is where it is. It may have been later where something is done again because an
    /// answer was revised, and where a program stored it that did not note when steps were settled.
    pub since: DateTime<Utc>,
    /// The first thing that stands between it and its completion.
    pub waits_for: Obstacle,
}

impl Stuck {
    /// A line for each (RFC 4180).
    ///
    /// ```
    /// use onramp::insight::Stuck;
    /// assert!(Stuck::to_csv(&[]).starts_with("tenant,subject,id,since,"));
    /// ```
    #[must_use]
    pub fn to_csv(all: &[Self]) -> String {
        let head = [
            "tenant",
            "subject",
            "id",
            "since",
            "step",
            "waits_for",
            "because",
            "until",
        ];
        let mut table = Table::new(&head);
        for stuck in all {
            let waits = &stuck.waits_for;
            table.line([
                stuck.key.tenant.as_str().into(),
                stuck.key.subject.as_str().into(),
                stuck.id.to_string().into(),
                stuck.since.to_rfc3339().into(),
                waits.step.as_ref().map(StepName::as_str).into(),
                waits.on.as_str().into(),
                waits.kind.as_str().into(),
                waits
                    .until
                    .map(|until| Cell::from(until.to_rfc3339()))
                    .into(),
            ]);
        }
        table.into_text()
    }
}

/// Those that have been where they are for longer than `older_than`, the longest first, at most
/// `limit`. What ended is not looked at, and what is meant to wait for a time is not stuck.
pub(crate) async fn stuck(
    store: &dyn Store,
    plan: &Plan,
    tenant: Option<&TenantId>,
    older_than: Duration,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<Stuck>, Error> {
    let older_than = delta(older_than);
    // The one that goes first when there are too many is on top: the youngest.
    let mut longest: BinaryHeap<(DateTime<Utc>, OnboardingId)> = BinaryHeap::new();
    let mut found = std::collections::BTreeMap::new();
    for stage in [StageKind::Pending, StageKind::InProgress] {
        let mut request = ScanRequest::new(plan.flow()).stage(stage);
        request.tenant = tenant.cloned();
        walk(store, request, |state| {
            let since = Standing::new(state, plan).since();
            if now - since <= older_than || is_meant_to_wait(state, plan, now) {
                return;
            }
            let this = (since, state.id());
            if longest.len() == limit && longest.peek().is_none_or(|youngest| *youngest < this) {
                return;
            }
            let Some(waits_for) = explain(state, plan, now).into_iter().next() else {
                return;
            };
            longest.push(this);
            let (id, key) = (state.id(), state.key().clone());
            let stuck = Stuck {
                id,
                key,
                since,
                waits_for,
            };
            found.insert(this, stuck);
            if longest.len() > limit
                && let Some(youngest) = longest.pop()
            {
                found.remove(&youngest);
            }
        })
        .await?;
    }
    Ok(found.into_values().collect())
}

/// Whether a pause, or the time until the next attempt, is not over.
fn is_meant_to_wait(state: &State, plan: &Plan, now: DateTime<Utc>) -> bool {
    let on_time = |next| match next {
        Next::Wait { on, until, .. } => (on == WaitingFor::Time).then_some(until).flatten(),
        _ => None,
    };
    on_time(next(state, plan, now)).is_some_and(|until| until > now)
}
