//! When a failed attempt is tried again: a pure function of the attempt and a random draw.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A draw from a source of randomness, uniform over `0.0 ..= 1.0`.
///
/// The rules are pure, so the randomness of the jitter is passed in.
///
/// ```
/// use onramp::flow::Roll;
/// assert_eq!(Roll::from_bits(u32::MAX).fraction(), 1.0);
/// assert_eq!(Roll::from_bits(0).fraction(), 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roll(u32);

impl Roll {
    /// The draw with these uniformly random bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The draw as a fraction of one.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(u32::MAX)
    }
}

/// Whatever the cap is: a hundred years, so that no policy leads past the end of time.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Capped exponential backoff with full jitter.
///
/// After attempt `n` the next one follows after a uniformly random part of
/// `min(cap, base * 2^(n - 1))`. Errors that a task calls final are never retried.
///
/// ```
/// use std::time::Duration;
/// use onramp::flow::{RetryPolicy, Roll};
///
/// let policy = RetryPolicy::new(5).base(Duration::from_secs(1)).cap(Duration::from_secs(60));
/// let longest = Roll::from_bits(u32::MAX);
/// assert_eq!(policy.delay(1, longest), Some(Duration::from_secs(1)));
/// assert_eq!(policy.delay(4, longest), Some(Duration::from_secs(8)));
/// assert_eq!(policy.delay(5, longest), None); // five attempts were allowed
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    max_attempts: u32,
    base: Duration,
    cap: Duration,
}

impl RetryPolicy {
    /// At most `max_attempts` attempts (at least one), with a base of 500 ms and a cap of 5 min.
    #[must_use]
    pub const fn new(max_attempts: u32) -> Self {
        Self {
            max_attempts: if max_attempts == 0 { 1 } else { max_attempts },
            base: Duration::from_millis(500),
            cap: Duration::from_secs(300),
        }
    }

    /// The longest wait after the first failed attempt.
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest wait after any attempt.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// How many attempts are made in all.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// How long to wait after the failed attempt number `attempt` (counted from 1), or `None`
    /// when it was the last one.
    #[must_use]
    pub fn delay(&self, attempt: u32, roll: Roll) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(31);
        let grown = self.base.saturating_mul(1 << doublings);
        let ceiling = grown.min(self.cap).min(LONGEST);
        // Whole microseconds: a finer delay would not survive a store.
        let micros = (ceiling.as_micros() as f64 * roll.fraction()) as u64;
        Some(Duration::from_micros(micros))
    }
}

impl Default for RetryPolicy {
    /// Eight attempts: about a minute of patience when the jitter is average.
    fn default() -> Self {
        Self::new(8)
    }
}
