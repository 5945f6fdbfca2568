//! Who gets in, what gets out, and what is refused before anything is done.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use onramp::Key;
use onramp::prelude::*;
use onramp::store::{Commit, CommitOutcome, Created, Error, ErrorKind, NewOnboarding, Row};
use onramp::testing::{Layer, Layered};
use serde_json::{Value, json};

use super::client::Said;
use super::flow::{CANARY, Host};

const WHO: &str = "acme/ann";

/// Every route of subjects: method, path, body.
const ROUTES: [(&str, &str, Option<&str>); 13] = [
    ("GET", "/onboarding", None),
    ("POST", "/onboarding/start", None),
    ("GET", "/onboarding/steps/company", None),
    (
        "PUT",
        "/onboarding/steps/company/draft",
        Some(r#"{"name": "x"}"#),
    ),
    ("POST", "/onboarding/steps/company/submit", Some(COMPANY)),
    ("POST", "/onboarding/steps/company/revise", Some(COMPANY)),
    ("POST", "/onboarding/steps/branding/skip", None),
    ("POST", "/onboarding/complete", None),
    ("POST", "/onboarding/retry", None),
    ("GET", "/onboarding/progress", None),
    ("GET", "/onboarding/events", None),
    ("POST", "/onboarding/secrets/api_key/offer", None),
    ("POST", "/onboarding/secrets/api_key/reveal", Some(TOKEN)),
];
const TOKEN: &str = r#"{"token": "rvl_none"}"#;
const COMPANY: &str = r#"{"name": "Acme", "employees": 7}"#;

/// Every route of operators on one onboarding.
const OPERATED: [(&str, &str, Option<&str>); 7] = [
    ("GET", "", None),
    ("POST", "/retry", None),
    ("POST", "/retry-undo", None),
    ("POST", "/cancel", None),
    (
        "POST",
        "/waive",
        Some(r#"{"step": "payment", "reason": "contract-1"}"#),
    ),
    ("POST", "/park", Some(r#"{"reason": "ticket-1"}"#)),
    ("POST", "/unpark", None),
];

#[tokio::test]
async fn every_route_asks_who_is_asking() {
    let host = Host::new();
    host.started(WHO).await;
    let id = host.client.get("/onboarding", WHO).await.json()["onboarding"].clone();
    let of = format!("/operator/onboardings/{}", id.as_str().unwrap());
    let operated = OPERATED.map(|(method, path, body)| (method, format!("{of}{path}"), body));
    let subjects = ROUTES.map(|(method, path, body)| (method, path.to_owned(), body));
    let lists = [
        "/operator/onboardings",
        "/operator/funnel",
        "/operator/stuck",
    ];
    let list = lists.map(|path| ("GET", path.to_owned(), None));
    // A subject is no operator, and an operator is no subject.
    let all = subjects.iter().map(|route| (route, "x-staff"));
    let all = all.chain(operated.iter().chain(&list).map(|route| (route, "x-who")));
    for ((method, path, body), wrong) in all {
        for headers in [&[][..], &[(wrong, WHO)]] {
            let said = host.client.call(method, path, headers, *body).await;
            assert_eq!(
                (said.status, said.code().as_str()),
                (401, "unauthenticated"),
                "{path}"
            );
            assert_eq!(said.header("www-authenticate"), "Bearer");
        }
    }
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(status["revision"], 1, "nothing was done");
}

#[tokio::test]
async fn whoever_may_not_is_told_so_and_whoever_cannot_be_known_waits() {
    let host = Host::new();
    for (method, path, body) in ROUTES {
        let banned = host
            .client
            .call(method, path, &[("x-who", "banned/a")], body)
            .await;
        assert_eq!(
            (banned.status, banned.code().as_str()),
            (403, "forbidden"),
            "{path}"
        );
        let down = host
            .client
            .call(method, path, &[("x-who", "down/a")], body)
            .await;
        assert_eq!(
            (down.status, down.code().as_str()),
            (503, "unavailable"),
            "{path}"
        );
        assert!(!down.all().contains(CANARY), "{down:?}");
    }
}

#[tokio::test]
async fn what_is_somebody_elses_is_absent_to_the_byte() {
    let host = Host::new();
    host.started(WHO).await;
    for (method, path, body) in ROUTES {
        if path.ends_with("start") {
            continue; // It begins one's own.
        }
        let tag = ("if-match", "\"1\"");
        let absent = host
            .client
            .call(method, path, &[("x-who", "nobody/x"), tag], body)
            .await;
        assert_eq!(
            (absent.status, absent.code().as_str()),
            (404, "not_found"),
            "{path}"
        );
        for other in ["acme/bob", "beta/ann"] {
            let said = host
                .client
                .call(method, path, &[("x-who", other), tag], body)
                .await;
            assert_eq!((said.status, &said.bytes), (404, &absent.bytes), "{path}");
        }
    }
}

#[tokio::test]
async fn operators_of_another_tenant_find_nothing() {
    let host = Host::new();
    host.started(WHO).await;
    let id = host.client.get("/onboarding", WHO).await.json()["onboarding"].clone();
    let real = format!("/operator/onboardings/{}", id.as_str().unwrap());
    let none = "/operator/onboardings/00000000-0000-7000-8000-000000000000";
    for (method, path, body) in OPERATED {
        let headers = [("x-staff", "beta/eve")];
        let absent = host
            .client
            .call(method, &format!("{none}{path}"), &headers, body)
            .await;
        let foreign = host
            .client
            .call(method, &format!("{real}{path}"), &headers, body)
            .await;
        assert_eq!((absent.status, foreign.status), (404, 404), "{path}");
        assert_eq!(absent.bytes, foreign.bytes, "{path}");
    }
    for path in ["/operator/onboardings", "/operator/onboardings?subject=ann"] {
        let said = host
            .client
            .staff("GET", path, "beta/eve", Value::Null)
            .await;
        assert_eq!(said.json(), json!({"onboardings": [], "next": null}));
    }
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(status["revision"], 1, "nothing was done");
}

#[tokio::test]
async fn evidence_cannot_be_posted() {
    let host = Host::new();
    host.started(WHO).await;
    let body = json!({"invoice": "forged"}).to_string();
    for (method, path) in [
        ("GET", ""),
        ("PUT", "/draft"),
        ("POST", "/submit"),
        ("POST", "/revise"),
        ("POST", "/skip"),
    ] {
        let path = format!("/onboarding/steps/payment{path}");
        let headers = [("x-who", WHO), ("if-match", "*")];
        let said = host.client.call(method, &path, &headers, Some(&body)).await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (403, "not_yours"),
            "{path}"
        );
    }
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(
        (&status["revision"], &status["completed_steps"]),
        (&json!(1), &json!([]))
    );
}

#[tokio::test]
async fn what_is_too_much_or_no_json_is_refused() {
    let host = Host::new();
    host.started(WHO).await;
    let large = format!(r#"{{"name": "{}", "employees": 1}}"#, "x".repeat(64 * 1024));
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let path = "/onboarding/steps/company/submit";
    for (body, status, code) in [
        (large.as_str(), 413, "too_large"),
        (&deep, 422, "too_deep"),
        ("{\"name\": ", 400, "malformed_json"),
        (r#"{"name": "a\u0000b", "employees": 1}"#, 422, "unstorable"),
        (r#"{"name": "\ud800", "employees": 1}"#, 422, "unstorable"),
    ] {
        let said = host
            .client
            .call("POST", path, &[("x-who", WHO)], Some(body))
            .await;
        assert_eq!((said.status, said.code().as_str()), (status, code));
        assert!(
            !said.json()["detail"].as_str().unwrap().contains('{'),
            "{said:?}"
        );
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = Request::post(format!("/api{path}"));
        let request = request.header("x-who", WHO).header("content-type", kind);
        let said = host
            .client
            .send(request.body(Body::from(COMPANY)).unwrap())
            .await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (415, "not_json"),
            "{kind}"
        );
    }
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(status["revision"], 1, "nothing was done");
}

#[tokio::test]
async fn every_response_is_marked_and_kept_by_nobody() {
    let host = Host::new();
    host.started(WHO).await;
    for (path, status) in [
        ("/onboarding", 200),
        ("/nowhere", 404),
        ("/openapi.json", 200),
    ] {
        let said = host.client.get(path, WHO).await;
        assert_eq!(said.status, status);
        assert_eq!(said.header("cache-control"), "private, no-store", "{path}");
        assert_eq!(said.header("x-content-type-options"), "nosniff");
        assert_eq!(said.header("x-correlation-id").len(), 36);
    }
    let wrong = host
        .client
        .call("DELETE", "/onboarding", &[("x-who", WHO)], None)
        .await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (405, "method_not_allowed")
    );
    assert!(wrong.header("allow").contains("GET"), "{wrong:?}");
    for (given, kept) in [
        ("abc-1", true),
        ("a b", false),
        ("a\tb", false),
        ("", false),
    ] {
        let headers = [("x-who", WHO), ("x-correlation-id", given)];
        let said = host.client.call("GET", "/onboarding", &headers, None).await;
        assert_eq!(said.header("x-correlation-id") == given, kept, "{given:?}");
    }
}

/// A store that fails, from some point on.
struct Failing {
    inner: MemoryStore,
    reads: bool,
    kind: ErrorKind,
}

impl Failing {
    fn error(&self) -> Error {
        Error::new(self.kind, CANARY).because(CANARY)
    }
}

#[async_trait]
impl Layer for Failing {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        match self.reads {
            true => Err(self.error()),
            false => self.inner.find(key).await,
        }
    }

    async fn create(&self, _: NewOnboarding) -> Result<Created, Error> {
        Err(self.error())
    }

    async fn commit(&self, _: Commit) -> Result<CommitOutcome, Error> {
        Err(self.error())
    }

    async fn of_tenant(
        &self,
        _: &onramp::store::TenantRequest,
    ) -> Result<Vec<onramp::store::Listed>, Error> {
        Err(self.error())
    }
}

fn failing(kind: ErrorKind, reads: bool) -> Host {
    let inner = MemoryStore::new();
    Host::on(Arc::new(Layered(Failing { inner, reads, kind })))
}

fn holds(said: &Said, kind: ErrorKind) {
    let (status, code) = match kind {
        ErrorKind::Unavailable | ErrorKind::Schema => (503, "unavailable"),
        ErrorKind::InDoubt => (503, "in_doubt"),
        _ => (500, "internal"),
    };
    assert_eq!(
        (said.status, said.code().as_str()),
        (status, code),
        "{said:?}"
    );
    assert!(!said.all().contains(CANARY), "{said:?}");
    assert_eq!(said.header("location"), "", "never a redirect");
    assert_eq!(said.header("retry-after").is_empty(), status == 500);
    assert_eq!(said.json()["instance"], said.header("x-correlation-id"));
}

#[tokio::test]
async fn nothing_of_what_a_store_says_gets_out() {
    for kind in [
        ErrorKind::Unavailable,
        ErrorKind::InDoubt,
        ErrorKind::Corrupt,
        ErrorKind::Schema,
        ErrorKind::Invalid,
        ErrorKind::Config,
    ] {
        let host = failing(kind, true);
        for (method, path, body) in ROUTES {
            let headers = [("x-who", WHO), ("if-match", "*")];
            holds(&host.client.call(method, path, &headers, body).await, kind);
        }
        let listed = host
            .client
            .staff("GET", "/operator/onboardings", "acme/op", Value::Null);
        holds(&listed.await, kind);
        let host = failing(kind, false);
        holds(&host.client.post("/onboarding/start", WHO).await, kind);
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_is_said_and_no_larger() {
    let host = Host::new();
    host.started(WHO).await;
    let sized = |bytes: usize| {
        let around = r#"{"name": "", "employees": 1}"#.len();
        let name = "x".repeat(bytes - around);
        format!(r#"{{"name": "{name}", "employees": 1}}"#)
    };
    let path = "/onboarding/steps/company/submit";
    for (bytes, status) in [(64 * 1024 + 1, 413), (64 * 1024, 200)] {
        let body = sized(bytes);
        let said = host
            .client
            .call("POST", path, &[("x-who", WHO)], Some(&body));
        let said = said.await;
        assert_eq!(said.status, status, "{bytes}: {}", said.code());
    }
}
