//! The subject's way, from nothing to completed.

use std::sync::atomic::Ordering::SeqCst;

use onramp::http::{Code, Messages, Text};
use onramp::prelude::*;
use serde_json::{Value, json};

use super::client::Client;
use super::flow::{CANARY, Host, Sessions, api};

const WHO: &str = "acme/ann";
const COMPANY: &str = "/onboarding/steps/company";

#[tokio::test]
async fn a_subject_goes_from_nothing_to_completed() {
    let host = Host::new();
    let client = &host.client;
    assert_eq!(client.get("/onboarding", WHO).await.code(), "not_found");

    let started = client.post("/onboarding/start", WHO).await;
    assert_eq!(started.status, 202);
    assert_eq!(started.header("location"), "../onboarding");
    assert_eq!(started.header("retry-after"), "2");
    assert_eq!(started.json()["next_action"]["step"], "company");
    let joined = client.post("/onboarding/start", WHO).await;
    assert_eq!((joined.status, joined.json()), (202, started.json()));

    let form = client.get(COMPANY, WHO).await.json();
    assert_eq!(
        form["fields"]["name"],
        json!({"value": "Acme", "from": "crm"})
    );

    let company = json!({"name": "Acme", "employees": 7});
    let given = client
        .give(&format!("{COMPANY}/submit"), WHO, company)
        .await;
    assert_eq!(given.status, 200, "{given:?}");
    assert_eq!(given.json()["completed_steps"], json!(["company"]));

    let asked = client.post("/onboarding/complete", WHO).await;
    assert_eq!((asked.status, asked.code().as_str()), (409, "outstanding"));
    let list = asked.json()["outstanding"].clone();
    assert_eq!(
        (&list[0]["step"], &list[0]["on"]),
        (&json!("payment"), &json!("third_party"))
    );

    host.pay("acme", "ann").await;
    let asked = client.post("/onboarding/complete", WHO).await;
    assert_eq!(asked.json()["outstanding"][0]["step"], "branding");
    assert_eq!(
        client
            .post("/onboarding/steps/branding/skip", WHO)
            .await
            .status,
        200
    );

    let done = client.post("/onboarding/complete", WHO).await;
    assert_eq!(
        (done.status, &done.json()["stage"]),
        (200, &json!("completed"))
    );
    let again = client.post("/onboarding/complete", WHO).await;
    assert_eq!((again.status, again.json()), (200, done.json()));
    assert_eq!(client.post("/onboarding/start", WHO).await.status, 200);
}

#[tokio::test]
async fn the_status_is_that_of_the_library() {
    let host = Host::new();
    host.completed("acme", "ann").await;
    host.started("acme/bob").await;
    for subject in ["ann", "bob"] {
        let key = (
            TenantId::new("acme").unwrap(),
            SubjectId::new(subject).unwrap(),
        );
        let status = host.onramp.status(&key.0, &key.1).await.unwrap().unwrap();
        let said = host
            .client
            .get("/onboarding", &format!("acme/{subject}"))
            .await;
        assert_eq!(said.json(), serde_json::to_value(status).unwrap());
    }
}

