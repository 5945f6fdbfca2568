//! How far those of a cohort have come.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::cohort::Cohort;
use super::csv::{Cell, Table};
use super::tally::Tally;
use crate::flow::{Kind, Plan};
use crate::id::{FlowName, StepName};
use crate::store::{Error, Store};

/// How far those of a cohort have come, step by step. Serialises as it is.
///
/// ```
/// # use onramp::insight::Funnel;
/// fn say(funnel: &Funnel) -> String {
///     match funnel.total.completion_rate {
///         Some(rate) => format!("{:.0} % of {} are done", rate * 100.0, funnel.total.enrolled),
///         None => "nobody came".to_owned(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Funnel {
    /// The flow.
    pub flow: FlowName,
    /// When it was looked at.
    pub as_of: DateTime<Utc>,
    /// All of them.
    pub total: FunnelPart,
    /// The same by the version of the flow that they were created with, the oldest first.
    pub versions: Vec<FunnelPart>,
    /// Onboardings that this program cannot read: they are in no count.
    pub unreadable: u64,
}

/// Those of a cohort that are counted together.
///
/// `enrolled`, `started`, `entered` of each step and `completed` never grow from one to the next.
///
/// ```
/// # use onramp::insight::FunnelPart;
/// fn dropped_before_the_start(part: &FunnelPart) -> u64 {
///     part.enrolled - part.started
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FunnelPart {
    /// The version of the flow that they were created with; none when they are of any.
    pub version: Option<u32>,
    /// How many there are.
    pub enrolled: u64,
    /// How many were ever started.
    pub started: u64,
    /// How many are completed.
    pub completed: u64,
    /// How many have failed or were cancelled.
    pub failed: u64,
    /// How many of those enrolled are completed, 0 to 1; none when there are none.
    pub completion_rate: Option<f64>,
    /// The steps of this program's flow, in order. Steps that only older versions had are not among
    /// them.
    pub steps: Vec<StepFunnel>,
}

/// How a step went for those who came to it.
///
/// The counts after [`entered`](Self::entered) add up to it.
///
/// ```
/// # use onramp::insight::StepFunnel;
/// fn lost(step: &StepFunnel) -> u64 {
///     step.failed + step.abandoned
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StepFunnel {
    /// The step.
    pub step: StepName,
    /// Who provides its fact.
    pub kind: Kind,
    /// How many came to it.
    pub entered: u64,
    /// For how many its fact exists.
    pub completed: u64,
    /// How many passed it by.
    pub skipped: u64,
    /// How many were exempted.
    pub waived: u64,
    /// For how many it does not apply.
    pub not_applicable: u64,
    /// How many were given up at it, or are being given up.
    pub failed: u64,
    /// How many it has been waiting for, for longer than the cohort's patience.
    pub abandoned: u64,
    /// How many had come further, or this far, and were set back: what was done is undone.
    pub taken_back: u64,
    /// How many are at it now.
    pub open: u64,
    /// For how many it is known how long it took: not where a program stored it that did not note when
    /// steps were settled, nor for what was taken back and done again.
    pub timed: u64,
    /// What half of those took at most, from their turn until it was settled. Off by at most one part
    /// in 64. In seconds when serialised.
    #[serde(rename = "p50_seconds", serialize_with = "seconds")]
    pub p50: Option<Duration>,
    /// The same of nine in ten.
    #[serde(rename = "p90_seconds", serialize_with = "seconds")]
    pub p90: Option<Duration>,
}

fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

impl Funnel {
    /// One line for each step of the total and of each version (RFC 4180). The version of the total is
    /// `all`. Times are seconds; what is not known is empty.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut table = Table::new(&[
            "version",
            "enrolled",
            "started",
            "finished",
            "given_up",
            "step",
            "kind",
            "entered",
            "completed",
            "skipped",
            "waived",
            "not_applicable",
            "failed",
            "abandoned",
            "taken_back",
            "open",
            "timed",
            "p50_seconds",
            "p90_seconds",
        ]);
        for part in [&self.total].into_iter().chain(&self.versions) {
            for step in &part.steps {
                let version = part.version.map(u64::from);
                let time = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
                table.line([
                    version.map_or(Cell::from("all"), Cell::from),
                    part.enrolled.into(),
                    part.started.into(),
                    part.completed.into(),
                    part.failed.into(),
                    step.step.as_str().into(),
                    step.kind.as_str().into(),
                    step.entered.into(),
                    step.completed.into(),
                    step.skipped.into(),
                    step.waived.into(),
                    step.not_applicable.into(),
                    step.failed.into(),
                    step.abandoned.into(),
                    step.taken_back.into(),
                    step.open.into(),
                    step.timed.into(),
                    time(step.p50).into(),
                    time(step.p90).into(),
                ]);
            }
        }
        table.into_text()
    }
}

/// The funnel of a cohort.
pub(crate) async fn funnel(
    store: &dyn Store,
    plan: &Plan,
    cohort: &Cohort,
    now: DateTime<Utc>,
) -> Result<Funnel, Error> {
    let mut tally = Tally::new(plan, cohort.patience(), now);
    let counting = cohort.each(store, plan, |state| tally.count(state));
    let unreadable = counting.await?;
    let (total, versions) = tally.parts();
    Ok(Funnel {
        flow: plan.flow().clone(),
        as_of: now,
        total,
        versions,
        unreadable,
    })
}
