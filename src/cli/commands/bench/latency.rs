//! How long calls took.

use std::time::Duration;

use serde::Serialize;

/// Of calls of one kind.
#[derive(Serialize)]
pub(super) struct Latency {
    pub(super) count: usize,
    pub(super) per_second: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
}

impl Latency {
    /// Of calls that took so long, in so long a time.
    pub(super) fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort();
        let count = times.len();
        let rank = |percent: usize| {
            let place = (count * percent).div_ceil(100).saturating_sub(1);
            let time = times.get(place).copied().unwrap_or_default();
            u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = count as f64 / whole.as_secs_f64().max(f64::EPSILON);
        Self {
            count,
            per_second,
            p50_us: rank(50),
            p99_us: rank(99),
        }
    }
}
