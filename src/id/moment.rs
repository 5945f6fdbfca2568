//! The moment that an identity is of: a UUID version 7 begins with its milliseconds since 1970.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::OnboardingId;

/// What follows the 48 bits of time.
const TAIL: u128 = (1 << 80) - 1;

impl OnboardingId {
    /// A fresh identity of this moment, so that what was created in a stretch of time is a range of
    /// identities, by whatever clock the host goes.
    pub(crate) fn fresh_at(now: DateTime<Utc>) -> Self {
        // The tail of a fresh one keeps the order of those made within a millisecond of real time.
        let tail = Uuid::now_v7().as_u128() & TAIL;
        Self(Uuid::from_u128(time(now) | tail))
    }

    /// The lowest identity of this millisecond: whatever was made before is below it.
    pub(crate) fn first_at(moment: DateTime<Utc>) -> Self {
        Self(Uuid::from_u128(time(moment)))
    }

    /// The identity that follows.
    pub(crate) fn successor(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
    }
}

/// The time as it stands in an identity. One that does not fit is cut to what does.
fn time(moment: DateTime<Utc>) -> u128 {
    let millis = moment.timestamp_millis().clamp(0, (1 << 48) - 1);
    u128::from(millis.unsigned_abs()) << 80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn identities_are_of_the_moment_they_are_told() {
        let id = OnboardingId::fresh_at(at(1_700_000_000_123));
        assert_eq!(id.as_uuid().get_version_num(), 7);
        let told = id.as_uuid().get_timestamp().unwrap().to_unix();
        assert_eq!(told, (1_700_000_000, 123_000_000));
        assert!(OnboardingId::first_at(at(1_700_000_000_123)) <= id);
        assert!(id < OnboardingId::first_at(at(1_700_000_000_124)));
    }

    #[test]
    fn those_of_one_moment_differ_and_are_in_order() {
        let ids: Vec<_> = (0..1_000).map(|_| OnboardingId::fresh_at(at(5))).collect();
        assert!(ids.windows(2).filter(|two| two[0] < two[1]).count() > 900);
        let all: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(all.len(), ids.len());
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let nil = OnboardingId::from_uuid(Uuid::nil());
        assert_eq!(OnboardingId::first_at(DateTime::<Utc>::MIN_UTC), nil);
        let last = OnboardingId::first_at(DateTime::<Utc>::MAX_UTC);
        assert_eq!(
            last.as_uuid().as_bytes()[..7],
            [255, 255, 255, 255, 255, 255, 0]
        );
        let highest = OnboardingId::from_uuid(Uuid::max());
        assert_eq!(highest.successor(), highest);
    }
}
