//! Times as other systems write them.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};

use super::reject::Reject;

/// With an offset; `%#z` takes one without minutes, as PostgreSQL writes it.
const EXACT: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
const NAIVE: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];

pub(super) fn exact(name: &str, text: &str) -> Result<DateTime<Utc>, Reject> {
    let text = text.trim();
    if let Some(time) = with_offset(text) {
        return Ok(time);
    }
    Err(match without_offset(text) {
        Some(_) => Reject::new(format!(
            "{name:?} has no offset from UTC: write one, or read it as UTC if that is what it is"
        )),
        None => no_time(name),
    })
}

pub(super) fn in_utc(name: &str, text: &str) -> Result<DateTime<Utc>, Reject> {
    let text = text.trim();
    let time = with_offset(text).or_else(|| without_offset(text));
    time.ok_or_else(|| no_time(name))
}

fn with_offset(text: &str) -> Option<DateTime<Utc>> {
    let read = |format: &&str| DateTime::parse_from_str(text, format).ok();
    let time = DateTime::parse_from_rfc3339(text).ok();
    let time = time.or_else(|| EXACT.iter().find_map(read))?;
    Some(time.to_utc().trunc_subsecs(6))
}

fn without_offset(text: &str) -> Option<DateTime<Utc>> {
    let read = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    let time = NAIVE.iter().find_map(read)?;
    Some(time.and_utc().trunc_subsecs(6))
}

fn no_time(name: &str) -> Reject {
    Reject::new(format!(
        "{name:?} is no time: write it like 2024-03-01T10:00:00Z"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_systems_write_them() {
        let ten = "2024-03-01T10:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2024-03-01T10:00:00Z",
            "2024-03-01T11:00:00+01:00",
            "2024-03-01 11:00:00+01",
            " 2024-03-01 10:00:00.000000+00 ",
            "2024-03-01T10:00:00.000Z",
        ] {
            assert_eq!(exact("at", text).unwrap(), ten, "{text}");
        }
        for text in ["2024-03-01 10:00:00", "2024-03-01T10:00:00.0"] {
            assert!(
                exact("at", text)
                    .unwrap_err()
                    .to_string()
                    .contains("no offset")
            );
            assert_eq!(in_utc("at", text).unwrap(), ten, "{text}");
        }
        for text in [
            "2024-03-01",
            "yesterday",
            "1709287200",
            "2024-02-30T00:00:00Z",
            "+",
        ] {
            assert!(
                exact("at", text)
                    .unwrap_err()
                    .to_string()
                    .contains("is no time"),
                "{text}"
            );
        }
    }
}
