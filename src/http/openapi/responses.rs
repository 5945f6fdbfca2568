//! What comes back: bodies, their headers, and where to go from there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::http::dto::{Form, Funnel, Offered, Revealed, Status, StuckList, Working};
use crate::http::openapi::Types;
use crate::http::openapi::links::links;
use crate::http::openapi::parameters::{always, headers, sometimes};
use crate::http::operator::{Explained, Page};
use crate::http::problem::Body9457;
use crate::http::progress::{Change, Progress};
use crate::http::routes::{ALWAYS, Facts, Gives, Route};

impl Types {
    pub(super) fn responses(&mut self, route: Route, facts: &Facts) -> Value {
        let mut responses = Map::new();
        for (status, gives) in facts.gives {
            let mut good = self.good(*status, *gives);
            if let Some(links) = links(route) {
                good["links"] = links;
            }
            responses.insert(status.to_string(), good);
        }
        let mut codes: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
        for code in ALWAYS.iter().chain(facts.refuses) {
            codes
                .entry(code.status())
                .or_default()
                .insert(code.as_str());
        }
        let schema = self.of::<Body9457>();
        for (status, codes) in codes {
            let codes: Vec<_> = codes.into_iter().collect();
            let mut told = vec![always("X-Correlation-Id")];
            match status {
                401 => told.push(always("WWW-Authenticate")),
                409 => told.push(sometimes("Retry-After")),
                412 => told.push(always("ETag")),
                429 | 503 => told.push(always("Retry-After")),
                _ => {}
            }
            let response = json!({
                "description": codes.join(", "),
                "headers": headers(&told),
                "content": { "application/problem+json": { "schema": schema } },
            });
            responses.insert(status.to_string(), response);
        }
        Value::Object(responses)
    }

    /// One server-sent event.
    fn event(&mut self) -> Value {
        let event = |name: &str, id: Option<&str>, data: Value| {
            let json = "application/json";
            let mut fields = json!({
                "event": { "const": name },
                "data": { "type": "string", "contentMediaType": json, "contentSchema": data },
            });
            let mut required = vec!["event", "data"];
            if let Some(pattern) = id {
                fields["id"] = json!({ "type": "string", "pattern": pattern });
                required.push("id");
            }
            json!({ "type": "object", "required": required, "properties": fields })
        };
        json!({ "oneOf": [
            event("progress", Some("^[0-9]+$"), self.of::<Change>()),
            event("working", None, self.of::<Working>()),
            event("end", Some("^[0-9]+-end$"), self.of::<Status>()),
        ] })
    }

    fn good(&mut self, status: u16, gives: Gives) -> Value {
        let (about, kind, schema) = match gives {
            Gives::Nothing => {
                let mut told = vec![always("X-Correlation-Id")];
                let about = if status == 304 {
                    told.push(always("ETag"));
                    "Nothing has changed."
                } else {
                    "Everything was told."
                };
                return json!({ "description": about, "headers": headers(&told) });
            }
            Gives::Status => ("Where it is.", "application/json", self.of::<Status>()),
            Gives::Form => ("The form.", "application/json", self.of::<Form>()),
            Gives::Progress => (
                "What has happened.",
                "application/json",
                self.of::<Progress>(),
            ),
            Gives::Page => ("Onboardings.", "application/json", self.of::<Page>()),
            Gives::Explained => (
                "Where it is, and why.",
                "application/json",
                self.of::<Explained>(),
            ),
            Gives::Offered => (
                "The token.",
                "application/json",
                self.of::<Offered<'static>>(),
            ),
            Gives::Revealed => (
                "The secret.",
                "application/json",
                self.of::<Revealed<'static>>(),
            ),
            Gives::Funnel => ("How far.", "application/json", self.of::<Funnel>()),
            Gives::Stuck => ("Who is stuck.", "application/json", self.of::<StuckList>()),
            Gives::Events => {
                let about = "Events, each of which is described: `progress` and `working`, and at last `end`.";
                (about, "text/event-stream", self.event())
            }
        };
        let mut told = vec![always("X-Correlation-Id")];
        match gives {
            Gives::Status if status == 202 => {
                told.extend(["ETag", "Location", "Retry-After"].map(always));
            }
            Gives::Status => told.extend([always("ETag"), sometimes("Retry-After")]),
            Gives::Form | Gives::Explained => told.push(always("ETag")),
            Gives::Funnel | Gives::Stuck => told.push(always("Vary")),
            Gives::Nothing
            | Gives::Progress
            | Gives::Events
            | Gives::Page
            | Gives::Offered
            | Gives::Revealed => {}
        }
        let mut content = json!({ kind: { "schema": schema } });
        if matches!(gives, Gives::Funnel | Gives::Stuck) {
            content["text/csv"] = json!({ "schema": { "type": "string" } });
        }
        json!({ "description": about, "headers": headers(&told), "content": content })
    }
}
