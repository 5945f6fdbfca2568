//! The OpenAPI 3.1 document: from the table of routes and from the very types that are sent.

mod links;
mod parameters;
mod responses;

use std::collections::BTreeMap;
#[cfg(test)]
use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::flow::{Kind, Plan, PlanStep};
#[cfg(test)]
use crate::http::catalogue::Code;
use crate::http::dto::Token;
use crate::http::openapi::parameters::parameters;
use crate::http::operator::{Waiver, Why};
#[cfg(test)]
use crate::http::routes::ALWAYS;
use crate::http::routes::{Facts, Route, Takes};
use crate::id::SecretName;

pub(super) use parameters::TEXT;

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
        "paths": paths,
        "components": { "schemas": components, "securitySchemes": callers(operators) },
    })
}

/// The kinds of callers. What they show is the host's affair; a bearer token stands for it.
fn callers(operators: bool) -> Value {
    let bearer = |about: &str| json!({ "type": "http", "scheme": "bearer", "description": about });
    let mut callers = Map::new();
    let about = "Whatever the host's authorizer asks of subjects.";
    callers.insert("subject".to_owned(), bearer(about));
    if operators {
        let about = "Whatever the host's authorizer asks of operators.";
        callers.insert("operator".to_owned(), bearer(about));
    }
    Value::Object(callers)
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
        let caller = match route.is_operators() {
            true => "operator",
            false => "subject",
        };
        let mut operation = json!({
            "operationId": name,
            "summary": facts.about,
            "tags": [caller],
            "security": [{ caller: [] }],
            "parameters": parameters(route, facts),
            "responses": self.responses(route, facts),
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
