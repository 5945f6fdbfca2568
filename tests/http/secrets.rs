//! A secret is shown once: to its subject, by the token that was offered.

use std::collections::BTreeMap;
use std::time::Duration;

use onramp::http::Api;
use onramp::vault::RevealToken;
use serde_json::{Value, json};

use super::client::{Client, Said};
use super::flow::{API_KEY, CANARY, Host, OPENAI, Sessions};
use super::log::Log;

const WHO: &str = "acme/ann";
const KEY: &str = "sk-canary-4242";
const OFFER: &str = "/onboarding/secrets/api_key/offer";
const REVEAL: &str = "/onboarding/secrets/api_key/reveal";

/// Ann is through, and has a key.
async fn through() -> Host {
    let host = Host::new();
    host.completed("acme", "ann").await;
    host.keep("ann", &API_KEY, KEY.to_owned()).await;
    host
}

async fn offered(host: &Host, headers: &[(&str, &str)]) -> Said {
    let headers = [&[("x-who", WHO)], headers].concat();
    host.client.call("POST", OFFER, &headers, None).await
}

/// The body that shows the key.
async fn token(host: &Host, headers: &[(&str, &str)]) -> Value {
    let said = offered(host, headers).await;
    assert_eq!(said.status, 200, "{}", said.status);
    said.json()
}

async fn reveal(host: &Host, body: &Value) -> Said {
    host.client.give(REVEAL, WHO, body.clone()).await
}

fn refused(said: &Said, status: u16, code: &str) {
    assert_eq!((said.status, said.code().as_str()), (status, code));
    assert!(!said.all().contains(KEY));
}

/// What the status says of the key.
async fn state(host: &Host) -> Value {
    let status = host.client.get("/onboarding", WHO).await.json();
    status["secrets"][0]["state"].clone()
}