#[tokio::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let host = Host::new();
    host.started(WHO).await;
    let tag = host
        .client
        .get("/onboarding", WHO)
        .await
        .header("etag")
        .to_owned();
    assert_eq!(tag, "\"1\"");
    let known = [("x-who", WHO), ("if-none-match", tag.as_str())];
    let said = host.client.call("GET", "/onboarding", &known, None).await;
    assert_eq!(
        (said.status, said.bytes.len(), said.header("etag")),
        (304, 0, "\"1\"")
    );
    let other = [("x-who", WHO), ("if-none-match", "\"2\"")];
    assert_eq!(
        host.client
            .call("GET", "/onboarding", &other, None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_draft_is_saved_on_top_of_what_was_seen_alone() {
    let host = Host::new();
    host.started(WHO).await;
    let path = format!("{COMPANY}/draft");
    let put = async |tag: Option<&str>, body: &str| {
        let mut headers = vec![("x-who", WHO)];
        headers.extend(tag.map(|tag| ("if-match", tag)));
        host.client.call("PUT", &path, &headers, Some(body)).await
    };
    let seen = host.client.get(COMPANY, WHO).await;
    let tag = seen.header("etag").to_owned();

    let blind = put(None, r#"{"employees": 7}"#).await;
    assert_eq!(
        (blind.status, blind.code().as_str()),
        (428, "precondition_required")
    );

    let saved = put(Some(&tag), r#"{"name": "Acme", "employees": 7}"#).await;
    assert_eq!(saved.status, 200, "{saved:?}");
    let fields = host.client.get(COMPANY, WHO).await.json()["fields"].clone();
    assert_eq!(fields["name"]["from"], "crm", "it was sent as it was");
    assert_eq!(fields["employees"], json!({"value": 7, "from": null}));

    let stale = put(Some(&tag), r#"{"employees": 9}"#).await;
    assert_eq!((stale.status, stale.code().as_str()), (412, "stale"));
    assert_eq!(
        stale.json()["current"]["revision"],
        saved.json()["revision"]
    );
    assert_eq!(stale.header("etag"), saved.header("etag"));
    let after = host.client.get(COMPANY, WHO).await.json();
    assert_eq!(after["fields"], fields, "nothing was overwritten");
}

#[tokio::test]
async fn a_form_is_for_revising_once_it_is_answered() {
    let host = Host::new();
    host.started(WHO).await;
    let company = json!({"name": "Beta", "employees": 7});
    let submit = format!("{COMPANY}/submit");
    host.client.give(&submit, WHO, company.clone()).await;
    let form = host.client.get(COMPANY, WHO).await.json();
    assert_eq!(
        (&form["answered"], &form["fields"]["name"]["value"]),
        (&json!(true), &json!("Beta"))
    );

    let twice = host.client.give(&submit, WHO, company).await;
    assert_eq!(
        (twice.status, twice.code().as_str()),
        (409, "already_settled")
    );
    let revised = json!({"name": "Gamma", "employees": 7});
    let said = host
        .client
        .give(&format!("{COMPANY}/revise"), WHO, revised)
        .await;
    assert_eq!(said.status, 200, "{said:?}");
}

#[tokio::test]
async fn a_source_that_is_away_is_named_and_nothing_more() {
    let host = Host::new();
    host.started("acme/unknown").await;
    let form = host.client.get(COMPANY, "acme/unknown").await;
    assert_eq!(form.json()["unavailable"], json!(["crm"]));
    assert!(!form.all().contains(CANARY));
}

#[tokio::test]
async fn a_wrong_answer_is_told_by_its_fields() {
    let host = Host::new();
    host.started(WHO).await;
    for (body, pointer, words) in [
        (json!({"name": "a"}), "/employees", "is missing"),
        (
            json!({"name": 1, "employees": 1}),
            "/name",
            "of another kind",
        ),
        (
            json!({"name": "a", "employees": -1}),
            "/employees",
            "of another kind",
        ),
        (
            json!({"name": "a", "employees": 0}),
            "/employees",
            "must be at least 1",
        ),
        (
            json!({"name": "a", "employees": 1, "x": 1}),
            "/x",
            "not known",
        ),
        (json!([]), "", "of another kind"),
    ] {
        let said = host
            .client
            .give(&format!("{COMPANY}/submit"), WHO, body.clone())
            .await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (422, "invalid_answer"),
            "{body}"
        );
        let error = &said.json()["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(
            error["detail"].as_str().unwrap().contains(words),
            "{said:?}"
        );
        assert_eq!(said.header("content-type"), "application/problem+json");
    }
    let status = host.client.get("/onboarding", WHO).await.json();
    assert_eq!(status["completed_steps"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_done_now_says_what_can() {
    let host = Host::new();
    let complete = host.client.post("/onboarding/complete", WHO).await;
    assert_eq!(complete.code(), "not_found");
    let skip = async |step: &str| {
        let path = format!("/onboarding/steps/{step}/skip");
        host.client.post(&path, WHO).await
    };
    host.started(WHO).await;
    assert_eq!(
        skip("company").await.json()["detail"],
        "Answer the step company."
    );
    assert_eq!(skip("nowhere").await.code(), "step_not_found");
    let gone = skip("address").await;
    assert_eq!(
        (gone.status, &gone.json()["replacement"]),
        (410, &json!("company"))
    );
    assert_eq!(skip("fax").await.json()["replacement"], Value::Null);
    let retry = host.client.post("/onboarding/retry", WHO).await;
    assert_eq!(retry.status, 202, "it goes on already");
    let company = json!({"name": "a", "employees": 1});
    let revise = format!("{COMPANY}/revise");
    let said = host.client.give(&revise, WHO, company).await;
    assert_eq!(said.code(), "nothing_to_revise");
}

#[tokio::test]
async fn nobody_begins_while_a_prerequisite_does_not_hold() {
    let host = Host::new();
    host.open.store(false, SeqCst);
    let said = host.client.post("/onboarding/start", WHO).await;
    assert_eq!((said.status, said.code().as_str()), (409, "gates_closed"));
    let gate = json!({"gate": "platform", "code": "not_ready", "message": "We are not ready yet."});
    assert_eq!(said.json()["gates"], json!([gate]));
    assert!(!said.all().contains(CANARY));
    host.open.store(true, SeqCst);
    host.started(WHO).await;
}

struct German;
impl Messages for German {
    fn text(&self, code: Code, language: &str) -> Option<Text> {
        match (code, language.split('-').next()?) {
            (Code::StepRequired, "de") => Some(Text::new("Pflichtschritt.", "Zuerst {step}.")),
            _ => None,
        }
    }
}

#[tokio::test]
async fn words_are_the_hosts_in_the_language_of_the_browser() {
    let host = Host::new();
    host.started(WHO).await;
    let router = api(host.onramp.clone())
        .authorize(Sessions)
        .messages(German)
        .into_router();
    let client = Client::of(axum::Router::new().nest("/api", router));
    let path = format!("{COMPANY}/skip");
    for (language, title, detail) in [
        ("fr, de-CH;q=0.8", "Pflichtschritt.", "Zuerst company."),
        (
            "fr",
            "This step cannot be skipped.",
            "Answer the step company.",
        ),
    ] {
        let headers = [("x-who", WHO), ("accept-language", language)];
        let said = client.call("POST", &path, &headers, None).await.json();
        assert_eq!(
            (&said["title"], &said["detail"]),
            (&json!(title), &json!(detail))
        );
        assert_eq!(said["code"], "step_required");
        assert_eq!(said["arguments"], json!({"step": "company"}));
    }
}
