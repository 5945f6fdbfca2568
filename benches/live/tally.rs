//! What was counted.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use onramp::{OnboardingId, Revision};
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Tally {
    /// When the commit of a revision had returned, until its event has come.
    stored: Mutex<HashMap<(OnboardingId, Revision), Instant>>,
    reads: Mutex<Vec<Duration>>,
    events: Mutex<Vec<Duration>>,
    completed: AtomicU64,
}

impl Tally {
    pub(crate) fn stored(&self, id: OnboardingId, revision: Revision) {
        let mut stored = self.stored.lock().unwrap();
        stored.insert((id, revision), Instant::now());
    }

    pub(crate) fn heard(&self, id: OnboardingId, revision: Revision) {
        let stored = self.stored.lock().unwrap().remove(&(id, revision));
        // It may come before the commit has returned to whoever made it.
        let took = stored.map_or(Duration::ZERO, |at| at.elapsed());
        self.events.lock().unwrap().push(took);
    }

    pub(crate) fn read(&self, took: Duration) {
        self.reads.lock().unwrap().push(took);
    }

    pub(crate) fn completed(&self) {
        self.completed.fetch_add(1, Relaxed);
    }

    pub(crate) fn line(&self) -> String {
        let quantiles = |all: &Mutex<Vec<Duration>>| {
            let mut all = all.lock().unwrap();
            all.sort_unstable();
            let at = |part: f64| {
                let place = (all.len() as f64 * part) as usize;
                let found = all.get(place.min(all.len().saturating_sub(1)));
                found.map_or(f64::NAN, |took| took.as_secs_f64() * 1_000.0)
            };
            (all.len(), at(0.5), at(0.99))
        };
        let (reads, read_p50, read_p99) = quantiles(&self.reads);
        let (events, event_p50, event_p99) = quantiles(&self.events);
        format!(
            "reads={reads} read_p50_ms={read_p50:.2} read_p99_ms={read_p99:.2} events={events} \
             event_p50_ms={event_p50:.2} event_p99_ms={event_p99:.2} completed={} errors=0",
            self.completed.load(Relaxed)
        )
    }
}
