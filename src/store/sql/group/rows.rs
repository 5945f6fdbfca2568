//! Rows as one argument: a JSON array of arrays.

use std::fmt::Write as _;

use crate::store::error::{Error, ErrorKind};

/// A value of a row.
pub(in crate::store::sql) enum Value<'a> {
    Int(i64),
    Text(&'a str),
    /// Written in hexadecimal digits: JSON has no bytes.
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

/// Rows under construction.
#[derive(Debug, Default)]
pub(in crate::store::sql) struct Rows {
    json: String,
    count: u64,
}

impl Rows {
    pub(in crate::store::sql) fn count(&self) -> u64 {
        self.count
    }

    pub(in crate::store::sql) fn push<const N: usize>(
        &mut self,
        row: [Value<'_>; N],
    ) -> Result<(), Error> {
        self.json.push(if self.count == 0 { '[' } else { ',' });
        self.count += 1;
        for (at, value) in row.iter().enumerate() {
            self.json.push(if at == 0 { '[' } else { ',' });
            match value {
                Value::Int(value) => {
                    // Writing to a string does not fail.
                    let _ = write!(self.json, "{value}");
                }
                Value::Text(text) => self.json.push_str(&quoted(text)?),
                Value::Bytes(bytes) => {
                    self.json.push('"');
                    for byte in *bytes {
                        self.json.push(digit(byte >> 4));
                        self.json.push(digit(byte & 15));
                    }
                    self.json.push('"');
                }
            }
        }
        self.json.push(']');
        Ok(())
    }

    /// The argument.
    pub(in crate::store::sql) fn into_json(mut self) -> String {
        if self.count == 0 {
            return "[]".to_owned();
        }
        self.json.push(']');
        self.json
    }
}

fn quoted(text: &str) -> Result<String, Error> {
    serde_json::to_string(text)
        .map_err(|error| Error::new(ErrorKind::Invalid, "a text does not serialise").because(error))
}

fn digit(of: u8) -> char {
    char::from(if of < 10 { b'0' + of } else { b'a' + of - 10 })
}

/// A row's values.
macro_rules! row {
    ($($value:expr),* $(,)?) => {
        [$($crate::store::sql::group::rows::Value::from($value)),*]
    };
}
pub(in crate::store::sql) use row;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json() {
        assert_eq!(Rows::default().into_json(), "[]");
        let mut rows = Rows::default();
        rows.push(row![1, "a\"b\\\u{1F600}\n", &[0_u8, 0x9f][..]])
            .unwrap();
        rows.push(row![-2, "", &[][..]]).unwrap();
        let json = rows.into_json();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            read,
            serde_json::json!([[1, "a\"b\\\u{1F600}\n", "009f"], [-2, "", ""]])
        );
    }
}
