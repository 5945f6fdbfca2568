//! Bringing what was committed to the copies.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moka::sync::Cache;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::engine::{Notifier, NotifyError};
use crate::flow::{Flow, Roll};
use crate::id::{Key, SubjectId, TenantId};
use crate::store::{Error, OutboxMessage, key};
use crate::tiers::mirror::{MirrorError, MirrorErrorKind};
use crate::tiers::observed::Observed;
use crate::tiers::snapshot::Snapshot;
use crate::tiers::tiered::Shared;

/// Brings the newest status to the mirror, then to the local copies. Made by
/// [`Tiered::projector`](crate::tiers::Tiered::projector); a [`Notifier`], so a
/// [`Relay`](crate::engine::Relay) runs it.
///
/// A mirror that stays away for longer than the relay's retry policy leaves a dead message; the next one
/// of the subject, or a revival, brings the mirror up to date all the same.
///
/// **It projects what is the newest, whatever message came.** So messages may come again, late and in any
/// order.
///
/// ```
/// # use std::sync::Arc;
/// # use onramp::prelude::*;
/// # use onramp::engine::{Notifier, Relay};
/// # use onramp::tiers::Tiered;
/// # fn build<F: Flow>(store: Arc<dyn Store>, tiers: &Tiered<F>, webhook: impl Notifier) -> Relay {
/// // The projection first, then the webhook: it finds the mirror up to date.
/// Relay::builder(store).notifier(tiers.projector().and_then(webhook)).build()
/// # }
/// ```
pub struct Projector<F> {
    shared: Arc<Shared<F>>,
    then: Option<Then>,
}

/// Who is told after a projection, and which messages it took lately.
struct Then {
    notifier: Arc<dyn Notifier>,
    taken: Cache<Uuid, ()>,
}

/// What a projection found.
///
/// ```
/// # use onramp::tiers::Projected;
/// fn is_there(projected: Projected) -> bool {
///     projected != Projected::NotEnrolled
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Projected {
    /// The copies were changed.
    Changed,
    /// The mirror had it already, or there is none.
    Unchanged,
    /// There is no onboarding to project.
    NotEnrolled,
}

