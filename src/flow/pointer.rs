//! What is wrong with a JSON text that should be some type, by the field (RFC 6901).

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::flow::Invalid;

/// Why a text is not of a type.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not JSON.
    Json(serde_json::Error),
    /// Its fields are not the type's.
    Fields(Invalid),
}

/// Reads a text as a type.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Fault> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let at = pointer(error.path());
        let error = error.into_inner();
        match error.classify() {
            serde_json::error::Category::Data => Fault::Fields(invalid(at, &error.to_string())),
            _ => Fault::Json(error),
        }
    })?;
    reader.end().map_err(Fault::Json)?;
    Ok(read)
}

/// What a text would have to change. Quotes nothing but what the type itself says of it.
fn invalid(at: String, text: &str) -> Invalid {
    let field = || {
        let name = escaped(text.split('`').nth(1).unwrap_or_default());
        match at.rsplit_once('/') {
            Some((_, last)) if last == name => at.clone(),
            _ => format!("{at}/{name}"),
        }
    };
    let says = |words: &str| text.starts_with(words);
    if says("missing field") {
        let name = escaped(text.split('`').nth(1).unwrap_or_default());
        Invalid::field(format!("{at}/{name}"), "is missing: fill it in")
    } else if says("unknown field") {
        Invalid::field(field(), "is not known here: leave it out")
    } else if says("duplicate field") {
        Invalid::field(field(), "is there twice: send it once")
    } else if says("unknown variant") {
        Invalid::field(at, "is none of the choices: choose one of them")
    } else if says("invalid type") || says("invalid value") || says("invalid length") {
        Invalid::field(at, "is of another kind than asked for: change it")
    } else {
        Invalid::field(at, own_words(text))
    }
}

/// What a type of the host's says of a value, without the place that serde adds.
fn own_words(text: &str) -> String {
    let text = text
        .rsplit_once(" at line ")
        .map_or(text, |(words, _)| words);
    text.chars().take(300).collect()
}

fn pointer(path: &Path) -> String {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", escaped(key))),
        Segment::Enum { variant } => Some(format!("/{}", escaped(variant))),
        Segment::Unknown => None,
    });
    steps.collect()
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Company {
        name: String,
        #[serde(default)]
        employees: u32,
        #[serde(default)]
        offices: Vec<Office>,
        #[serde(default)]
        odd: Option<Odd>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Office {
        #[serde(rename = "a/b")]
        street: String,
        kind: Option<Kind>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Main,
    }

    #[derive(Deserialize)]
    #[serde(try_from = "u32")]
    struct Odd;
    impl TryFrom<u32> for Odd {
        type Error = &'static str;
        fn try_from(number: u32) -> Result<Self, &'static str> {
            match number % 2 {
                1 => Ok(Self),
                _ => Err("is even: give an odd number"),
            }
        }
    }

    #[test]
    fn a_fault_is_told_by_its_field() {
        for (json, pointer, words) in [
            (r#"{}"#, "/name", "is missing"),
            (r#"{"name": 7}"#, "/name", "another kind"),
            (
                r#"{"name": "a", "employees": "x"}"#,
                "/employees",
                "another kind",
            ),
            (
                "{\"name\": \"a\",\n \"employees\": -1, \"odd\": 1}",
                "/employees",
                "another kind",
            ),
            (
                r#"{"name": "a", "employees": 1.5}"#,
                "/employees",
                "another kind",
            ),
            (r#"{"name": "a", "nmae": 1}"#, "/nmae", "not known"),
            (r#"{"name": "a", "name": "b"}"#, "/name", "twice"),
            (
                r#"{"name": "a", "offices": [{"a/b": "x"}, {"a/b": []}]}"#,
                "/offices/1/a~1b",
                "another kind",
            ),
            (
                r#"{"name": "a", "offices": [{"a/b": "x"}, {}]}"#,
                "/offices/1/a~1b",
                "is missing",
            ),
            (
                r#"{"name": "a", "offices": [{"a/b": "x", "kind": "side"}]}"#,
                "/offices/0/kind",
                "choices",
            ),
            (
                r#"{"name": "}\"{", "odd": 2}"#,
                "/odd",
                "is even: give an odd number",
            ),
            (r#"[]"#, "", "another kind"),
            (r#"7"#, "", "another kind"),
        ] {
            let Some(Fault::Fields(fault)) = read::<Company>(json).err() else {
                panic!("{json}");
            };
            let (at, what) = fault.fields().next().unwrap();
            assert_eq!(at, pointer, "{json}: {what}");
            assert!(what.contains(words), "{json}: {what}");
            assert!(!what.contains("at line"), "{what}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_from_what_is_another_answer() {
        for json in ["", "{", "{\"name\": \"a\"} x", "{\"name\": nope}"] {
            assert!(
                matches!(read::<Company>(json), Err(Fault::Json(_))),
                "{json}"
            );
        }
    }
}
