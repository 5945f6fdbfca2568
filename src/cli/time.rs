//! Times as operators write them.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// A date (its beginning, in UTC) or a moment.
pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let begin = date.and_then(|date| date.and_hms_opt(0, 0, 0));
    let begin = begin.map(|begin| begin.and_utc());
    begin.ok_or_else(|| "give a date (2026-11-21) or a time (2026-11-21T14:00:00Z)".to_owned())
}

/// So many seconds, minutes, hours or days.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "give a number and a unit: 90s, 10m, 2h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let whole = count.checked_mul(seconds).ok_or_else(wrong)?;
    Ok(Duration::from_secs(whole))
}

/// For a table.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_understood_and_anything_else_is_not() {
        assert_eq!(shown(moment("2026-11-21").unwrap()), "2026-11-21T00:00:00Z");
        let east = moment("2026-11-21T02:00:00+02:00").unwrap();
        assert_eq!(shown(east), "2026-11-21T00:00:00Z");
        for bad in ["", "yesterday", "2026-13-01", "21.11.2026"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for bad in ["", "d", "7", "-1d", "1w", "99999999999999999999d", "3é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
