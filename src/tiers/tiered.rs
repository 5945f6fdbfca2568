//! Reading through the tiers.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, timeout};

use crate::flow::{Flow, RetryPolicy};
use crate::id::{Key, SubjectId, TenantId};
use crate::onramp::Onramp;
use crate::status::Status;
use crate::store::{Error, key};
use crate::tiers::builder::TieredBuilder;
use crate::tiers::local::Local;
use crate::tiers::mirror::{Mirror, MirrorError, Stored};
use crate::tiers::observed::{Observed, Observer, Tier};
use crate::tiers::projector::Projector;
use crate::tiers::reading::Reading;
use crate::tiers::snapshot::Snapshot;

/// Reads a status from the nearest tier that has it. Cheap to clone; clones share the local copies.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::tiers::{MemoryMirror, Reading, Tier, Tiered};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let onramp = Onramp::new(MemoryStore::new(), Workspace::steps().ask::<Company>().build()?);
/// # let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// # let _ = onramp.enroll(&tenant, &subject).await?;
/// let tiers = Tiered::builder(onramp.clone()).mirror(MemoryMirror::default()).build()?;
/// let first = tiers.read(&tenant, &subject).await;
/// assert_eq!(first.source(), Tier::Database);
/// assert_eq!(tiers.read(&tenant, &subject).await.source(), Tier::Local);
///
/// // Whoever is to be let in is asked about, each time:
/// assert!(onramp.admit(&tenant, &subject).await.granted().is_none());
/// # Ok(()) }
/// ```
pub struct Tiered<F> {
    pub(super) shared: Arc<Shared<F>>,
}

/// What every clone, and the projector, uses.
pub(super) struct Shared<F> {
    pub(super) onramp: Onramp<F>,
    pub(super) local: Local,
    pub(super) mirror: Option<Arc<dyn Mirror>>,
    pub(super) fresh: Duration,
    pub(super) database_within: Duration,
    pub(super) mirror_within: Duration,
    pub(super) retry: RetryPolicy,
    pub(super) observer: Option<Observer>,
}

impl<F: Flow> Tiered<F> {
    /// Begins to set up tiers over the authoritative store of a front door.
    pub fn builder(onramp: Onramp<F>) -> TieredBuilder<F> {
        TieredBuilder::new(onramp)
    }

    /// What brings what was committed to the mirror and to the local copies.
    #[must_use]
    pub fn projector(&self) -> Projector<F> {
        Projector::new(Arc::clone(&self.shared))
    }

    /// The status of a subject: the local copy at once if it is fresh; else from the database; else
    /// from the mirror, or the local copy though it is stale, whichever is newer; else unknown.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn read(&self, tenant: &TenantId, subject: &SubjectId) -> Reading {
        let begun = Instant::now();
        let reading = self.shared.read(&key::<F>(tenant, subject)).await;
        let (tier, stale) = (reading.source(), reading.is_stale());
        let took = begun.elapsed();
        tracing::debug!(
            tier = tier.as_str(),
            stale,
            flow = F::NAME,
            took = took.as_secs_f64(),
            "status read"
        );
        self.shared.tell(&Observed::Read { tier, stale, took });
        reading
    }

    /// Forgets the local copy of a subject.
    pub fn forget(&self, tenant: &TenantId, subject: &SubjectId) {
        self.shared.local.forget(&key::<F>(tenant, subject));
    }
}

impl<F: Flow> Shared<F> {
    async fn read(&self, key: &Key) -> Reading {
        let now = self.onramp.now();
        let local = self.local.get(key);
        if let Some(copy) = local.as_ref().filter(|copy| self.is_fresh(copy, now)) {
            return Reading::known(copy.clone(), Tier::Local, false);
        }
        match self.ask(key).await {
            Ok(Some(snapshot)) => {
                self.local.put(key, snapshot.clone());
                return Reading::known(snapshot, Tier::Database, false);
            }
            Ok(None) => {
                self.local.forget(key);
                return Reading::NotEnrolled;
            }
            Err(error) => tracing::warn!(%error, "the database did not tell a status"),
        }
        let mirrored = match self.load(key).await {
            Ok(stored) => stored.and_then(|it| Snapshot::read(&it.text?, key, now)),
            Err(error) => {
                tracing::warn!(%error, "the mirror did not tell a status");
                None
            }
        };
        match (mirrored, local) {
            (Some(mirrored), local)
                if local
                    .as_ref()
                    .is_none_or(|local| local.version() <= mirrored.version()) =>
            {
                Reading::known(mirrored, Tier::Mirror, true)
            }
            (_, Some(local)) => Reading::known(local, Tier::Local, true),
            (_, None) => Reading::Unknown,
        }
    }

    /// A copy from the future is not fresh: the clock was set back.
    fn is_fresh(&self, copy: &Snapshot, now: DateTime<Utc>) -> bool {
        let age = now - copy.as_of;
        let fresh = TimeDelta::from_std(self.fresh).unwrap_or(TimeDelta::MAX);
        age >= TimeDelta::zero() && age < fresh
    }

    /// Asks the database, in bounded time. As of before it was asked: it was not older then.
    pub(super) async fn ask(&self, key: &Key) -> Result<Option<Snapshot>, Error> {
        let as_of = self.onramp.now();
        let asked = self.onramp.status(&key.tenant, &key.subject);
        let within = self.database_within;
        let status: Option<Status> = timeout(within, asked).await.map_err(|_| {
            Error::unavailable(format!("the store did not answer within {within:?}"))
        })??;
        Ok(status.map(|status| Snapshot::new(status, as_of)))
    }

    /// Asks the mirror, in bounded time; `None` when there is no mirror.
    pub(super) async fn load(&self, key: &Key) -> Result<Option<Stored>, MirrorError> {
        let Some(mirror) = &self.mirror else {
            return Ok(None);
        };
        self.in_time(mirror.load(key)).await.map(Some)
    }

    /// What a mirror does, in bounded time.
    pub(super) async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, MirrorError>>,
    ) -> Result<T, MirrorError> {
        let within = self.mirror_within;
        let late = |_| MirrorError::unavailable(format!("it did not answer within {within:?}"));
        timeout(within, call).await.map_err(late)?
    }

    pub(super) fn tell(&self, observed: &Observed) {
        #[cfg(feature = "metrics")]
        match observed {
            Observed::Read { tier, stale, .. } => crate::measure::read(tier.as_str(), *stale),
            Observed::Mirrored { code, .. } => crate::measure::mirrored(code.unwrap_or("done")),
        }
        if let Some(observer) = &self.observer {
            observer(observed);
        }
    }
}

impl<F> Clone for Tiered<F> {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        Self { shared }
    }
}

impl<F> std::fmt::Debug for Tiered<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tiered")
            .field("fresh_for", &self.shared.fresh)
            .field("mirror", &self.shared.mirror.is_some())
            .finish_non_exhaustive()
    }
}
