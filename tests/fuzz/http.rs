//! Requests of any kind, through the router as a host mounts it: no answer is a failure of the server, and
//! whatever is refused says why.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use onramp::prelude::*;
use serde_json::Value;
use tower::ServiceExt as _;

use super::dice::{Dice, Hunt};
use super::mutate;
use crate::host::{API_KEY, Host};

/// Where it goes, and a body that would be right there.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/onboarding", ""),
    ("POST", "/onboarding/start", ""),
    ("GET", "/onboarding/steps/company", ""),
    (
        "PUT",
        "/onboarding/steps/company/draft",
        r#"{"name": "Acme", "employees": 7}"#,
    ),
    (
        "POST",
        "/onboarding/steps/company/submit",
        r#"{"name": "Acme", "employees": 7}"#,
    ),
    (
        "POST",
        "/onboarding/steps/company/revise",
        r#"{"name": "Ümlaut 🦀", "employees": 1}"#,
    ),
    (
        "POST",
        "/onboarding/steps/branding/submit",
        r##"{"color": "#ff0000"}"##,
    ),
    ("POST", "/onboarding/steps/branding/skip", ""),
    (
        "POST",
        "/onboarding/steps/payment/submit",
        r#"{"invoice": "inv-1"}"#,
    ),
    ("POST", "/onboarding/complete", ""),
    ("POST", "/onboarding/retry", ""),
    ("GET", "/onboarding/progress?after=1&limit=2", ""),
    ("GET", "/onboarding/events", ""),
    ("POST", "/onboarding/secrets/api_key/offer", ""),
    (
        "POST",
        "/onboarding/secrets/api_key/reveal",
        r#"{"token": "rvl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"}"#,
    ),
    (
        "GET",
        "/operator/onboardings?limit=3&after=ID&subject=ann",
        "",
    ),
    ("GET", "/operator/onboardings/ID", ""),
    ("POST", "/operator/onboardings/ID/retry", ""),
    ("POST", "/operator/onboardings/ID/retry-undo", ""),
    ("POST", "/operator/onboardings/ID/cancel", ""),
    (
        "POST",
        "/operator/onboardings/ID/waive",
        r#"{"step": "branding", "reason": "contract-1"}"#,
    ),
    (
        "POST",
        "/operator/onboardings/ID/park",
        r#"{"reason": "ticket-1"}"#,
    ),
    ("POST", "/operator/onboardings/ID/unpark", ""),
    (
        "GET",
        "/operator/funnel?from=2026-01-01T00:00:00Z&to=2027-01-01&version=3",
        "",
    ),
    ("GET", "/operator/stuck?older_than_hours=1&limit=9", ""),
    ("GET", "/openapi.json", ""),
];

const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "TRACE", "ACME",
];

const HEADERS: &[(&str, &str)] = &[
    ("if-match", "\"3\""),
    ("if-none-match", "W/\"3\", \"4\""),
    ("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ("last-event-id", "3-end"),
    ("accept", "text/csv;q=0.8, application/json"),
    ("accept-language", "de-AT, en;q=0.5"),
    ("x-correlation-id", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ("content-type", "application/json; charset=utf-8"),
    ("content-length", "7"),
    ("transfer-encoding", "chunked"),
    ("expect", "100-continue"),
];

/// Who asks is the host's own affair, so it is left as it is.
const PEOPLE: &[(&str, &str)] = &[
    ("x-who", "acme/ann"),
    ("x-who", "acme/bob"),
    ("x-who", "acme/cem"),
    ("x-who", "globex/ann"),
    ("x-who", "banned/ann"),
    ("x-staff", "acme/sue"),
    ("x-staff", "globex/sue"),
    ("x-nobody", "acme/ann"),
];

/// A path with another value of one of its parameters, if it has any.
fn asked(dice: &mut Dice, path: &str) -> String {
    let places: Vec<_> = path.match_indices('=').map(|(at, _)| at + 1).collect();
    if places.is_empty() {
        return path.to_owned();
    }
    let (before, rest) = path.split_at(*dice.pick(&places));
    let end = rest.find('&').unwrap_or(rest.len());
    let value = match dice.once_in(2) {
        true => mutate::odd(dice).to_owned(),
        false => mutate::text(dice, &rest[..end]),
    };
    let escaped = |byte: u8| format!("%{byte:02x}");
    let value: String = value.bytes().take(200).map(escaped).collect();
    format!("{before}{value}{}", &rest[end..])
}

fn request(dice: &mut Dice, ids: &[String]) -> Option<Request<Body>> {
    let (method, path, body) = *dice.pick(ROUTES);
    let method = if dice.once_in(8) {
        *dice.pick(METHODS)
    } else {
        method
    };
    let path = path.replace("ID", dice.pick(ids).as_str());
    let path = match dice.below(4) {
        0 => mutate::text(dice, &path),
        1 | 2 => asked(dice, &path),
        _ => path,
    };
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).ok()?)
        .uri(format!("/api{path}"));
    for _ in 0..=dice.below(3) {
        let (name, value) = *dice.pick(HEADERS);
        let value = if dice.once_in(2) {
            mutate::bytes(dice, value.as_bytes())
        } else {
            value.into()
        };
        request = request.header(name, value);
    }
    let (name, who) = match path.contains("/operator") && !dice.once_in(6) {
        true => ("x-staff", "acme/sue"),
        false => *dice.pick(PEOPLE),
    };
    request = request
        .header(name, who)
        .header("x-proof", *dice.pick(&["0", "99999", "foreign"]));
    let body = match dice.below(3) {
        0 => body.as_bytes().to_vec(),
        1 => mutate::json(dice, body).into_bytes(),
        _ => mutate::bytes(dice, body.as_bytes()),
    };
    if !dice.once_in(5) {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body)).ok()
}

