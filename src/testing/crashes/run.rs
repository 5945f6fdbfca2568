//! One run of a scenario, with crashes where they are wanted.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::flow::{Definition, Facts, Flow};
use crate::id::StepName;
use crate::lifecycle::{StageKind, State};
use crate::testing::difference::difference;
use crate::testing::point::{Moment, Point};
use crate::testing::scenario::{Broken, Scenario};
use crate::testing::world::World;

/// What is to go wrong in a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Disturbance {
    pub(super) crashes: Vec<(usize, Point)>,
    cancel: Cancel,
}

/// When the onboarding is cancelled by the one who crashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Cancel {
    #[default]
    Never,
    /// As soon as it has crashed here.
    At(usize),
    /// When everything else is over.
    Last,
}

impl Disturbance {
    /// One more crash.
    pub(super) fn and(mut self, moment: usize, point: Point) -> Self {
        self.crashes.push((moment, point));
        self
    }

    /// A crash, and a cancellation before anybody goes on.
    pub(super) fn cancelled(moment: usize, point: Point) -> Self {
        Self {
            crashes: vec![(moment, point)],
            cancel: Cancel::At(moment),
        }
    }

    /// A cancellation when all is made.
    pub(super) fn cancelled_last() -> Self {
        Self {
            crashes: Vec::new(),
            cancel: Cancel::Last,
        }
    }
}

/// A run, and what was there afterwards.
pub(super) struct Ran<S> {
    pub(super) end: End,
    pub(super) seen: S,
    pub(super) moments: Vec<Moment>,
    /// Whether every crash was come by.
    pub(super) struck: bool,
    pub(super) story: String,
}

/// How an onboarding ended, without what is another one in each run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) stage: Option<StageKind>,
    failure: Option<String>,
    not_taken_back: Vec<String>,
    facts: BTreeSet<String>,
    refused: Vec<String>,
}

impl End {
    fn of(
        state: Option<&State>,
        facts: &Facts,
        plan: &crate::flow::Plan,
        refused: Vec<String>,
    ) -> Self {
        let failed = state.and_then(State::failed);
        let names = |steps: &[StepName]| steps.iter().map(ToString::to_string).collect();
        let steps = plan.steps().iter().map(|step| step.name().as_str());
        let known = steps.filter(|step| facts.encoded(step).is_some());
        Self {
            stage: state.map(State::stage),
            failure: failed.map(|failed| failed.failure.code().to_owned()),
            not_taken_back: failed.map_or_else(Vec::new, |failed| names(&failed.remaining)),
            facts: known.map(str::to_owned).collect(),
            refused,
        }
    }
}

impl<S: PartialEq + Debug> Ran<S> {
    /// What is not as in this run.
    pub(super) fn differs(&self, from: &Self) -> Option<String> {
        let mut parts = Vec::new();
        if self.end != from.end {
            parts.push(format!("  it ended:\n{}", difference(&from.end, &self.end)));
        }
        if self.seen != from.seen {
            parts.push(format!(
                "  there is:\n{}",
                difference(&from.seen, &self.seen)
            ));
        }
        (!parts.is_empty()).then(|| parts.join("\n"))
    }

    /// What is not as in this run of the host's world alone.
    pub(super) fn leaves(&self, from: &Self) -> Option<String> {
        let leaves = self.seen != from.seen;
        leaves.then(|| format!("  there is:\n{}", difference(&from.seen, &self.seen)))
    }
}

pub(super) async fn run<F, S, O>(
    scenario: &Scenario<F>,
    fresh: &impl AsyncFn() -> (Definition<F>, O),
    disturbance: &Disturbance,
) -> Result<Ran<S>, Broken>
where
    F: Flow,
    O: AsyncFn() -> S,
{
    let (flow, observe) = fresh().await;
    let world = World::seeded(flow, scenario.its_seed());
    let script = world.script();
    for (moment, point) in &disturbance.crashes {
        script.crash(*moment, *point);
    }
    if let Cancel::At(moment) = disturbance.cancel {
        script.halt(moment);
    }
    let undisturbed = disturbance.crashes.is_empty();
    let refused = scenario.perform(&world, undisturbed).await?;
    if disturbance.cancel == Cancel::Last || script.is_halted() {
        script.go_on();
        let cancelling = Scenario::new().given(crate::testing::act::cancel());
        cancelling.perform(&world, true).await?;
    }
    let failed = |error: crate::store::Error| Broken::because(error.to_string());
    let state = world.state().await.map_err(failed)?;
    let facts = world.facts().await.map_err(failed)?;
    let plan = world.onramp().flow().plan();
    Ok(Ran {
        end: End::of(state.as_ref(), &facts, plan, refused),
        seen: observe().await,
        moments: script.moments(),
        struck: script.struck() == disturbance.crashes.len(),
        story: world.story().await,
    })
}
