//! What is wrong with the onboardings of a flow that nobody has noticed yet.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::flow::Flow;
use crate::flow::Plan;
use crate::id::{OnboardingId, StepName, TenantId};
use crate::lifecycle::{Next, StageKind, next};
use crate::onramp::Onramp;
use crate::store::{Error, ErrorKind, Listed, OutboxLag, Store};

/// Onboardings that are looked at at once.
const PAGE: usize = 200;

/// How many of each kind are named; the rest is counted.
const NAMED: usize = 100;

/// What a look at everything has found.
///
/// ```
/// # use onramp::Diagnosis;
/// fn is_well(diagnosis: &Diagnosis) -> bool {
///     diagnosis.neglected.is_empty() && diagnosis.unreadable.is_empty() && diagnosis.remaining.is_empty()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// How many onboardings of the flow were looked at.
    pub looked_at: usize,
    /// Those that a worker should have done something about long ago: no worker runs, or every lease
    /// runs out. At most a hundred are named.
    pub neglected: Vec<Ailing>,
    /// Those that this program cannot read. At most a hundred are named.
    pub unreadable: Vec<Ailing>,
    /// Those that failed and left effects that could not be taken back. At most a hundred are named.
    pub remaining: Vec<Ailing>,
    /// How far the delivery of messages is behind, of all flows.
    pub outbox: OutboxLag,
}

/// An onboarding with which something is wrong.
///
/// ```
/// # use onramp::Ailing;
/// fn say(ailing: &Ailing) -> String {
///     format!("{} of {}, since {}", ailing.id, ailing.tenant, ailing.since)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ailing {
    /// The tenant.
    pub tenant: TenantId,
    /// The onboarding.
    pub id: OnboardingId,
    /// When it last changed.
    pub since: DateTime<Utc>,
    /// The step that it is about.
    pub step: Option<StepName>,
}

impl Ailing {
    fn of(listed: &Listed, step: Option<StepName>) -> Self {
        Self {
            tenant: listed.key.tenant.clone(),
            id: listed.id,
            since: listed.changed_at,
            step,
        }
    }
}

impl<F: Flow> Onramp<F> {
    /// Looks at every onboarding of the flow that is not completed, for what nobody has noticed yet.
    /// `patience`: how long something may be due before it counts as neglected; longer than a task
    /// may take.
    ///
    /// # Errors
    /// Of the store.
    pub async fn doctor(&self, patience: Duration) -> Result<Diagnosis, Error> {
        diagnose(&*self.store, self.flow.plan(), patience, self.clock.now()).await
    }
}

/// Looks at every onboarding of a flow that is not completed.
async fn diagnose(
    store: &dyn Store,
    plan: &Plan,
    patience: Duration,
    now: DateTime<Utc>,
) -> Result<Diagnosis, Error> {
    let mut diagnosis = Diagnosis {
        looked_at: 0,
        neglected: Vec::new(),
        unreadable: Vec::new(),
        remaining: Vec::new(),
        outbox: store.outbox_lag().await?,
    };
    let patience = TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX);
    let mut after = None;
    loop {
        let page = store.list(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(diagnosis);
        };
        after = Some(last.id);
        for listed in page {
            if listed.key.flow == *plan.flow() && listed.stage != StageKind::Completed {
                diagnosis
                    .look_at(store, plan, &listed, patience, now)
                    .await?;
            }
        }
    }
}

impl Diagnosis {
    async fn look_at(
        &mut self,
        store: &dyn Store,
        plan: &Plan,
        listed: &Listed,
        patience: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.looked_at += 1;
        let row = match store.load(&listed.key.tenant, listed.id).await {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                name(&mut self.unreadable, Ailing::of(listed, None));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if let Some(failed) = row.state.failed() {
            if let Some(first) = failed.remaining.first() {
                name(&mut self.remaining, Ailing::of(listed, Some(first.clone())));
            }
            return Ok(());
        }
        // What was due then and is still: a wait whose time is over counts from there.
        let then = now.checked_sub_signed(patience).unwrap_or(now);
        let due_then = !matches!(
            next(&row.state, plan, then),
            Next::Wait { .. } | Next::Nothing
        );
        if listed.changed_at < then && due_then {
            let step = row.state.current(plan).map(|step| step.name().clone());
            name(&mut self.neglected, Ailing::of(listed, step));
        }
        Ok(())
    }
}

fn name(list: &mut Vec<Ailing>, ailing: Ailing) {
    if list.len() < NAMED {
        list.push(ailing);
    }
}
