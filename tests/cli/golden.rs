//! The shapes of the JSON, which programs rely on.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

/// Holds that an answer has the shape that `golden.json` keeps for it. With `ONRAMP_GOLDEN=write` the
/// shape is kept instead.
pub(crate) fn holds(name: &str, answer: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut golden: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let shape = shape(answer);
    if std::env::var("ONRAMP_GOLDEN").is_ok_and(|wish| wish == "write") {
        golden.insert(name.to_owned(), shape);
        let text = serde_json::to_string_pretty(&golden).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = golden.get(name).cloned().unwrap_or_default();
    assert_eq!(
        shape, expected,
        "{name}: the shape of the JSON is another: {answer:#}"
    );
}

/// Keys and kinds of values; a list by its first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(map) => {
            let shapes = map.iter().map(|(key, value)| (key.clone(), shape(value)));
            Value::Object(shapes.collect())
        }
    }
}

#[test]
fn another_key_or_kind_is_another_shape() {
    let kept = shape(&json!({ "a": 1, "b": [{ "c": null }] }));
    assert_eq!(kept, shape(&json!({ "b": [{ "c": null }, 7], "a": 2 })));
    for other in [
        json!({ "a": 1, "b": [] }),
        json!({ "a": "1", "b": [{ "c": null }] }),
        json!({ "a": 1, "b": [{ "c": null }], "d": true }),
    ] {
        assert_ne!(kept, shape(&other));
    }
}
