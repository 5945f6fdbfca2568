//! What the host's recorder is told.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::prelude::*;
use onramp::store::OutboxMessage;
use support::{Desk, Faults};
use tokio_util::sync::CancellationToken;

struct Silent;
#[async_trait::async_trait]
impl Notifier for Silent {
    async fn notify(&self, _: &OutboxMessage) -> Result<(), NotifyError> {
        Ok(())
    }
}

/// Every figure: its name and labels, and counters' and gauges' value, or how many were recorded.
fn told(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let metrics = snapshotter.snapshot().into_vec();
    let told = metrics.into_iter().map(|(key, _, _, value)| {
        let (name, labels) = key.key().clone().into_parts();
        let labels = labels.iter().map(|l| format!("{}={}", l.key(), l.value()));
        let mut labels: Vec<_> = labels
            .filter(|label| !label.starts_with("worker="))
            .collect();
        labels.sort();
        let value = match value {
            DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(values) => f64::from(u32::try_from(values.len()).unwrap()),
        };
        (format!("{}{{{}}}", name.as_str(), labels.join(",")), value)
    });
    told.collect()
}

#[tokio::test]
async fn a_recorder_is_told_every_figure() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let faults = Faults {
        transient: 1,
        ..Faults::default()
    };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let desk = Desk::new(Arc::clone(&store), faults);
    desk.paid("org-1").await;
    desk.engine().run_until_idle().await.unwrap();
    assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
    let cancelled: Onboarding<_, Failed> = desk
        .onramp
        .commit(desk.pending("org-2").await.cancel())
        .await
        .unwrap();
    drop(cancelled);
    let shutdown = CancellationToken::new();
    let relay = Relay::builder(store).notifier(Silent).build();
    let (running, until) = (shutdown.clone(), shutdown.clone());
    let relay = tokio::spawn(async move { relay.run(running).await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    until.cancel();
    relay.await.unwrap();

    let told = told(&snapshotter);
    let of = |key: &str| told.get(key).copied();
    for (key, expected) in [
        ("onramp_events_total{event=started,flow=workspace}", 1.0),
        ("onramp_events_total{event=completed,flow=workspace}", 1.0),
        (
            "onramp_events_total{event=attempt_failed,flow=workspace}",
            1.0,
        ),
        (
            "onramp_events_total{event=fact_recorded,flow=workspace}",
            2.0,
        ),
        ("onramp_failures_total{code=cancelled,flow=workspace}", 1.0),
        ("onramp_outbox_dead{}", 0.0),
    ] {
        assert_eq!(of(key), Some(expected), "{key}: {told:#?}");
    }
    for key in [
        "onramp_attempt_seconds{direction=run,outcome=done,step=create_dataset}",
        "onramp_claim_seconds{flow=workspace}",
        "onramp_in_flight{}",
        "onramp_outbox_oldest_seconds{}",
    ] {
        assert!(of(key).is_some(), "{key}: {told:#?}");
    }
    let failed = told
        .keys()
        .any(|key| key.starts_with("onramp_attempt_seconds") && key.contains("outcome=failed"));
    assert!(failed, "{told:#?}");
}
