//! A time zone by name.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset, Offset, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::invalid::{FieldError, Problem, excerpt};
use super::text::text_field;

/// A time zone by its name in the IANA tz database, such as `Asia/Kolkata`.
///
/// An alias keeps the spelling given: `Asia/Calcutta` stays `Asia/Calcutta`, and is not equal to
/// `Asia/Kolkata` although the clocks agree. What somebody chose comes back as they chose it.
/// There is no default: a missing time zone is not UTC.
///
/// # Errors
///
/// [`new`](Self::new) refuses with `time_zone_unknown`. Names are compared with case, as the tz
/// database writes them; one that differs by case only is named in the message.
///
/// ```
/// use onramp::fields::TimeZone;
///
/// let zone = TimeZone::new("Asia/Calcutta")?;
/// assert_eq!(zone.as_str(), "Asia/Calcutta");
/// assert_eq!(
///     TimeZone::new("asia/kolkata").unwrap_err().to_string(),
///     r#"unknown time zone "asia/kolkata": did you mean "Asia/Kolkata"?"#
/// );
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Checks a name; white space around it is dropped. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `time_zone`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let given = text.trim();
        given.parse().map(Self).map_err(|_| {
            Problem::TimeZoneUnknown {
                given: excerpt(given),
                meant: same_but_for_case(given),
            }
            .into()
        })
    }

    /// The name, in the spelling that was given.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0.name()
    }

    /// How far the zone's clocks are from UTC at an instant, summer time included.
    ///
    /// ```
    /// use chrono::{TimeZone as _, Utc};
    /// use onramp::fields::TimeZone;
    ///
    /// let berlin = TimeZone::new("Europe/Berlin")?;
    /// let noon = |month| Utc.with_ymd_and_hms(2026, month, 1, 12, 0, 0).unwrap();
    /// assert_eq!(berlin.offset_at(noon(1)).to_string(), "+01:00");
    /// assert_eq!(berlin.offset_at(noon(7)).to_string(), "+02:00");
    /// # Ok::<(), onramp::fields::FieldError>(())
    /// ```
    #[must_use]
    pub fn offset_at(&self, instant: DateTime<Utc>) -> FixedOffset {
        self.0.offset_from_utc_datetime(&instant.naive_utc()).fix()
    }
}

/// By name.
impl Ord for TimeZone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for TimeZone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

text_field!(TimeZone);

fn same_but_for_case(given: &str) -> Option<&'static str> {
    TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .find(|name| name.eq_ignore_ascii_case(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_keeps_its_spelling_and_its_clock() {
        let alias = TimeZone::new("Asia/Calcutta").unwrap();
        let zone = TimeZone::new(" Asia/Kolkata ").unwrap();
        assert_eq!(alias.as_str(), "Asia/Calcutta");
        assert_eq!(zone.as_str(), "Asia/Kolkata");
        assert_ne!(alias, zone);
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(alias.offset_at(now), zone.offset_at(now));
        assert_eq!(zone.offset_at(now).to_string(), "+05:30");
    }

    #[test]
    fn unknown_names_are_refused() {
        for text in [
            "",
            "Mars/Olympus",
            "IST",
            "+05:30",
            "Asia/Kolkata/x",
            "asia/kolkata",
        ] {
            assert_eq!(
                TimeZone::new(text).unwrap_err().code(),
                "time_zone_unknown",
                "{text}"
            );
        }
    }

    #[test]
    fn advice_is_given_only_when_the_case_is_all_that_differs() {
        let message = |text| TimeZone::new(text).unwrap_err().to_string();
        assert!(message("EUROPE/BERLIN").ends_with(r#"did you mean "Europe/Berlin"?"#));
        assert!(message("Europe/Bern").ends_with(r#"such as "Europe/Berlin""#));
    }

    #[test]
    fn zones_sort_by_name() {
        let zone = |text| TimeZone::new(text).unwrap();
        assert!(zone("Africa/Abidjan") < zone("UTC"));
        assert!(zone("Europe/Berlin") < zone("Europe/Paris"));
    }
}
