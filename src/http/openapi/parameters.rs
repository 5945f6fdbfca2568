//! What goes into requests, and with responses, beside their bodies.

use serde_json::{Map, Value, json};

use crate::http::routes::{Facts, Route};

/// Headers of a response.
pub(super) fn headers(names: &[&str]) -> Value {
    let header = |name: &&str| {
        let kind = if *name == "Retry-After" {
            "integer"
        } else {
            "string"
        };
        ((*name).to_owned(), json!({ "schema": { "type": kind } }))
    };
    Value::Object(names.iter().map(header).collect::<Map<_, _>>())
}

/// Headers and parameters of a request.
pub(super) fn parameters(route: Route, facts: &Facts) -> Value {
    let header = |name: &str, required: bool| json!({ "name": name, "in": "header", "required": required, "schema": { "type": "string" } });
    let query =
        |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let page = || json!({ "type": "integer", "minimum": 1, "maximum": 100 });
    let mut all = Vec::new();
    if facts.path.contains("{onboarding}") {
        all.push(json!({
            "name": "onboarding", "in": "path", "required": true,
            "schema": { "type": "string", "format": "uuid" },
        }));
    }
    match route {
        Route::Status | Route::Form => all.push(header("If-None-Match", false)),
        Route::Draft => all.extend([header("If-Match", true), header("Idempotency-Key", false)]),
        Route::Start => all.push(header("Idempotency-Key", false)),
        Route::Submit | Route::Revise | Route::Skip | Route::Complete | Route::Retry => {
            all.extend([header("If-Match", false), header("Idempotency-Key", false)]);
        }
        Route::Progress => {
            let after = json!({ "type": "integer", "minimum": 0 });
            all.extend([query("after", after), query("limit", page())]);
        }
        Route::Events => all.push(header("Last-Event-ID", false)),
        Route::List => {
            let subject = || json!({ "type": "string" });
            all.extend([
                query("after", subject()),
                query("limit", page()),
                query("subject", subject()),
            ]);
        }
        Route::Funnel => {
            let moment =
                || json!({ "type": "string", "description": "A date, or a time (RFC 3339)." });
            let version = json!({ "type": "integer", "minimum": 0 });
            all.extend([
                query("from", moment()),
                query("to", moment()),
                query("version", version),
                header("Accept", false),
            ]);
        }
        Route::Stuck => {
            let hours = json!({ "type": "integer", "minimum": 0, "default": 168 });
            all.extend([
                query("older_than_hours", hours),
                query("limit", page()),
                header("Accept", false),
            ]);
        }
        Route::Explain
        | Route::Offer
        | Route::Reveal
        | Route::OperatorRetry
        | Route::RetryUndo
        | Route::Cancel
        | Route::Waive
        | Route::Park
        | Route::Unpark => {}
    }
    Value::Array(all)
}
