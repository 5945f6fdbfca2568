//! Time is an argument everywhere in the rules; this is where it comes from at the edges.

use chrono::{DateTime, SubsecRound, Utc};

/// Where a front door or an engine gets the time that it passes to the rules.
///
/// Leases do not use it: they are reckoned on the store's own clock.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use onramp::Clock;
///
/// struct Frozen(DateTime<Utc>);
/// impl Clock for Frozen {
///     fn now(&self) -> DateTime<Utc> {
///         self.0
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The current time, in whole microseconds (finer parts do not survive a store).
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the operating system.
///
/// ```
/// use onramp::{Clock, SystemClock};
/// let now = SystemClock.now();
/// assert_eq!(now.timestamp_subsec_nanos() % 1_000, 0);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}
