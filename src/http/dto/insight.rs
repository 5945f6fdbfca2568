//! What the onboardings of a tenant say together, as it goes over the wire.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Outstanding, StepKind};
use crate::insight;

/// How far those of a cohort have come, step by step.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct Funnel {
    /// The flow.
    flow: String,
    /// When it was looked at.
    as_of: DateTime<Utc>,
    /// All of them.
    total: FunnelPart,
    /// The same by the version of the flow that they were created with, the oldest first.
    versions: Vec<FunnelPart>,
    /// Onboardings that this program cannot read: they are in no count.
    unreadable: u64,
}

/// Those of a cohort that are counted together.
#[derive(Debug, Serialize, JsonSchema)]
struct FunnelPart {
    /// The version of the flow that they were created with; none when they are of any.
    version: Option<u32>,
    /// How many there are.
    enrolled: u64,
    /// How many were ever started.
    started: u64,
    /// How many are completed.
    completed: u64,
    /// How many have failed or were cancelled.
    failed: u64,
    /// How many of those enrolled are completed, 0 to 1; none when there are none.
    completion_rate: Option<f64>,
    /// The steps of this program's flow, in order.
    steps: Vec<FunnelStep>,
}

/// How a step went for those who came to it. The counts after `entered` add up to it.
#[derive(Debug, Serialize, JsonSchema)]
struct FunnelStep {
    /// The step.
    step: String,
    /// Who provides its fact.
    kind: StepKind,
    /// How many came to it.
    entered: u64,
    /// For how many its fact exists.
    completed: u64,
    /// How many passed it by.
    skipped: u64,
    /// How many were exempted.
    waived: u64,
    /// For how many it does not apply.
    not_applicable: u64,
    /// How many were given up at it, or are being given up.
    failed: u64,
    /// How many it has been waiting for, for longer than a week.
    abandoned: u64,
    /// How many had come further, or this far, and were set back.
    taken_back: u64,
    /// How many are at it now.
    open: u64,
    /// For how many it is known how long it took.
    timed: u64,
    /// What half of those took at most, in seconds.
    p50_seconds: Option<f64>,
    /// The same of nine in ten.
    p90_seconds: Option<f64>,
}

/// Those that have been where they are for long, the longest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::http) struct StuckList {
    /// At most as many as were asked for.
    stuck: Vec<Stuck>,
}

/// An onboarding that has been where it is for long.
#[derive(Debug, Serialize, JsonSchema)]
struct Stuck {
    /// Its identity.
    onboarding: String,
    /// Who is being onboarded.
    subject: String,
    /// Since when it is where it is.
    since: DateTime<Utc>,
    /// The first thing that stands between it and its completion.
    waits_for: Outstanding,
}

impl From<insight::Funnel> for Funnel {
    fn from(funnel: insight::Funnel) -> Self {
        Self {
            flow: funnel.flow.to_string(),
            as_of: funnel.as_of,
            total: funnel.total.into(),
            versions: funnel.versions.into_iter().map(Into::into).collect(),
            unreadable: funnel.unreadable,
        }
    }
}

impl From<insight::FunnelPart> for FunnelPart {
    fn from(part: insight::FunnelPart) -> Self {
        Self {
            version: part.version,
            enrolled: part.enrolled,
            started: part.started,
            completed: part.completed,
            failed: part.failed,
            completion_rate: part.completion_rate,
            steps: part.steps.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<insight::StepFunnel> for FunnelStep {
    fn from(step: insight::StepFunnel) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        Self {
            step: step.step.to_string(),
            kind: step.kind.into(),
            entered: step.entered,
            completed: step.completed,
            skipped: step.skipped,
            waived: step.waived,
            not_applicable: step.not_applicable,
            failed: step.failed,
            abandoned: step.abandoned,
            taken_back: step.taken_back,
            open: step.open,
            timed: step.timed,
            p50_seconds: seconds(step.p50),
            p90_seconds: seconds(step.p90),
        }
    }
}

impl From<Vec<insight::Stuck>> for StuckList {
    fn from(stuck: Vec<insight::Stuck>) -> Self {
        let one = |stuck: insight::Stuck| Stuck {
            onboarding: stuck.id.to_string(),
            subject: stuck.key.subject.into(),
            since: stuck.since,
            waits_for: (&stuck.waits_for).into(),
        };
        Self {
            stuck: stuck.into_iter().map(one).collect(),
        }
    }
}
