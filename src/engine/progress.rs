//! How far tasks are: kept in memory when they say so, and stored a few times a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::engine::Shared;
use crate::flow::{ProgressSink, Progressed};
use crate::id::{OnboardingId, StepName};
use crate::store::{Lease, StepProgress};

/// How often what is new is stored, while there is some.
const PACE: Duration = Duration::from_millis(250);

/// How much of it at a time; the rest comes next time.
const AT_ONCE: usize = 64;

/// What tasks have said and is not stored yet: the newest of each onboarding.
#[derive(Default)]
pub(crate) struct News {
    latest: Mutex<HashMap<OnboardingId, (Arc<Lease>, StepProgress)>>,
    /// That there is some, so that an engine with none never wakes for it.
    some: Notify,
}

impl News {
    fn put(&self, lease: &Arc<Lease>, progress: StepProgress) {
        self.lock().insert(lease.id, (Arc::clone(lease), progress));
        self.some.notify_one();
    }

    /// Where an attempt says how far it is.
    pub(crate) fn of(
        self: &Arc<Self>,
        lease: &Arc<Lease>,
        step: &StepName,
        attempt: u32,
    ) -> Arc<dyn ProgressSink> {
        Arc::new(Sink {
            news: Arc::clone(self),
            lease: Arc::clone(lease),
            step: step.clone(),
            attempt,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OnboardingId, (Arc<Lease>, StepProgress)>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<(Arc<Lease>, StepProgress)> {
        let mut latest = self.lock();
        if latest.len() > AT_ONCE {
            self.some.notify_one();
        }
        let some: Vec<_> = latest.keys().take(AT_ONCE).copied().collect();
        some.iter().filter_map(|id| latest.remove(id)).collect()
    }
}

struct Sink {
    news: Arc<News>,
    lease: Arc<Lease>,
    step: StepName,
    attempt: u32,
}

impl ProgressSink for Sink {
    fn report(&self, Progressed { done, of, message }: Progressed) {
        let progress = StepProgress::new(self.step.clone(), self.attempt, done, of, message);
        self.news.put(&self.lease, progress);
    }
}

/// Stores what is new. Runs until it is dropped; what is lost then is only how far a task was.
pub(crate) async fn post(shared: &Shared) {
    loop {
        shared.news.some.notified().await;
        tokio::time::sleep(PACE).await;
        for (lease, progress) in shared.news.take() {
            if let Err(error) = shared.store.report(&lease, &progress).await {
                tracing::debug!(onboarding = %lease.id, %error, "progress not stored");
            }
        }
    }
}