/// Another token for the same offer: its verifier is wrong.
fn forged(body: &Value) -> Value {
    let token = body["token"].as_str().unwrap();
    let last = if token.ends_with('A') { "B" } else { "A" };
    json!({ "token": format!("{}{last}", &token[..token.len() - 1]) })
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_by_no_cache() {
    let host = through().await;
    assert_eq!(state(&host).await, "ready");
    let first = offered(&host, &[]).await;
    assert_eq!(first.header("cache-control"), "private, no-store");
    assert_eq!(state(&host).await, "offered");
    let shown = reveal(&host, &first.json()).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.json(), json!({"encoding": "text", "secret": KEY}));
    assert_eq!(shown.header("cache-control"), "private, no-store");
    assert_eq!(state(&host).await, "shown");
    refused(&reveal(&host, &first.json()).await, 410, "reveal_used");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_written_in_base64() {
    let host = through().await;
    host.keep("ann", &API_KEY, vec![0xff, 0x00, 0x01]).await;
    let body = token(&host, &[]).await;
    let shown = reveal(&host, &body).await.json();
    assert_eq!(shown, json!({"encoding": "base64", "secret": "/wAB"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_reveal_at_once_one_wins() {
    let host = through().await;
    let body = token(&host, &[]).await;
    let all = (0..50).map(|_| {
        let (client, body) = (host.client.clone(), body.clone());
        tokio::spawn(async move { client.give(REVEAL, WHO, body).await })
    });
    let all: Vec<_> = all.collect();
    let mut outcomes = BTreeMap::new();
    for one in all {
        let said = one.await.unwrap();
        assert_eq!(said.all().contains(KEY), said.status == 200);
        let code = said.code();
        *outcomes.entry((said.status, code)).or_insert(0) += 1;
    }
    let expected = [
        ((200, "no problem".to_owned()), 1),
        ((410, "reveal_used".to_owned()), 49),
    ];
    assert_eq!(outcomes, BTreeMap::from(expected));
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_the_fifth_burns_the_right_one() {
    let host = through().await;
    let body = token(&host, &[]).await;
    for _ in 0..5 {
        refused(&reveal(&host, &forged(&body)).await, 403, "proof_needed");
    }
    assert_eq!(state(&host).await, "burnt");
    refused(&reveal(&host, &body).await, 410, "reveal_burnt");
}

#[tokio::test]
async fn a_token_of_an_older_offer_shows_nothing_and_is_not_counted() {
    let host = through().await;
    let old = token(&host, &[]).await;
    let new = token(&host, &[("x-proof", "0")]).await;
    for _ in 0..9 {
        refused(&reveal(&host, &old).await, 403, "proof_needed");
    }
    assert_eq!(reveal(&host, &new).await.json()["secret"], KEY);
}

#[tokio::test]
async fn a_token_is_of_a_quarter_of_an_hour() {
    let host = through().await;
    let body = token(&host, &[]).await;
    host.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(state(&host).await, "expired");
    refused(&reveal(&host, &body).await, 410, "reveal_expired");
}

#[tokio::test]
async fn nothing_is_shown_before_it_is_offered_nor_offered_before_it_is_time() {
    let host = Host::new();
    host.started(WHO).await;
    host.keep("ann", &API_KEY, KEY.to_owned()).await;
    assert_eq!(state(&host).await, "too_early");
    refused(&offered(&host, &[]).await, 409, "too_early_to_show");
    let done = through().await;
    let other = token(&through().await, &[]).await;
    refused(&reveal(&done, &other).await, 409, "not_offered");
    assert_eq!(reveal(&done, &token(&done, &[]).await).await.status, 200);
}

#[tokio::test]
async fn who_asks_again_proves_again_who_they_are() {
    let host = through().await;
    let first = token(&host, &[]).await;
    for (proof, status, code) in [
        (None, 403, "proof_needed"),
        (Some("301"), 403, "proof_needed"),
        (Some("down"), 503, "unavailable"),
        (Some("foreign"), 500, "internal"),
    ] {
        let headers: Vec<_> = proof.iter().map(|proof| ("x-proof", *proof)).collect();
        let said = offered(&host, &headers).await;
        refused(&said, status, code);
        assert!(!said.all().contains(CANARY));
    }
    assert_eq!(reveal(&host, &first).await.status, 200, "it serves still");
    let again = token(&host, &[("x-proof", "60")]).await;
    assert_eq!(reveal(&host, &again).await.json()["secret"], KEY);
}

#[tokio::test]
async fn without_anybody_to_tell_of_proofs_a_secret_is_offered_once() {
    let host = through().await;
    let api = Api::new(host.onramp.clone()).vault(host.vault.clone(), [API_KEY]);
    let router = api.authorize(Sessions).into_router();
    let client = Client::of(axum::Router::new().nest("/api", router));
    assert_eq!(client.post(OFFER, WHO).await.status, 200);
    let headers = [("x-who", WHO), ("x-proof", "0")];
    let again = client.call("POST", OFFER, &headers, None).await;
    refused(&again, 403, "proof_needed");
}

#[tokio::test]
async fn what_is_absent_or_somebody_elses_or_the_hosts_is_the_same_to_the_byte() {
    let host = through().await;
    host.keep("ann", &OPENAI, "sk-of-the-host".to_owned()).await;
    host.completed("acme", "bob").await;
    host.completed("beta", "ann").await;
    let body = token(&host, &[]).await;
    let told = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(told["secrets"].as_array().unwrap().len(), 1);
    let nobody = host.client.post(OFFER, "nobody/x").await;
    refused(&nobody, 404, "not_found");
    for (who, name) in [
        ("acme/bob", "api_key"),
        ("beta/ann", "api_key"),
        ("nobody/x", "api_key"),
        (WHO, "openai"),
        (WHO, "nothing"),
        (WHO, "API%20KEY"),
    ] {
        let at = |what: &str| format!("/onboarding/secrets/{name}/{what}");
        let offer = host.client.post(&at("offer"), who).await;
        let shown = host.client.give(&at("reveal"), who, body.clone()).await;
        for said in [offer, shown] {
            assert_eq!((said.status, &said.bytes), (404, &nobody.bytes), "{name}");
        }
    }
    assert_eq!(
        reveal(&host, &body).await.status,
        200,
        "nothing was used up"
    );
}

#[tokio::test]
async fn without_a_vault_there_is_nothing_to_be_shown() {
    let host = through().await;
    let router = Api::new(host.onramp.clone()).authorize(Sessions);
    let document = router.openapi().to_string();
    assert!(!document.contains("/onboarding/secrets"));
    let client = Client::of(axum::Router::new().nest("/api", router.into_router()));
    refused(&client.post(OFFER, WHO).await, 404, "not_found");
    assert_eq!(
        client.get("/onboarding", WHO).await.json()["secrets"],
        Value::Null
    );
}

#[tokio::test]
async fn who_acts_for_a_subject_does_not_see_its_secrets() {
    let host = through().await;
    let body = token(&host, &[]).await;
    let headers = [("x-who", WHO), ("x-for", "1")];
    let text = body.to_string();
    for (path, body) in [(OFFER, None), (REVEAL, Some(text.as_str()))] {
        let said = host.client.call("POST", path, &headers, body).await;
        refused(&said, 403, "not_yours");
    }
    assert_eq!(reveal(&host, &body).await.status, 200);
}

#[tokio::test]
async fn a_token_goes_in_the_body_and_is_quoted_to_nobody() {
    let host = through().await;
    let body = token(&host, &[]).await;
    let token = body["token"].as_str().unwrap();
    let broken = [
        json!(token),
        json!({ "token": [token] }),
        json!({ "token": token, token: 1 }),
        json!({ "token": format!("{token}A") }),
        json!({ "token": "" }),
        json!({}),
    ];
    for bad in broken {
        let said = reveal(&host, &bad).await;
        refused(&said, 422, "invalid_answer");
        assert_eq!(said.json()["errors"][0]["pointer"], "/token");
        assert!(!said.all().contains(&token[20..]));
    }
    let path = format!("{REVEAL}?token={token}");
    refused(&host.client.post(&path, WHO).await, 415, "not_json");
    let get = host.client.get(&path, WHO).await;
    refused(&get, 405, "method_not_allowed");
    assert_eq!(reveal(&host, &body).await.status, 200);
}

#[tokio::test]
async fn neither_secret_nor_token_is_logged_or_in_debug() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let host = through().await;
    let body = token(&host, &[]).await;
    let token = body["token"].as_str().unwrap();
    refused(&reveal(&host, &forged(&body)).await, 403, "proof_needed");
    let nearly = json!({ "token": format!("{token}A") });
    refused(&reveal(&host, &nearly).await, 422, "invalid_answer");
    assert_eq!(reveal(&host, &body).await.status, 200);
    refused(&reveal(&host, &body).await, 410, "reveal_used");
    let api = Api::new(host.onramp.clone()).vault(host.vault.clone(), [API_KEY]);
    let seen = format!("{}{api:?}", log.text());
    assert!(
        seen.contains("the token is wrong: 4 more attempts"),
        "{seen}"
    );
    assert!(RevealToken::parse(token).is_ok());
    // What is left of a token says nothing; most of it would.
    for secret in [KEY, &token[20..60]] {
        assert!(!seen.contains(secret));
    }
}
