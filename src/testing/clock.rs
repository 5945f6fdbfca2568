//! A clock that is moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::time::Clock;

/// 2026-01-01T00:00:00Z, in microseconds: any moment does, as long as it is the same in every run.
const START: i64 = 1_767_225_600_000_000;

/// A clock that stands still until it is moved. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use onramp::Clock;
/// use onramp::testing::VirtualClock;
///
/// let clock = VirtualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
/// assert_eq!((clock.now() - before).num_days(), 30);
/// ```
#[derive(Debug, Clone)]
pub struct VirtualClock {
    micros: Arc<AtomicI64>,
}

impl VirtualClock {
    /// A clock at the beginning of 2026.
    #[must_use]
    pub fn new() -> Self {
        Self {
            micros: Arc::new(AtomicI64::new(START)),
        }
    }

    /// A clock at this moment, in whole microseconds.
    #[must_use]
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self {
            micros: Arc::new(AtomicI64::new(moment.timestamp_micros())),
        }
    }

    /// Moves it on, in whole microseconds.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let later = |now: i64| Some(now.saturating_add(by));
        // It always gives a new value, so it cannot fail.
        let _ = self
            .micros
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        let micros = self.micros.load(Ordering::SeqCst);
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}
