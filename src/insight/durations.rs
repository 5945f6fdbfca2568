//! Many durations in little memory.

use std::time::Duration;

/// So many buckets for each doubling; the first two doublings' worth hold one value each.
const PARTS: u64 = 32;
const BITS: u32 = PARTS.trailing_zeros();

/// A histogram of durations, in whole microseconds, whose buckets grow with what they hold.
///
/// **A percentile is off by at most one part in 64** (exact below 64 microseconds): a bucket is at most
/// a 32nd of what it holds wide, and its middle is told. Never more than 2,000 buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations {
    buckets: Vec<u64>,
    count: u64,
}

impl Durations {
    pub(super) fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let place = place(micros);
        if self.buckets.len() <= place {
            self.buckets.resize(place + 1, 0);
        }
        self.buckets[place] += 1;
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (into, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *into += from;
        }
        self.count += other.count;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What so many of a hundred do not exceed (the nearest rank); none without any.
    pub(super) fn percentile(&self, of_hundred: u64) -> Option<Duration> {
        let rank = (u128::from(self.count) * u128::from(of_hundred)).div_ceil(100);
        let rank = u64::try_from(rank).unwrap_or(u64::MAX).max(1);
        let mut below = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            below += count;
            if below >= rank {
                return Some(Duration::from_micros(middle(place as u64)));
            }
        }
        None
    }
}

fn place(micros: u64) -> usize {
    let log = micros.max(1).ilog2();
    let place = match log.checked_sub(BITS) {
        Some(shift) => u64::from(shift) * PARTS + (micros >> shift),
        None => micros,
    };
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn middle(place: u64) -> u64 {
    if place < 2 * PARTS {
        return place;
    }
    let shift = place / PARTS - 1;
    let lowest = (PARTS + place % PARTS) << shift;
    lowest + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(all: &[u64]) -> Durations {
        let mut durations = Durations::default();
        for micros in all {
            durations.add(Duration::from_micros(*micros));
        }
        durations
    }

    /// Numbers of every size.
    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        let one = (0..64u32, any::<u64>()).prop_map(|(shift, bits)| bits >> shift);
        prop::collection::vec(one, 1..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_percentile_is_off_by_one_part_in_64_at_most(mut all in numbers(), of_hundred in 1..=100u64) {
            let durations = of(&all);
            all.sort_unstable();
            let rank = (all.len() as u64 * of_hundred).div_ceil(100);
            let exact = all[usize::try_from(rank).unwrap() - 1];
            let told = durations.percentile(of_hundred).unwrap().as_micros();
            let told = u64::try_from(told).unwrap();
            prop_assert!(told.abs_diff(exact) <= exact / 64, "{told} for {exact}");
            prop_assert!(durations.buckets.len() <= 2_000);
        }

        #[test]
        fn what_is_merged_is_as_if_counted_together(one in numbers(), other in numbers()) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            let together = of(&[one, other].concat());
            prop_assert_eq!(merged.buckets, together.buckets);
            prop_assert_eq!(merged.count, together.count);
        }
    }

    #[test]
    fn of_none_there_is_no_percentile() {
        assert_eq!(Durations::default().percentile(50), None);
    }
}
