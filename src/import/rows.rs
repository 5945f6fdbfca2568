//! Rows that the host has read itself.

use serde::Serialize;
use serde_json::Value;

use super::MAX_RECORD_BYTES;
use super::record::{Entry, Place, Record, Unreadable};

/// Records out of rows that the host gives, for instance from SQL: whatever serialises as an object. The
/// name is for places only.
///
/// ```
/// use onramp::import::rows;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct User { id: String, setup_completed: bool }
///
/// let users = vec![User { id: "u1".into(), setup_completed: true }];
/// let record = rows("users", users).next().expect("there is one").expect("it is an object");
/// assert_eq!(record.place().to_string(), "users:1");
/// assert!(record.flag("setup_completed").unwrap());
/// ```
pub fn rows<T: Serialize>(
    name: impl Into<String>,
    rows: impl IntoIterator<Item = T>,
) -> impl Iterator<Item = Entry> {
    let name = name.into();
    rows.into_iter().zip(1..).map(move |(row, line)| {
        let from = name.clone();
        let place = Place { from, line };
        let unreadable = |reason: String| Unreadable::new(place.clone(), reason, Vec::new());
        let fields = serde_json::to_value(&row);
        let fields =
            fields.map_err(|why| unreadable(format!("the row does not serialise: {why}")))?;
        if !fields.is_object() {
            return Err(unreadable(
                "the row is no object: give its columns names".into(),
            ));
        }
        let raw = Value::to_string(&fields).into_bytes();
        if raw.len() > MAX_RECORD_BYTES {
            let long = format!("{} bytes, of which {MAX_RECORD_BYTES} may be", raw.len());
            return Err(Unreadable::new(place, long, raw));
        }
        Ok(Record {
            place,
            fields,
            raw,
            strict: false,
            wildcard: None,
        })
    })
}
