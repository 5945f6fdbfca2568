//! What a newer version of a flow does to those who are half-way: told before, then done.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::flow::Flow;
use crate::flow::{Plan, PlanStep};
use crate::id::{Actor, FlowName, OnboardingId, StepName};
use crate::lifecycle::{Next, StageKind, State, next};
use crate::onramp::Onramp;
use crate::onramp::bulk::{Bulk, NotDone};
use crate::onramp::order::act;
use crate::store::{Error, ErrorKind, Listed, Store};

/// Onboardings that are looked at at once.
const PAGE: usize = 200;

/// What a newer version of a flow would do to the onboardings that are under way.
///
/// ```
/// # use onramp::EvolutionPlan;
/// fn say(plan: &EvolutionPlan) -> String {
///     format!("{} of {} get another next step", plan.moved, plan.looked_at)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EvolutionPlan {
    /// The flow.
    pub flow: FlowName,
    /// From which version.
    pub from: u32,
    /// To which version.
    pub to: u32,
    /// How many are under way.
    pub looked_at: usize,
    /// How many have another next step than before.
    pub moved: usize,
    /// Steps that were not due and are, and for how many.
    pub newly_due: BTreeMap<StepName, usize>,
    /// Steps whose facts nobody would read any more, and of how many. Those that the flow says it
    /// [retires](crate::flow::Steps::retired) are not counted.
    pub lost: BTreeMap<StepName, usize>,
    /// How many a worker has to look at.
    pub for_workers: usize,
    /// How many cannot be read by this program.
    pub unreadable: usize,
}

impl EvolutionPlan {
    /// Whether nothing would be lost.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.lost.is_empty()
    }
}

/// What was done.
///
/// ```
/// # use onramp::Evolved;
/// fn is_done(evolved: &Evolved) -> bool {
///     evolved.failed.is_empty()
/// }
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
#[must_use = "some may have failed"]
pub struct Evolved {
    /// How many go on under the new version.
    pub adopted: usize,
    /// Those that could not be told so, and why. They go on under it all the same, once something
    /// is done to them.
    pub failed: Vec<(OnboardingId, Error)>,
}

impl<F: Flow> Onramp<F> {
    /// What this version of the flow would do to the onboardings that are under way through an older
    /// one. Changes nothing; [`evolve`](Self::evolve) does it.
    ///
    /// # Errors
    /// Of the store.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// use onramp::flow::Plan;
    /// # async fn roll_out<F: Flow>(
    /// #     onramp: &Onramp<F>, lock_of_version_1: &str,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let old = Plan::from_lock(lock_of_version_1)?;
    /// let evolution = onramp.plan_evolution(&old).await?;
    /// println!("{} get another next step", evolution.moved);
    /// let evolved = onramp.evolve(&evolution, &Actor::Operator("ann".into())).await?;
    /// println!("{} go on under the new version", evolved.adopted);
    /// # Ok(()) }
    /// ```
    pub async fn plan_evolution(&self, old: &Plan) -> Result<EvolutionPlan, Error> {
        let (new, now) = (self.flow.plan(), self.clock.now());
        plan(&*self.store, old, new, now).await
    }

    /// Tells every onboarding that is under way that it goes on under this version of the flow.
    ///
    /// # Errors
    /// Of kind `Config` when something would be lost; of the store.
    pub async fn evolve(&self, evolution: &EvolutionPlan, by: &Actor) -> Result<Evolved, Error> {
        let (plan, now) = (self.flow.plan(), self.clock.now());
        evolve(&*self.store, evolution, plan, by, now).await
    }
}

/// Goes over everything of a flow that is under way.
async fn each(
    store: &dyn Store,
    flow: &FlowName,
    after: &mut Option<OnboardingId>,
) -> Result<Option<Vec<Listed>>, Error> {
    let page = store.list(*after, PAGE).await?;
    let Some(last) = page.last() else {
        return Ok(None);
    };
    *after = Some(last.id);
    let under_way =
        |listed: &Listed| listed.key.flow == *flow && listed.stage == StageKind::InProgress;
    Ok(Some(page.into_iter().filter(under_way).collect()))
}

async fn plan(
    store: &dyn Store,
    old: &Plan,
    new: &Plan,
    now: DateTime<Utc>,
) -> Result<EvolutionPlan, Error> {
    let mut evolution = EvolutionPlan {
        flow: new.flow().clone(),
        from: old.version(),
        to: new.version(),
        looked_at: 0,
        moved: 0,
        newly_due: BTreeMap::new(),
        lost: BTreeMap::new(),
        for_workers: 0,
        unreadable: 0,
    };
    let mut after = None;
    while let Some(page) = each(store, new.flow(), &mut after).await? {
        for listed in page {
            evolution.looked_at += 1;
            match store.load(&listed.key.tenant, listed.id).await {
                Ok(Some(row)) => evolution.look_at(&row.state, old, new, now),
                Ok(None) => evolution.looked_at -= 1,
                Err(error) if error.kind() == ErrorKind::Corrupt => evolution.unreadable += 1,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(evolution)
}

impl EvolutionPlan {
    fn look_at(&mut self, state: &State, old: &Plan, new: &Plan, now: DateTime<Utc>) {
        let due = |plan: &Plan, name: &StepName| {
            let step = plan.step(name.as_str());
            step.is_some_and(|step| !state.progress(step).is_settled())
        };
        for step in new.steps().iter().map(PlanStep::name) {
            if due(new, step) && !due(old, step) {
                *self.newly_due.entry(step.clone()).or_default() += 1;
            }
        }
        let facts = state.steps().filter(|(_, known)| known.fact().is_some());
        for (step, _) in facts {
            if new.step(step.as_str()).is_none() && !new.retired().contains(step) {
                *self.lost.entry(step.clone()).or_default() += 1;
            }
        }
        let name = |plan| state.current(plan).map(PlanStep::name);
        self.moved += usize::from(name(old) != name(new));
        self.for_workers += usize::from(is_for_workers(&next(state, new, now)));
    }
}

fn is_for_workers(next: &Next) -> bool {
    !matches!(next, Next::Wait { until: None, .. } | Next::Nothing)
}

async fn evolve(
    store: &dyn Store,
    evolution: &EvolutionPlan,
    plan: &Plan,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<Evolved, Error> {
    if (&evolution.flow, evolution.to) != (plan.flow(), plan.version()) {
        let message = "that was planned for another flow, or another version of it";
        return Err(Error::new(ErrorKind::Config, message));
    }
    if !evolution.is_safe() {
        let steps: Vec<_> = evolution.lost.keys().map(StepName::as_str).collect();
        let message = format!(
            "what these steps yielded would be read by nobody: {}; keep them, or say that they are \
             retired",
            steps.join(", ")
        );
        return Err(Error::new(ErrorKind::Config, message));
    }
    let mut evolved = Evolved::default();
    let order = Bulk::Adopt.by(by.clone());
    let mut after = None;
    while let Some(page) = each(store, plan.flow(), &mut after).await? {
        for listed in page {
            let of = (&listed.key.tenant, listed.id);
            match act(store, of, plan, &order, now).await {
                Ok((_, adopted)) => evolved.adopted += usize::from(adopted),
                // It has ended meanwhile.
                Err(NotDone::Rejected(_) | NotDone::Absent) => {}
                // Not reachable: the order names neither.
                Err(NotDone::Stale { .. } | NotDone::IdentityReused) => {}
                Err(NotDone::Store(error)) => evolved.failed.push((listed.id, error)),
            }
        }
    }
    Ok(evolved)
}
