//! What third parties say: believed when it is signed, once, in whatever order.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use onramp::http::webhook::{Attested, Forged, Verifier, attest};
use onramp::prelude::*;
use onramp::{Clock, SystemClock};
use sha2::Sha256;

use super::flow::{Host, Paid, Signup};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BODY: &[u8] = b"{\"invoice\":\"inv-1\"}";

#[derive(Clone, Copy)]
struct At(DateTime<Utc>);
impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

fn signed(secret: &str, id: &str, at: i64, body: &[u8]) -> HeaderMap {
    let secret = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signature),
    ];
    let headers =
        headers.map(|(name, value)| (name.parse().unwrap(), HeaderValue::try_from(value).unwrap()));
    HeaderMap::from_iter(headers)
}

fn now() -> i64 {
    SystemClock.now().timestamp()
}

#[test]
fn the_example_of_the_standard_is_genuine() {
    let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
    let verifier = Verifier::new(SECRET).unwrap().with_clock(At(at));
    let mut headers = HeaderMap::new();
    headers.insert(
        "webhook-id",
        HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek"),
    );
    headers.insert("webhook-timestamp", HeaderValue::from_static("1614265330"));
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    headers.insert("webhook-signature", HeaderValue::from_static(signature));
    let genuine = verifier
        .verify(&headers, br#"{"test": 2432232314}"#)
        .unwrap();
    assert_eq!(genuine.id(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
}

#[test]
fn what_is_forged_or_replayed_is_not_believed() {
    let verifier = Verifier::new(SECRET).unwrap();
    let good = signed(SECRET, "m-1", now(), BODY);
    let _ = verifier.verify(&good, BODY).unwrap();
    let refused = |headers: &HeaderMap, body: &[u8]| verifier.verify(headers, body).err();

    assert_eq!(
        refused(&good, b"{\"invoice\":\"inv-2\"}"),
        Some(Forged::Signature)
    );
    assert_eq!(
        refused(&signed(OTHER, "m-1", now(), BODY), BODY),
        Some(Forged::Signature)
    );
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut bad = good.clone();
        bad.remove(name);
        assert_eq!(refused(&bad, BODY), Some(Forged::Missing(name)));
        // Two of them: somebody could read the other one.
        let mut bad = good.clone();
        let twice = good.get(name).unwrap().clone();
        bad.append(axum::http::HeaderName::from_static(name), twice);
        assert_eq!(refused(&bad, BODY), Some(Forged::Unreadable(name)));
    }
    for (name, value) in [("webhook-id", "m-2"), ("webhook-timestamp", "1614265330")] {
        let mut bad = good.clone();
        bad.insert(name, HeaderValue::from_static(value));
        assert_eq!(
            refused(&bad, BODY),
            Some(Forged::Signature),
            "{name} is signed too"
        );
    }
    for garbage in ["v1,", "v1", "v2,AAAA", "v1,????", "v1a,AAAA"] {
        let mut bad = good.clone();
        bad.insert("webhook-signature", HeaderValue::from_static(garbage));
        assert_eq!(refused(&bad, BODY), Some(Forged::Signature), "{garbage}");
    }
    let old = signed(SECRET, "m-1", now() - 301, BODY);
    assert_eq!(refused(&old, BODY), Some(Forged::Old));
    let early = signed(SECRET, "m-1", now() + 310, BODY);
    assert_eq!(refused(&early, BODY), Some(Forged::Early));
    let patient = Verifier::new(SECRET)
        .unwrap()
        .window(Duration::from_secs(3_600));
    assert!(patient.verify(&old, BODY).is_ok());
}

#[test]
fn while_secrets_are_rotated_either_is_good() {
    let verifier = Verifier::new(SECRET).unwrap().or(OTHER).unwrap();
    for secret in [SECRET, OTHER] {
        assert!(
            verifier
                .verify(&signed(secret, "m-1", now(), BODY), BODY)
                .is_ok()
        );
    }
    let text = format!("{verifier:?}");
    assert!(
        !text.contains("MfKQ") && text.contains("secrets: 2"),
        "{text}"
    );
}

async fn told(host: &Host, message: &str, subject: &str, invoice: &str) -> Attested {
    let verifier = Verifier::new(SECRET).unwrap();
    let headers = signed(SECRET, message, now(), BODY);
    let genuine = verifier.verify(&headers, BODY).unwrap();
    let (tenant, subject) = (
        TenantId::new("acme").unwrap(),
        SubjectId::new(subject).unwrap(),
    );
    let paid = Paid {
        invoice: invoice.into(),
    };
    attest::<Signup, Paid>(&host.onramp, &genuine, (&tenant, &subject), paid)
        .await
        .unwrap()
}

async fn invoice(host: &Host, subject: &str) -> String {
    let (tenant, subject) = (
        TenantId::new("acme").unwrap(),
        SubjectId::new(subject).unwrap(),
    );
    let found = host.onramp.open(&tenant, &subject).await.unwrap().unwrap();
    let paid = host.onramp.fact::<Paid>(&tenant, found.id()).await.unwrap();
    paid.unwrap().invoice
}

#[tokio::test]
async fn evidence_is_kept_whenever_it_comes_and_counts_once() {
    let host = Host::new();
    // Before the subject was ever seen.
    assert_eq!(told(&host, "m-1", "early", "first").await, Attested::Kept);
    host.started("acme/early").await;
    assert_eq!(told(&host, "m-1", "early", "first").await, Attested::Known);
    // Another message, after it: the first one counts.
    assert_eq!(told(&host, "m-0", "early", "second").await, Attested::Known);
    assert_eq!(invoice(&host, "early").await, "first");

    host.started("acme/ann").await;
    assert_eq!(told(&host, "m-2", "ann", "first").await, Attested::Kept);
    let status = host.client.get("/onboarding", "acme/ann").await.json();
    assert_eq!(status["completed_steps"], serde_json::json!(["payment"]));

    host.completed("acme", "done").await;
    assert_eq!(told(&host, "m-3", "done", "late").await, Attested::Known);
    assert_eq!(invoice(&host, "done").await, "inv-1");
}

#[tokio::test]
async fn after_a_failure_it_is_kept_for_the_next_try() {
    let host = Host::new();
    host.started("acme/ann").await;
    let id = host.client.get("/onboarding", "acme/ann").await.json()["onboarding"].clone();
    let path = format!("/operator/onboardings/{}/cancel", id.as_str().unwrap());
    host.client
        .staff("POST", &path, "acme/op", serde_json::Value::Null)
        .await;
    let engine = Engine::builder(std::sync::Arc::clone(host.onramp.store()));
    engine
        .flow(host.onramp.flow())
        .build()
        .run_until_idle()
        .await
        .unwrap();
    let status = host.client.get("/onboarding", "acme/ann").await.json();
    assert_eq!(status["stage"], "failed");
    assert_eq!(told(&host, "m-1", "ann", "first").await, Attested::Kept);
    let retried = host.client.post("/onboarding/retry", "acme/ann").await;
    assert_eq!(
        (retried.status, &retried.json()["stage"]),
        (202, &"in_progress".into())
    );
    assert_eq!(invoice(&host, "ann").await, "first");
}

#[tokio::test]
async fn the_same_message_many_times_at_once_counts_once() {
    let host = std::sync::Arc::new(Host::new());
    host.started("acme/ann").await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let host = std::sync::Arc::clone(&host);
        all.spawn(async move { told(&host, "m-1", "ann", "first").await });
    }
    let all = all.join_all().await;
    assert!(
        all.iter()
            .all(|said| matches!(said, Attested::Kept | Attested::Known))
    );
    let status = host.client.get("/onboarding", "acme/ann").await.json();
    assert_eq!(status["revision"], 2);
}
