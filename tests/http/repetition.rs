//! The same wish twice counts once.

use serde_json::json;

use super::flow::Host;

const WHO: &str = "acme/ann";
const SUBMIT: &str = "/onboarding/steps/company/submit";

fn company(name: &str) -> String {
    json!({"name": name, "employees": 7}).to_string()
}

#[tokio::test]
async fn a_repeated_submit_gives_the_first_result_to_the_byte() {
    let host = Host::new();
    host.started(WHO).await;
    let keyed = [("x-who", WHO), ("idempotency-key", "k-1")];
    let body = company("Acme");
    let first = host.client.call("POST", SUBMIT, &keyed, Some(&body)).await;
    assert_eq!(first.status, 200, "{first:?}");
    host.pay("acme", "ann").await;
    let again = host.client.call("POST", SUBMIT, &keyed, Some(&body)).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    assert_eq!(again.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn it_is_repeated_also_when_everything_is_over() {
    let host = Host::new();
    host.started(WHO).await;
    let keyed = [("x-who", WHO), ("idempotency-key", "k-1")];
    let body = company("Acme");
    let first = host.client.call("POST", SUBMIT, &keyed, Some(&body)).await;
    host.pay("acme", "ann").await;
    host.client
        .post("/onboarding/steps/branding/skip", WHO)
        .await;
    assert_eq!(
        host.client.post("/onboarding/complete", WHO).await.status,
        200
    );
    let again = host.client.call("POST", SUBMIT, &keyed, Some(&body)).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    let other = host
        .client
        .call("POST", SUBMIT, &keyed, Some(&company("Beta")))
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (422, "idempotency_key_reused")
    );
}

#[tokio::test]
async fn a_key_serves_one_payload() {
    let host = Host::new();
    host.started(WHO).await;
    let keyed = [("x-who", WHO), ("idempotency-key", "k-1")];
    host.client
        .call("POST", SUBMIT, &keyed, Some(&company("Acme")))
        .await;
    let other = host
        .client
        .call("POST", SUBMIT, &keyed, Some(&company("Beta")))
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (422, "idempotency_key_reused")
    );
    let step = "/onboarding/steps/branding/submit";
    let body = json!({"color": "red"}).to_string();
    let other = host.client.call("POST", step, &keyed, Some(&body)).await;
    assert_eq!(other.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn nobody_meets_the_keys_of_others() {
    let host = Host::new();
    for who in [WHO, "acme/bob", "beta/ann"] {
        host.started(who).await;
        let keyed = [("x-who", who), ("idempotency-key", "k-1")];
        let body = company(who);
        let said = host.client.call("POST", SUBMIT, &keyed, Some(&body)).await;
        assert_eq!(said.status, 200, "{said:?}");
    }
}

#[tokio::test]
async fn at_once_is_once_too() {
    let host = Host::new();
    host.started(WHO).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = host.client.clone();
        all.spawn(async move {
            let keyed = [("x-who", WHO), ("idempotency-key", "k-1")];
            client
                .call("POST", SUBMIT, &keyed, Some(&company("Acme")))
                .await
        });
    }
    let all = all.join_all().await;
    assert!(
        all.iter()
            .all(|said| said.status == 200 && said.bytes == all[0].bytes)
    );
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(status["revision"], 2, "begun, answered");
}

#[tokio::test]
async fn a_hundred_starts_begin_one() {
    let host = Host::new();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client = host.client.clone();
        all.spawn(async move { client.post("/onboarding/start", WHO).await });
    }
    let said = all.join_all().await;
    assert!(said.iter().all(|said| said.status == 202));
    let onboarding = |said: &super::client::Said| said.json()["onboarding"].clone();
    let first = onboarding(&said[0]);
    assert!(said.iter().all(|said| onboarding(said) == first));
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(status["revision"], 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let host = Host::new();
    host.started(WHO).await;
    let long = "k".repeat(256);
    for key in ["", &long] {
        let keyed = [("x-who", WHO), ("idempotency-key", key)];
        let said = host
            .client
            .call("POST", SUBMIT, &keyed, Some(&company("Acme")))
            .await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (400, "bad_header"),
            "{key:?}"
        );
    }
}
