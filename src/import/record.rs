//! One record of a source, and what is read from it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::reject::Reject;
use super::time;

/// What a source gives: a record, or what cannot be read and why.
///
/// ```
/// use onramp::import::{Entry, csv};
/// let entries: Vec<Entry> = csv("users.csv", "user\nu1\n\"u2\n".as_bytes()).collect();
/// assert!(entries[0].is_ok() && entries[1].is_err());
/// ```
pub type Entry = Result<Record, Unreadable>;

/// Where a record is from.
///
/// ```
/// use onramp::import::Place;
/// let place = Place { from: "users.csv".into(), line: 17 };
/// assert_eq!(place.to_string(), "users.csv:17");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file or the table.
    pub from: String,
    /// The line that it begins on, or which row it is, counted from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.from, self.line)
    }
}

/// What a source has and cannot be read.
///
/// ```
/// use onramp::import::csv;
/// let entry = csv("users.csv", "user\n\"u2\n".as_bytes()).next();
/// let why = entry.expect("there is one").unwrap_err();
/// assert_eq!(why.reason, "a quote is opened and not closed: close it, or double it within a text");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// Where.
    pub place: Place,
    /// What is wrong, and what to do.
    pub reason: String,
    /// Its bytes, as far as they were kept.
    pub raw: Vec<u8>,
}

impl Unreadable {
    pub(super) fn new(place: Place, reason: impl Into<String>, raw: Vec<u8>) -> Self {
        let reason = reason.into();
        Self { place, reason, raw }
    }
}

/// One record of a source: a line of CSV, a JSON file, a row. `Debug` leaves its values out.
///
/// Names are columns or members; one that begins with `/` is a JSON pointer (RFC 6901).
///
/// ```
/// use onramp::import::rows;
/// use serde_json::json;
///
/// let row = json!({ "user": "u1", "steps": { "company": { "done": true } } });
/// let record = rows("progress", [row]).next().expect("there is one").expect("it is an object");
/// assert_eq!(record.text("user").unwrap(), "u1");
/// assert!(record.flag("/steps/company/done").unwrap());
/// assert_eq!(record.text("email").unwrap_err().to_string(), "\"email\" is missing");
/// ```
#[derive(Clone)]
pub struct Record {
    pub(super) place: Place,
    pub(super) fields: Value,
    pub(super) raw: Vec<u8>,
    /// Whether every record has all fields, so that a name that is not there is misspelt.
    pub(super) strict: bool,
    pub(super) wildcard: Option<String>,
}

impl Record {
    /// Where it is from.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What stood for the `*` in the name of its file.
    #[must_use]
    pub fn wildcard(&self) -> Option<&str> {
        self.wildcard.as_deref()
    }

    /// A value as it is, if it is there.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        match name.starts_with('/') {
            true => self.fields.pointer(name),
            false => self.fields.get(name),
        }
    }

    /// A text that is there and not blank.
    ///
    /// # Errors
    /// [`Reject`] when it is missing, blank or no text.
    pub fn text(&self, name: &str) -> Result<&str, Reject> {
        self.maybe_text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text; none when it is missing, null or blank. A column that the CSV does not have is refused.
    ///
    /// # Errors
    /// [`Reject`] when it is no text.
    pub fn maybe_text(&self, name: &str) -> Result<Option<&str>, Reject> {
        match self.known(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, other, "a text")),
        }
    }

    /// A flag that is there.
    ///
    /// # Errors
    /// [`Reject`] when it is missing, or as [`maybe_flag`](Self::maybe_flag).
    pub fn flag(&self, name: &str) -> Result<bool, Reject> {
        self.maybe_flag(name)?.ok_or_else(|| self.missing(name))
    }

    /// A flag: true or false, also as `t`, `f`, `yes`, `no`, `1` or `0`; none when it is missing, null or
    /// blank.
    ///
    /// # Errors
    /// [`Reject`] when it is anything else.
    pub fn maybe_flag(&self, name: &str) -> Result<Option<bool>, Reject> {
        let said = match self.known(name)? {
            None => return Ok(None),
            Some(Value::Bool(flag)) => return Ok(Some(*flag)),
            Some(Value::String(text)) => text.trim().to_ascii_lowercase(),
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => return Err(wrong(name, other, "a flag")),
        };
        match said.as_str() {
            "true" | "t" | "yes" | "y" | "1" => Ok(Some(true)),
            "false" | "f" | "no" | "n" | "0" => Ok(Some(false)),
            _ => Err(Reject::new(format!(
                "{name:?} is no flag: write true or false"
            ))),
        }
    }

    /// A time with its offset from UTC, such as `2024-03-01T10:00:00Z` or `2024-03-01 10:00:00+01`;
    /// none when it is missing, null or blank.
    ///
    /// # Errors
    /// [`Reject`] when it is anything else: a time without an offset is not taken for UTC.
    pub fn maybe_time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Reject> {
        let text = self.maybe_text(name)?;
        text.map(|text| time::exact(name, text)).transpose()
    }

    /// The same, where the host knows that a time without an offset is in UTC.
    ///
    /// # Errors
    /// [`Reject`] when it is no time.
    pub fn maybe_time_utc(&self, name: &str) -> Result<Option<DateTime<Utc>>, Reject> {
        let text = self.maybe_text(name)?;
        text.map(|text| time::in_utc(name, text)).transpose()
    }

    /// What a text or a number says, for instance a field type; none when it is missing, null or blank.
    ///
    /// # Errors
    /// [`Reject`] with the type's own words when it is refused.
    pub fn maybe_parse<T: FromStr>(&self, name: &str) -> Result<Option<T>, Reject>
    where
        T::Err: fmt::Display,
    {
        let parse = |text: &str| {
            let parsed = text.parse::<T>();
            parsed.map_err(|why| Reject::new(format!("{name:?}: {why}")))
        };
        match self.known(name)? {
            None => Ok(None),
            Some(Value::String(text)) => parse(text).map(Some),
            Some(Value::Number(number)) => parse(&number.to_string()).map(Some),
            Some(other) => Err(wrong(name, other, "a text or a number")),
        }
    }

    /// The same of what is there.
    ///
    /// # Errors
    /// [`Reject`] when it is missing, or as [`maybe_parse`](Self::maybe_parse).
    pub fn parse<T: FromStr>(&self, name: &str) -> Result<T, Reject>
    where
        T::Err: fmt::Display,
    {
        self.maybe_parse(name)?.ok_or_else(|| self.missing(name))
    }

    /// The whole record as a type of the host's. Values of CSV are texts.
    ///
    /// # Errors
    /// [`Reject`] when it does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Reject> {
        T::deserialize(&self.fields).map_err(Reject::from)
    }

    /// A value that says something.
    fn known(&self, name: &str) -> Result<Option<&Value>, Reject> {
        match self.value(name) {
            None if self.strict => Err(Reject::new(format!("there is no column {name:?}"))),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            None | Some(Value::Null) => Ok(None),
            known => Ok(known),
        }
    }

    fn missing(&self, name: &str) -> Reject {
        let how = match self.value(name) {
            None => "missing",
            Some(_) => "empty",
        };
        Reject::new(format!("{name:?} is {how}"))
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

fn wrong(name: &str, found: &Value, expected: &str) -> Reject {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Reject::new(format!("{name:?} is {found}, not {expected}"))
}
