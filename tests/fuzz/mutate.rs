//! What is valid, changed a little.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// Texts that have broken parsers before.
const ODD: &[&str] = &[
    "",
    " ",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "e\u{301}",
    "🦀",
    "ß",
    "İ",
    "\u{1f468}\u{200d}\u{1f469}",
    "\\ud800",
    "\\u0000",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "9223372036854775808",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967296",
    "NaN",
    "null",
    "true",
    "{}",
    "[",
    "\"",
    "'",
    "%",
    "%00",
    "%ff",
    "..",
    "/",
    ",",
    ";",
    ":",
    "=",
    "+",
    "\r\n",
    "+262142-12-31T23:59:59.999999999Z",
    "-262143-01-01T00:00:00Z",
    "1969-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "0000-00-00",
];

/// One of them.
pub(crate) fn odd(dice: &mut Dice) -> &'static str {
    ODD[dice.below(ODD.len())]
}

/// Bytes: some flipped, cut, doubled, inserted.
pub(crate) fn bytes(dice: &mut Dice, valid: &[u8]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let length = dice.below(bytes.len() - at + 1).min(1 + dice.below(64));
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let again = bytes[at..at + length].to_vec();
                bytes.splice(at..at, again);
            }
            4 => drop(bytes.splice(at..at + length, dice.pick(ODD).bytes())),
            5 => drop(bytes.splice(at..at, dice.pick(ODD).bytes())),
            _ => bytes.insert(at, dice.number() as u8),
        }
    }
    bytes
}

/// The same, as a text.
pub(crate) fn text(dice: &mut Dice, valid: &str) -> String {
    match dice.below(8) {
        0 => (*dice.pick(ODD)).to_owned(),
        1 => valid.repeat(1 + dice.below(40)),
        2 => dice.pick(ODD).repeat(dice.below(400)),
        _ => String::from_utf8_lossy(&bytes(dice, valid.as_bytes())).into_owned(),
    }
}

/// A JSON text: mostly still JSON, with another value somewhere in it.
pub(crate) fn json(dice: &mut Dice, valid: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(valid) else {
        return text(dice, valid);
    };
    if dice.once_in(6) {
        return text(dice, valid);
    }
    for _ in 0..=dice.below(3) {
        let whole = value.clone();
        change(dice, &mut value, &whole);
    }
    let text = value.to_string();
    match dice.below(12) {
        // One key twice: no value has that.
        0 if text.starts_with('{') && text.len() > 2 => {
            format!("{{{},{}", &text[1..text.len() - 1], &text[1..])
        }
        1 => "[".repeat(200) + &text,
        _ => text,
    }
}

/// Goes down to some place in the value, and changes what is there.
fn change(dice: &mut Dice, value: &mut Value, whole: &Value) {
    let deeper = !dice.once_in(4);
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let names: Vec<_> = fields.keys().cloned().collect();
            let name = dice.pick(&names).clone();
            match dice.below(8) {
                0 => drop(fields.remove(&name)),
                1 => rename(dice, fields, &name),
                _ => change(dice, &mut fields[&name], whole),
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(6) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                _ => change(dice, &mut items[at], whole),
            }
        }
        Value::String(valid) if deeper => *valid = text(dice, valid),
        Value::Number(_) if deeper => *value = number(dice),
        there => *there = other(dice, whole),
    }
}

fn rename(dice: &mut Dice, fields: &mut Map<String, Value>, name: &str) {
    let value = fields.remove(name).unwrap_or_default();
    fields.insert(text(dice, name), value);
}

fn number(dice: &mut Dice) -> Value {
    let numbers = [
        json!(0),
        json!(1),
        json!(-1),
        json!(2),
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(0.5),
        json!(dice.number() as i64),
    ];
    dice.pick(&numbers).clone()
}

fn other(dice: &mut Dice, whole: &Value) -> Value {
    match dice.below(8) {
        0 => Value::Null,
        1 => Value::Bool(dice.once_in(2)),
        2 => number(dice),
        3 => json!([]),
        4 => json!({}),
        5 => whole.clone(),
        6 => json!("x".repeat(dice.below(3_000))),
        _ => json!(dice.pick(ODD)),
    }
}
