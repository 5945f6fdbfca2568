//! Where to go from a response: what it says is an argument of what comes next.

use serde_json::{Map, Value, json};

use crate::http::routes::{Gives, Route};

/// From a list to each of its onboardings and to its next page, and from one onboarding to whatever can
/// be done to it.
pub(super) fn links(route: Route) -> Option<Value> {
    let facts = route.facts();
    let (_, gives) = facts.gives.first()?;
    let mut links = Map::new();
    let mut link = |to: Route, parameter: &str, from: &str| {
        let name = to.facts().name;
        let link = json!({ "operationId": name, "parameters": { parameter: from } });
        links.insert(name.to_owned(), link);
    };
    let onboarding = match gives {
        Gives::Page => {
            link(Route::List, "after", "$response.body#/next");
            "$response.body#/onboardings/0/onboarding"
        }
        Gives::Explained => "$response.body#/status/onboarding",
        Gives::Status if route.is_operators() => "$response.body#/onboarding",
        _ => return None,
    };
    let about_one = |route: &Route| route.facts().path.contains("{onboarding}");
    for to in Route::ALL.into_iter().filter(about_one) {
        link(to, "onboarding", onboarding);
    }
    Some(Value::Object(links))
}
