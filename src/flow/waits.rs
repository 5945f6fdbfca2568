//! How long a step may wait, and when that is said.

use std::time::Duration;

/// What happens while a step waits for somebody: reminders, and the end of patience.
///
/// ```
/// use std::time::Duration;
/// use onramp::flow::Waits;
/// let day = Duration::from_secs(24 * 60 * 60);
/// let waits = Waits::default().remind_after(day * 3).remind_after(day).expire_after(day * 14);
/// assert_eq!(waits.reminders(), [day, day * 3]);
/// assert_eq!(waits.expiry(), Some(day * 14));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    remind: Vec<Duration>,
    expire: Option<Duration>,
}

impl Waits {
    /// One more reminder, so long after the wait began.
    #[must_use]
    pub fn remind_after(mut self, wait: Duration) -> Self {
        self.remind.push(wait);
        self.remind.sort_unstable();
        self
    }

    /// The end of patience, so long after the wait began: an optional step is skipped, for any
    /// other one the onboarding is given up.
    #[must_use]
    pub fn expire_after(mut self, wait: Duration) -> Self {
        self.expire = Some(wait);
        self
    }

    /// When reminders are due after the wait began, soonest first.
    #[must_use]
    pub fn reminders(&self) -> &[Duration] {
        &self.remind
    }

    /// When patience ends after the wait began.
    #[must_use]
    pub fn expiry(&self) -> Option<Duration> {
        self.expire
    }

    pub(crate) fn are_timed(&self) -> bool {
        !self.remind.is_empty() || self.expire.is_some()
    }
}
