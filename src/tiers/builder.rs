//! How tiers are set up.

use std::sync::Arc;
use std::time::Duration;

use crate::flow::{Flow, RetryPolicy};
use crate::onramp::Onramp;
use crate::tiers::config::InvalidTiers;
use crate::tiers::local::Local;
use crate::tiers::mirror::Mirror;
use crate::tiers::observed::{Observed, Observer};
use crate::tiers::tiered::{Shared, Tiered};

/// Sets up [`Tiered`]. Made by [`Tiered::builder`].
///
/// ```
/// # use std::time::Duration;
/// # use onramp::prelude::*;
/// # use onramp::tiers::{InvalidTiers, MemoryMirror, Tiered};
/// # fn build<F: Flow>(onramp: Onramp<F>) -> Result<Tiered<F>, InvalidTiers> {
/// Tiered::builder(onramp)
///     .mirror(MemoryMirror::default())
///     .fresh_for(Duration::from_secs(5))
///     .observe(|observed| println!("{observed:?}"))
///     .build()
/// # }
/// ```
#[must_use = "tiers are made by `build`"]
pub struct TieredBuilder<F> {
    onramp: Onramp<F>,
    mirror: Option<Arc<dyn Mirror>>,
    capacity: u64,
    fresh: Duration,
    keep: Duration,
    database_within: Duration,
    mirror_within: Duration,
    retry: RetryPolicy,
    observer: Option<Observer>,
}

impl<F: Flow> TieredBuilder<F> {
    pub(super) fn new(onramp: Onramp<F>) -> Self {
        Self {
            onramp,
            mirror: None,
            capacity: 10_000,
            fresh: Duration::from_secs(5),
            keep: Duration::from_secs(24 * 60 * 60),
            database_within: Duration::from_secs(2),
            mirror_within: Duration::from_secs(2),
            retry: RetryPolicy::new(3)
                .base(Duration::from_millis(100))
                .cap(Duration::from_secs(1)),
            observer: None,
        }
    }

    /// The mirror. Without one that tier is always away.
    pub fn mirror(mut self, mirror: impl Mirror) -> Self {
        self.mirror = Some(Arc::new(mirror));
        self
    }

    /// How many local copies are kept. By default 10,000, of 1 to 4 kB each.
    pub fn capacity(mut self, copies: u64) -> Self {
        self.capacity = copies;
        self
    }

    /// How old a local copy may be to be shown without asking the database. By default 5 s.
    pub fn fresh_for(mut self, age: Duration) -> Self {
        self.fresh = age;
        self
    }

    /// How long a local copy is kept to be shown as stale. By default a day.
    pub fn keep_for(mut self, age: Duration) -> Self {
        self.keep = age;
        self
    }

    /// How long the database is waited for. By default 2 s.
    pub fn database_within(mut self, time: Duration) -> Self {
        self.database_within = time;
        self
    }

    /// How long the mirror is waited for. By default 2 s.
    pub fn mirror_within(mut self, time: Duration) -> Self {
        self.mirror_within = time;
        self
    }

    /// How often writing the mirror is tried before it is left to the next delivery. By default three
    /// times within a second or so.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Called after every read and every projection. Must be quick: the caller waits for it.
    pub fn observe(mut self, see: impl Fn(&Observed) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(see));
        self
    }

    /// The tiers.
    ///
    /// # Errors
    /// [`InvalidTiers`] when a setting makes no sense.
    pub fn build(self) -> Result<Tiered<F>, InvalidTiers> {
        let zero = [
            ("capacity", self.capacity == 0),
            ("fresh_for", self.fresh.is_zero()),
            ("keep_for", self.keep.is_zero()),
            ("database_within", self.database_within.is_zero()),
            ("mirror_within", self.mirror_within.is_zero()),
        ];
        if let Some((setting, _)) = zero.into_iter().find(|(_, zero)| *zero) {
            return Err(InvalidTiers::Zero { setting });
        }
        if self.fresh > self.keep {
            return Err(InvalidTiers::FreshForLongerThanKept);
        }
        Ok(Tiered {
            shared: Arc::new(Shared {
                local: Local::new(self.capacity, self.keep),
                onramp: self.onramp,
                mirror: self.mirror,
                fresh: self.fresh,
                database_within: self.database_within,
                mirror_within: self.mirror_within,
                retry: self.retry,
                observer: self.observer,
            }),
        })
    }
}

impl<F: Flow> std::fmt::Debug for TieredBuilder<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TieredBuilder")
            .field("fresh_for", &self.fresh)
            .field("keep_for", &self.keep)
            .finish_non_exhaustive()
    }
}
