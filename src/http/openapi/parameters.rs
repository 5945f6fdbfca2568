//! What goes into requests, and with responses, beside their bodies.

use serde_json::{Map, Value, json};

use crate::http::call::MAX_PAGE;
use crate::http::progress::MOST;
use crate::http::routes::{Facts, Route};
use crate::id::MAX_ID_BYTES;

/// A header of a response, and whether every one has it.
pub(super) type Header = (&'static str, bool);

/// On every such response.
pub(super) const fn always(name: &'static str) -> Header {
    (name, true)
}

/// On some of them.
pub(super) const fn sometimes(name: &'static str) -> Header {
    (name, false)
}

/// Headers of a response.
pub(super) fn headers(told: &[Header]) -> Value {
    let header = |(name, always): &Header| {
        let kind = if *name == "Retry-After" {
            "integer"
        } else {
            "string"
        };
        let header = json!({ "required": always, "schema": { "type": kind } });
        ((*name).to_owned(), header)
    };
    Value::Object(told.iter().map(header).collect::<Map<_, _>>())
}

/// Tags between commas (RFC 9110, 8.8.3).
const TAGS: &str = r#"^(W/)?"[!#-+\--~]*"([ \t]*,[ \t]*(W/)?"[!#-+\--~]*")*$"#;

/// Printable ASCII; what a header has at its ends as white space is none of its value.
const KEY: &str = "^[!-~]([ -~]{0,253}[!-~])?$";

/// The identity of an event, as it was sent.
const EVENT: &str = "^[0-9]{1,18}(-end)?$";

/// An identity or a reason: no control characters, no separators of lines, no white space around it.
pub(in crate::http) const TEXT: &str = concat!(
    r"^[^\s\u0000-\u001f\u007f-\u009f]",
    r"([^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^\s\u0000-\u001f\u007f-\u009f])?$"
);

/// Headers and parameters of a request.
pub(super) fn parameters(route: Route, facts: &Facts) -> Value {
    let header = |name: &str, required: bool, schema: Value| json!({ "name": name, "in": "header", "required": required, "schema": schema });
    let like = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let tags = || json!({ "type": "string", "anyOf": [{ "const": "*" }, { "pattern": TAGS }] });
    let condition = |required| header("If-Match", required, tags());
    let key = || {
        let mut key = header("Idempotency-Key", false, like(KEY));
        key["description"] = json!("The same request with the same key counts once.");
        key
    };
    let query =
        |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let page = || json!({ "type": "integer", "minimum": 1, "maximum": MAX_PAGE });
    let mut all = Vec::new();
    if facts.path.contains("{onboarding}") {
        all.push(json!({
            "name": "onboarding", "in": "path", "required": true,
            "schema": { "type": "string", "format": "uuid" },
        }));
    }
    match route {
        Route::Status | Route::Form => all.push(header("If-None-Match", false, tags())),
        Route::Draft => all.extend([condition(true), key()]),
        Route::Start => all.push(key()),
        Route::Submit
        | Route::Revise
        | Route::Skip
        | Route::Complete
        | Route::Retry
        | Route::OperatorRetry
        | Route::RetryUndo
        | Route::Cancel
        | Route::Waive
        | Route::Park
        | Route::Unpark => all.extend([condition(false), key()]),
        Route::Progress => {
            let after = json!({ "type": "integer", "minimum": 0, "maximum": MOST });
            all.extend([query("after", after), query("limit", page())]);
        }
        Route::Events => all.push(header("Last-Event-ID", false, like(EVENT))),
        Route::List => {
            let subject = || {
                json!({
                    "type": "string",
                    "description": "In UTF-8 it takes 128 bytes at most.",
                    "minLength": 1,
                    "maxLength": MAX_ID_BYTES,
                    "pattern": TEXT,
                })
            };
            all.extend([
                query("after", subject()),
                query("limit", page()),
                query("subject", subject()),
            ]);
        }
        // Which form is wanted is said by `Accept`, which is no parameter (OpenAPI 3.1, 4.8.12.1).
        Route::Funnel => {
            let moment = || {
                json!({
                    "description": "A date, or a time (RFC 3339). The end is not before the beginning.",
                    "anyOf": [
                        { "type": "string", "format": "date" },
                        { "type": "string", "format": "date-time" },
                    ],
                })
            };
            let version = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
            all.extend([
                query("from", moment()),
                query("to", moment()),
                query("version", version),
            ]);
        }
        Route::Stuck => {
            let hours =
                json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 168 });
            all.extend([query("older_than_hours", hours), query("limit", page())]);
        }
        Route::Explain | Route::Offer | Route::Reveal => {}
    }
    Value::Array(all)
}
