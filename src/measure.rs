//! Figures for the host's recorder, by the `metrics` facade.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `onramp_events_total` | counter | `flow`, `event` | what was stored: `started`, `completed`, `attempt_failed`, ... |
//! | `onramp_failures_total` | counter | `flow`, `code` | onboardings given up, by what people are told |
//! | `onramp_attempt_seconds` | histogram | `step`, `direction`, `outcome` | how long attempts took |
//! | `onramp_claim_seconds` | histogram | `flow` | how long a claim took |
//! | `onramp_in_flight` | gauge | `worker` | onboardings that a worker is at |
//! | `onramp_outbox_oldest_seconds` | gauge | | how long the oldest message waits to be delivered |
//! | `onramp_outbox_dead` | gauge | | messages that were given up |
//! | `onramp_status_reads_total` | counter | `tier`, `stale` | which tier answered |
//! | `onramp_mirror_writes_total` | counter | `outcome` | what the mirror took |

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::id::FlowName;
use crate::lifecycle::{Event, Happened};

/// What a commit has stored.
pub(crate) fn stored(flow: &FlowName, events: &[Event]) {
    for event in events {
        let (of, name) = (flow.to_string(), event.happened.name());
        counter!("onramp_events_total", "flow" => of.clone(), "event" => name).increment(1);
        if let Happened::Failed { failure, .. } = &event.happened {
            let code = failure.code().to_owned();
            counter!("onramp_failures_total", "flow" => of, "code" => code).increment(1);
        }
    }
}

pub(crate) fn attempted(
    step: &str,
    direction: &'static str,
    outcome: &'static str,
    took: Duration,
) {
    let step = step.to_owned();
    histogram!("onramp_attempt_seconds", "step" => step, "direction" => direction, "outcome" => outcome)
        .record(took);
}

pub(crate) fn claimed(flow: &FlowName, took: Duration) {
    histogram!("onramp_claim_seconds", "flow" => flow.to_string()).record(took);
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn in_flight(worker: &str, count: usize) {
    gauge!("onramp_in_flight", "worker" => worker.to_string()).set(count as f64);
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn outbox(oldest: Option<Duration>, dead: u64) {
    let oldest = oldest.map_or(0.0, |oldest| oldest.as_secs_f64());
    gauge!("onramp_outbox_oldest_seconds").set(oldest);
    gauge!("onramp_outbox_dead").set(dead as f64);
}

#[cfg(feature = "tiers")]
pub(crate) fn read(tier: &'static str, stale: bool) {
    let stale = if stale { "true" } else { "false" };
    counter!("onramp_status_reads_total", "tier" => tier, "stale" => stale).increment(1);
}

#[cfg(feature = "tiers")]
pub(crate) fn mirrored(outcome: &'static str) {
    counter!("onramp_mirror_writes_total", "outcome" => outcome).increment(1);
}
