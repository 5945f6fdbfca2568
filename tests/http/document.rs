//! The OpenAPI document is current, and says what is sent.

use std::path::Path;

use serde_json::{Value, json};

use super::flow::{API_KEY, Host, api};

fn document() -> Value {
    api(Host::new().onramp).openapi()
}

/// Write it anew with `OPENAPI=write cargo test --test http openapi`.
#[test]
fn the_openapi_document_in_the_repository_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{:#}\n", document());
    if std::env::var("OPENAPI").as_deref() == Ok("write") {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "write openapi.json anew: OPENAPI=write cargo test --test http openapi"
    );
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let host = Host::new();
    let said = host.client.call("GET", "/openapi.json", &[], None).await;
    assert_eq!((said.status, said.json()), (200, document()));
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, root: &Value, seen: &mut usize) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    let found = root.pointer(reference.trim_start_matches('#'));
                    assert!(found.is_some(), "{reference}");
                    *seen += 1;
                }
                map.values().for_each(|value| walk(value, root, seen));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, root, seen)),
            _ => {}
        }
    }
    let (root, mut seen) = (document(), 0);
    walk(&root, &root, &mut seen);
    assert!(seen > 100, "{seen}");
}

/// What a value has that its schema does not allow, or lacks.
fn wrong(value: &Value, schema: &Value, root: &Value, at: &str) -> Option<String> {
    let schema = schema.as_object()?;
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let schema = root.pointer(reference.trim_start_matches('#')).unwrap();
        return wrong(value, schema, root, at);
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array)
            && choices
                .iter()
                .all(|one| wrong(value, one, root, at).is_some())
        {
            return Some(format!("{at}: none of {choice}: {value}"));
        }
    }
    if schema.get("const").is_some_and(|only| only != value)
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|all| !all.contains(value))
    {
        return Some(format!("{at}: {value} is not among {schema:?}"));
    }
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: {other}"),
    };
    let kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) => vec![kind.clone()],
        None => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(is) {
        return Some(format!("{at}: {value} is no {kinds:?}"));
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        let mut list = list.iter().enumerate();
        return list.find_map(|(n, one)| wrong(one, items, root, &format!("{at}/{n}")));
    }
    let (Some(properties), Some(object)) = (
        schema.get("properties").and_then(Value::as_object),
        value.as_object(),
    ) else {
        return None;
    };
    for required in schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if !object.contains_key(required.as_str().unwrap()) {
            return Some(format!("{at}: {required} is missing"));
        }
    }
    object
        .iter()
        .find_map(|(name, value)| match properties.get(name) {
            Some(schema) => wrong(value, schema, root, &format!("{at}/{name}")),
            None => Some(format!("{at}: {name} is not described")),
        })
}

#[tokio::test]
async fn what_is_sent_is_what_is_described() {
    let root = document();
    let host = Host::new();
    let client = &host.client;
    let mut checked = std::collections::BTreeSet::new();
    let mut check = |method: &str, path: &str, said: super::client::Said| {
        let pointer = path.replace('/', "~1");
        let kind = said.header("content-type").replace('/', "~1");
        let place = format!(
            "/paths/{pointer}/{method}/responses/{}/content/{kind}/schema",
            said.status
        );
        let schema = root
            .pointer(&place)
            .unwrap_or_else(|| panic!("{place} is not described"));
        assert_eq!(wrong(&said.json(), schema, &root, path), None, "{said:?}");
        checked.insert((path.to_owned(), said.status));
    };
    let who = "acme/ann";
    let company = "/onboarding/steps/company";
    check("get", "/onboarding", client.get("/onboarding", who).await);
    host.open.store(false, std::sync::atomic::Ordering::SeqCst);
    check(
        "post",
        "/onboarding/start",
        client.post("/onboarding/start", who).await,
    );
    host.open.store(true, std::sync::atomic::Ordering::SeqCst);
    check(
        "post",
        "/onboarding/start",
        client.post("/onboarding/start", who).await,
    );
    check("get", "/onboarding", client.get("/onboarding", who).await);
    check("get", company, client.get(company, who).await);
    let submit = format!("{company}/submit");
    let bad = json!({"name": 1});
    check("post", &submit, client.give(&submit, who, bad).await);
    let good = json!({"name": "a", "employees": 1});
    check("post", &submit, client.give(&submit, who, good).await);
    let complete = "/onboarding/complete";
    check("post", complete, client.post(complete, who).await);
    host.pay("acme", "ann").await;
    let skip = "/onboarding/steps/branding/skip";
    check("post", skip, client.post(skip, who).await);
    check("post", complete, client.post(complete, who).await);
    check(
        "get",
        "/onboarding/progress",
        client.get("/onboarding/progress", who).await,
    );
    host.keep("ann", &API_KEY, "sk-1".to_owned()).await;
    check("get", "/onboarding", client.get("/onboarding", who).await);
    let offer = "/onboarding/secrets/api_key/offer";
    let offered = client.post(offer, who).await;
    let token = offered.json();
    check("post", offer, offered);
    check("post", offer, client.post(offer, who).await);
    let reveal = "/onboarding/secrets/api_key/reveal";
    for _ in 0..2 {
        let said = client.give(reveal, who, token.clone()).await;
        check("post", reveal, said);
    }
    host.started("acme/bob").await;
    let list = "/operator/onboardings";
    let listed = client.staff("GET", list, "acme/op", Value::Null).await;
    let id = listed.json()["onboardings"][1]["onboarding"]
        .as_str()
        .unwrap()
        .to_owned();
    check("get", list, listed);
    let explained = client
        .staff("GET", &format!("{list}/{id}"), "acme/op", Value::Null)
        .await;
    check("get", "/operator/onboardings/{onboarding}", explained);
    let week = std::time::Duration::from_secs(8 * 24 * 60 * 60);
    host.clock.advance(week);
    for path in ["/operator/funnel", "/operator/stuck"] {
        let said = client.staff("GET", path, "acme/op", Value::Null).await;
        check("get", path, said);
    }
    assert!(checked.len() >= 19, "{checked:?}");
}

#[test]
fn a_wrong_value_is_found() {
    let root = document();
    let schema = json!({"$ref": "#/components/schemas/Times"});
    let good = json!({"first_seen": "x", "first_login": null, "started": null, "completed": null});
    assert_eq!(wrong(&good, &schema, &root, ""), None);
    for (name, value) in [
        ("first_seen", json!(7)),
        ("more", json!(1)),
        ("started", json!({})),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(wrong(&bad, &schema, &root, "").is_some(), "{name}");
    }
    let bad = json!({"first_seen": "x"});
    assert!(
        wrong(&bad, &schema, &root, "").is_some()
            || root.pointer("/components/schemas/Times/required").is_some()
    );
}
