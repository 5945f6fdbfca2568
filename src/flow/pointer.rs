//! Where in a JSON text an answer went wrong, as a JSON pointer (RFC 6901).
//!
//! serde says a line and a column; people and forms want the field.

use crate::flow::Invalid;

/// What a text would have to change to be the answer. Quotes nothing but what the answer's own types
/// say of it.
pub(super) fn fault_of(error: &serde_json::Error, json: &str) -> Invalid {
    let at = pointer(json, offset(json, error.line(), error.column()));
    let text = error.to_string();
    let quoted = text.split('`').nth(1);
    match (text.split_once(' ').map(|(first, _)| first), quoted) {
        (Some("missing"), Some(field)) if text.starts_with("missing field") => {
            Invalid::field(format!("{at}/{}", escaped(field)), "is missing: fill it in")
        }
        (Some("unknown"), _) if text.starts_with("unknown field") => {
            Invalid::field(at, "is not known here: leave it out")
        }
        (Some("unknown"), _) if text.starts_with("unknown variant") => {
            Invalid::field(at, "is none of the choices: choose one of them")
        }
        (Some("duplicate"), _) if text.starts_with("duplicate field") => {
            Invalid::field(at, "is there twice: send it once")
        }
        (Some("invalid"), _) if ["type", "value", "length"].iter().any(|w| says(&text, w)) => {
            Invalid::field(at, "is of another kind than asked for: change it")
        }
        _ => Invalid::field(at, own_words(&text)),
    }
}

fn says(text: &str, what: &str) -> bool {
    let rest = text.strip_prefix("invalid ");
    rest.is_some_and(|rest| rest.starts_with(what))
}

/// What a type of the host's says of a value, without the place that serde adds.
fn own_words(text: &str) -> String {
    let text = text
        .rsplit_once(" at line ")
        .map_or(text, |(words, _)| words);
    text.chars().take(300).collect()
}

/// The byte that serde's place is at: the last one that was read.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let before = json
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len);
    (before.sum::<usize>() + column).saturating_sub(1)
}

/// The innermost value that holds a byte; a member's name counts as its value.
fn pointer(json: &str, target: usize) -> String {
    /// An array or an object that is open, and which of its members is being read.
    enum Open {
        Array(usize),
        Object(Option<String>),
    }
    let bytes = json.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    // Whether the text that comes next is a member's name.
    let mut named = false;
    while at < bytes.len() {
        let mut end = at + 1;
        match bytes.get(at) {
            Some(b'{') => {
                open.push(Open::Object(None));
                named = true;
            }
            Some(b'[') => open.push(Open::Array(0)),
            Some(b'}' | b']') => {
                if at >= target {
                    // It is the whole that something is wrong with.
                    if let Some(Open::Object(name)) = open.last_mut() {
                        *name = None;
                        break;
                    }
                }
                open.pop();
                named = false;
            }
            Some(b',') => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                Some(Open::Object(_)) => named = true,
                None => {}
            },
            Some(b'"') => {
                end = after_text(bytes, at);
                if named
                    && let Some(Open::Object(name)) = open.last_mut()
                    && let Some(text) = json.get(at..end)
                {
                    *name = serde_json::from_str(text).ok();
                    named = false;
                }
            }
            _ => {}
        }
        if end > target {
            break;
        }
        at = end;
    }
    let steps = open.iter().filter_map(|open| match open {
        Open::Array(index) => Some(format!("/{index}")),
        Open::Object(name) => name.as_ref().map(|name| format!("/{}", escaped(name))),
    });
    steps.collect()
}

/// Behind the closing quote of a text.
fn after_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
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
            let error = serde_json::from_str::<Company>(json).err().unwrap();
            let fault = fault_of(&error, json);
            let (at, what) = fault.fields().next().unwrap();
            assert_eq!(at, pointer, "{json}: {error}");
            assert!(what.contains(words), "{json}: {what}");
            assert!(!what.contains("at line"), "{what}");
        }
    }

    #[test]
    fn no_place_is_out_of_bounds() {
        for json in ["", "{", "\"", "\"\\", "[[[", "{\"a", "é"] {
            for target in 0..9 {
                let _ = pointer(json, target);
            }
        }
    }
}