/// Sends it, and holds the answer to what every answer is.
async fn sent(host: &Host, request: Request<Body>) {
    let told = format!("{request:?}");
    let head = request.method() == Method::HEAD;
    // The rest of the addresses are the host's.
    let path = request.uri().path();
    let is_ours = path.starts_with("/api/") && path != "/api/";
    let response = host.client.0.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    assert!(status < 500, "{status} to {told}");
    assert!(
        response.headers().contains_key("x-correlation-id") || !is_ours,
        "{told}"
    );
    let kind = response.headers().get("content-type").cloned();
    let kind = kind.as_ref().map_or("", |kind| kind.to_str().unwrap());
    if kind == "text/event-stream" {
        // It goes on for as long as somebody listens.
        return;
    }
    let body = tokio::time::timeout(
        Duration::from_secs(5),
        to_bytes(response.into_body(), 1 << 20),
    );
    let body = body.await.unwrap().unwrap();
    if status >= 400 && is_ours && !head {
        assert_eq!(kind, "application/problem+json", "{status} to {told}");
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["status"], status, "{told}");
        assert!(
            problem["code"].is_string() && problem["title"].is_string(),
            "{problem}"
        );
    }
}

async fn host(store: Arc<dyn Store>) -> (Host, Vec<String>) {
    let host = Host::on(store);
    host.completed("acme", "bob").await;
    host.started("acme/ann").await;
    host.keep("ann", &API_KEY, "sk-1".to_owned()).await;
    let ids = host.onramp.store().list(None, 9).await.unwrap();
    (
        host,
        ids.iter().map(|listed| listed.id.to_string()).collect(),
    )
}

fn hunted(name: &'static str, store: impl AsyncFn() -> Arc<dyn Store>) {
    let hunt = Hunt::named(name);
    let fresh = async || host(store().await).await;
    let mut served = hunt.runtime.block_on(fresh());
    let mut left = 200;
    hunt.run(async |dice: &mut Dice| {
        if left == 0 {
            // Whatever can be wished has been, and little is possible any more.
            (served, left) = (fresh().await, 200);
        }
        left -= 1;
        for _ in 0..5 {
            if let Some(request) = request(dice, &served.1) {
                sent(&served.0, request).await;
            }
        }
    });
}

#[test]
fn no_request_is_a_failure_of_the_server() {
    hunted("no_request_is_a_failure_of_the_server", async || {
        Arc::new(MemoryStore::new()) as Arc<dyn Store>
    });
}

#[test]
fn no_request_is_a_failure_of_the_server_on_a_database_either() {
    let folder = tempfile::tempdir().unwrap();
    hunted(
        "no_request_is_a_failure_of_the_server_on_a_database_either",
        async || {
            let path = folder.path().join(format!("{}.db", uuid::Uuid::now_v7()));
            Arc::new(SqliteStore::open(path).await.unwrap()) as Arc<dyn Store>
        },
    );
}
