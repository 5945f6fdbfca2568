//! The OpenAPI 3.1 document: from the table of routes and from the very types that are sent.

mod parameters;

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::flow::{Kind, Plan, PlanStep};
#[cfg(test)]
use crate::http::catalogue::Code;
use crate::http::dto::{Form, Funnel, Offered, Revealed, Status, StuckList, Token};
use crate::http::openapi::parameters::{headers, parameters};
use crate::http::operator::{Explained, Page, Waiver, Why};
use crate::http::problem::Body9457;
use crate::http::progress::{Change, Progress};
use crate::http::routes::{ALWAYS, Facts, Gives, Route, Takes};
use crate::id::SecretName;

/// The document of a flow. An answer without a schema of the host's is any JSON.
pub(super) fn document(
    plan: &Plan,
    schemas: &BTreeMap<&'static str, Value>,
    secrets: &[&SecretName],
    operators: bool,
) -> Value {
    let mut types = Types::new();
    let mut paths = Map::new();
    for route in Route::ALL {
        if route.is_operators() && !operators {
            continue;
        }
        let facts = route.facts();
        for place in places(&facts, plan, secrets) {
            if route == Route::Skip && place.step.is_some_and(|step| !step.is_optional()) {
                continue;
            }
            let operation = types.operation(route, &facts, &place);
            let at = paths.entry(place.path).or_insert_with(|| json!({}));
            if let Some(at) = at.as_object_mut() {
                at.insert(facts.method.to_owned(), operation);
            }
        }
    }
    let mut components = types.finish();
    for step in answers(plan) {
        let name = step.name().as_str();
        let schema = schemas.get(name).cloned().unwrap_or(json!({}));
        components.insert(answer(name), schema);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("Onboarding: {}", plan.flow()),
            "version": plan.version().to_string(),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "host": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "host": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Whatever the host's authorizer asks for.",
                },
            },
        },
    })
}

fn answers(plan: &Plan) -> impl Iterator<Item = &PlanStep> {
    let steps = plan.steps().iter();
    steps.filter(|step| step.kind() == Kind::Answer)
}

/// The name of an answer's schema. The dot keeps it apart from the types of the library.
fn answer(step: &str) -> String {
    format!("answer.{step}")
}

/// A path of a route, and what it is about.
struct Place<'p> {
    path: String,
    name: Option<&'p str>,
    step: Option<&'p PlanStep>,
}

/// A route's paths: one for each step, or each secret, that it is about.
fn places<'p>(facts: &Facts, plan: &'p Plan, secrets: &[&'p SecretName]) -> Vec<Place<'p>> {
    let place = |pattern: &str, name: Option<&'p str>, step| Place {
        path: facts.path.replace(pattern, name.unwrap_or(pattern)),
        name,
        step,
    };
    if facts.path.contains("{step}") {
        let steps = answers(plan);
        return steps
            .map(|step| place("{step}", Some(step.name().as_str()), Some(step)))
            .collect();
    }
    if facts.path.contains("{secret}") {
        let secrets = secrets.iter();
        return secrets
            .map(|name| place("{secret}", Some(name.as_str()), None))
            .collect();
    }
    vec![place("", None, None)]
}

/// The types that were named so far.
struct Types(SchemaGenerator);

impl Types {
    fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.definitions_path = "/components/schemas".into();
        Self(settings.into_generator())
    }

    fn of<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }

    fn finish(mut self) -> Map<String, Value> {
        self.0.take_definitions(true)
    }

    fn operation(&mut self, route: Route, facts: &Facts, place: &Place<'_>) -> Value {
        let name = match place.name {
            Some(name) => format!("{}_{name}", facts.name),
            None => facts.name.to_owned(),
        };
        let mut operation = json!({
            "operationId": name,
            "summary": facts.about,
            "tags": [if route.is_operators() { "operator" } else { "subject" }],
            "parameters": parameters(route, facts),
            "responses": self.responses(facts),
        });
        let body = match facts.takes {
            Takes::Nothing => None,
            Takes::Answer => place.step.map(|step| {
                json!({ "$ref": format!("#/components/schemas/{}", answer(step.name().as_str())) })
            }),
            Takes::Draft => Some(json!({
                "type": "object",
                "description": "Some of the answer's fields.",
            })),
            Takes::Waiver => Some(self.of::<Waiver>()),
            Takes::Why => Some(self.of::<Why>()),
            Takes::Token => Some(self.of::<Token>()),
        };
        if let (Some(schema), Some(operation)) = (body, operation.as_object_mut()) {
            let body = json!({
                "required": true,
                "content": { "application/json": { "schema": schema } },
            });
            operation.insert("requestBody".to_owned(), body);
        }
        operation
    }

    fn responses(&mut self, facts: &Facts) -> Value {
        let mut responses = Map::new();
        for (status, gives) in facts.gives {
            responses.insert(status.to_string(), self.good(*status, *gives));
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
            let response = json!({
                "description": codes.join(", "),
                "headers": headers(&["X-Correlation-Id"]),
                "content": { "application/problem+json": { "schema": schema } },
            });
            responses.insert(status.to_string(), response);
        }
        Value::Object(responses)
    }

    fn good(&mut self, status: u16, gives: Gives) -> Value {
        let (about, kind, schema) = match gives {
            Gives::Nothing => {
                let about = if status == 304 {
                    "Nothing has changed."
                } else {
                    "Everything was told."
                };
                return json!({ "description": about, "headers": headers(&["X-Correlation-Id"]) });
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
                let _ = (self.of::<Change>(), self.of::<crate::http::dto::Working>());
                let about = "Events `progress` (a Change; its id is the revision), `working` (a Working) \
                             and at last `end` (a Status).";
                let text = json!({ "type": "string" });
                (about, "text/event-stream", text)
            }
        };
        let mut names = vec!["X-Correlation-Id"];
        match gives {
            Gives::Status if status == 202 => names.extend(["ETag", "Location", "Retry-After"]),
            Gives::Status | Gives::Form | Gives::Explained => names.push("ETag"),
            Gives::Funnel | Gives::Stuck => names.push("Vary"),
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
        json!({ "description": about, "headers": headers(&names), "content": content })
    }
}

/// Every code that some route may refuse with.
#[cfg(test)]
fn refused() -> BTreeSet<&'static str> {
    let of_routes = Route::ALL
        .into_iter()
        .flat_map(|route| route.facts().refuses);
    let all = ALWAYS.iter().chain(of_routes);
    all.map(|code| code.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_described_somewhere() {
        // Of operations that have no route, or told otherwise: 405 by the router, 202 by `complete`.
        let elsewhere = [
            Code::MethodNotAllowed,
            Code::Unverified,
            Code::NotUndoing,
            Code::NothingNew,
            Code::NotDue,
        ];
        let refused = refused();
        for code in Code::ALL {
            let expected = !elsewhere.contains(code);
            assert_eq!(
                refused.contains(code.as_str()),
                expected,
                "{}",
                code.as_str()
            );
        }
    }
}