/// Why the copies are not up to date. The next projection brings them there.
///
/// ```
/// # use onramp::tiers::NotProjected;
/// fn whose_fault(not: &NotProjected) -> &'static str {
///     match not {
///         NotProjected::Store(_) => "the database",
///         NotProjected::Mirror(_) => "the identity provider",
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
pub enum NotProjected {
    /// The database did not say what is the newest.
    #[error("the status could not be read: {0}")]
    Store(#[source] Error),
    /// The mirror could not be written. The local copy of this process is up to date.
    #[error("the mirror could not be written: {0}")]
    Mirror(#[source] MirrorError),
}

/// How often somebody else may write in between before it counts as a failed attempt.
const RACES: u32 = 8;

impl<F: Flow> Projector<F> {
    pub(super) fn new(shared: Arc<Shared<F>>) -> Self {
        let then = None;
        Self { shared, then }
    }

    /// The same, handing each message on after its projection, also when that failed: nobody goes
    /// without a welcome because a mirror is down. When either fails the message comes again; while
    /// the process lives, and within an hour, not to the one that took it.
    #[must_use]
    pub fn and_then(mut self, notifier: impl Notifier) -> Self {
        self.then = Some(Then {
            notifier: Arc::new(notifier),
            taken: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(3600))
                .build(),
        });
        self
    }

    /// Brings the newest status of a subject to the copies: to the mirror, tried as often as the
    /// retry policy says, then to this process.
    ///
    /// # Errors
    /// [`NotProjected`] says which tier is behind.
    ///
    /// # Cancel safety
    /// When the future is dropped the copies are as they were or newer.
    pub async fn project(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Projected, NotProjected> {
        let key = key::<F>(tenant, subject);
        let begun = Instant::now();
        let mut attempts = 0;
        let result = self.mirror(&key, &mut attempts).await;
        let code = match &result {
            Ok(_) => None,
            Err(NotProjected::Store(_)) => Some("store_unavailable"),
            Err(NotProjected::Mirror(error)) => Some(error.kind().as_str()),
        };
        let took = begun.elapsed();
        tracing::debug!(
            tier = "mirror",
            attempts,
            code,
            flow = F::NAME,
            "status projected"
        );
        let seen = Observed::Mirrored {
            attempts,
            code,
            took,
        };
        self.shared.tell(&seen);
        result
    }

    async fn mirror(&self, key: &Key, attempts: &mut u32) -> Result<Projected, NotProjected> {
        loop {
            *attempts += 1;
            let error = match self.attempt(key).await {
                Err(NotProjected::Mirror(error)) => error,
                done => return done,
            };
            let again = error.kind() != MirrorErrorKind::Refused;
            let rest = self.shared.retry.delay(*attempts, roll());
            let Some(rest) = rest.filter(|_| again) else {
                // The mirror is behind; this process need not be.
                let newest = self.shared.ask(key).await.map_err(NotProjected::Store)?;
                self.keep(key, newest);
                return Err(NotProjected::Mirror(error));
            };
            sleep(rest).await;
        }
    }

    /// One attempt, which ends when the mirror holds what the database said after the mirror was
    /// looked at.
    async fn attempt(&self, key: &Key) -> Result<Projected, NotProjected> {
        let mut races = 0;
        loop {
            // In this order. Whatever the mirror holds now was written before, so the database's answer
            // is not older, unless somebody else than us has written it; then ours counts.
            let stored = self.shared.load(key).await.map_err(NotProjected::Mirror)?;
            let newest = self.shared.ask(key).await.map_err(NotProjected::Store)?;
            let (Some(newest), Some(mirror)) = (&newest, &self.shared.mirror) else {
                return Ok(self.keep(key, newest));
            };
            let Some(stored) = stored else {
                return Ok(self.keep(key, Some(newest.clone())));
            };
            let text = stored.text.as_deref();
            let there = text.and_then(|text| Snapshot::read(text, key, newest.as_of));
            if there.is_some_and(|there| there.status == newest.status) {
                return Ok(self.keep(key, Some(newest.clone())));
            }
            let text = newest.to_text().map_err(|error| {
                NotProjected::Mirror(MirrorError::refused("it does not serialise").because(error))
            })?;
            let write = mirror.store(key, &text, &stored.tag);
            match self.shared.in_time(write).await {
                Ok(()) => {
                    self.keep(key, Some(newest.clone()));
                    return Ok(Projected::Changed);
                }
                Err(error) if error.kind() == MirrorErrorKind::Moved && races < RACES => races += 1,
                Err(error) => return Err(NotProjected::Mirror(error)),
            }
        }
    }

    /// Keeps what the database said in this process.
    fn keep(&self, key: &Key, newest: Option<Snapshot>) -> Projected {
        match newest {
            Some(newest) => {
                self.shared.local.put(key, newest);
                Projected::Unchanged
            }
            None => {
                self.shared.local.forget(key);
                Projected::NotEnrolled
            }
        }
    }
}

#[async_trait]
impl<F: Flow> Notifier for Projector<F> {
    /// Messages of other flows are handed on alone.
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let projected = self.projected(message).await;
        if let Some(then) = &self.then
            && !then.taken.contains_key(&message.id)
        {
            then.notifier.notify(message).await?;
            then.taken.insert(message.id, ());
        }
        projected
    }
}

impl<F: Flow> Projector<F> {
    async fn projected(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        if message.key.flow == *F::NAME {
            let Key {
                tenant, subject, ..
            } = &message.key;
            match self.project(tenant, subject).await {
                Ok(_) => {}
                Err(NotProjected::Mirror(error)) if error.kind() == MirrorErrorKind::Refused => {
                    return Err(NotifyError::fatal(error.kind().as_str(), error));
                }
                Err(NotProjected::Mirror(error)) => {
                    return Err(NotifyError::retryable(error.kind().as_str(), error));
                }
                Err(NotProjected::Store(error)) => {
                    return Err(NotifyError::retryable("store_unavailable", error));
                }
            }
        }
        Ok(())
    }
}

impl<F> fmt::Debug for Projector<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projector")
            .field("mirror", &self.shared.mirror.is_some())
            .field("then", &self.then.is_some())
            .finish()
    }
}

/// Randomness for the jitter: the first four bytes of a version 4 UUID are all random.
fn roll() -> Roll {
    let [a, b, c, d, ..] = *Uuid::new_v4().as_bytes();
    Roll::from_bits(u32::from_be_bytes([a, b, c, d]))
}
