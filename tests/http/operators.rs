//! What operators see and do.

use std::sync::Arc;

use onramp::prelude::*;
use serde_json::{Value, json};

use super::client::Said;
use super::flow::Host;

const OP: &str = "acme/op";

async fn id(host: &Host, who: &str) -> String {
    let status = host.client.get("/onboarding", who).await.json();
    status["onboarding"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn operators_stop_it_exempt_from_steps_and_let_it_go_on() {
    let host = Host::new();
    host.started("acme/ann").await;
    let of = format!("/operator/onboardings/{}", id(&host, "acme/ann").await);
    let act = async |what: &str, body: Value| {
        let path = format!("{of}/{what}");
        host.client.staff("POST", &path, OP, body).await
    };
    let parked = act("park", json!({"reason": "ticket-1"})).await;
    assert_eq!(parked.status, 200, "{parked:?}");
    let seen = host.client.staff("GET", &of, OP, Value::Null).await.json();
    assert_eq!(
        (&seen["parked"], &seen["outstanding"][0]["kind"]),
        (&json!("ticket-1"), &json!("parked"))
    );
    let subject = host.client.get("/onboarding/progress", "acme/ann").await;
    assert!(
        !subject.all().contains("ticket-1"),
        "why is the operators' affair"
    );

    assert_eq!(act("unpark", Value::Null).await.status, 200);
    let waived = act("waive", json!({"step": "payment", "reason": "contract-1"})).await;
    assert_eq!(waived.json()["steps"][1]["state"], "waived", "{waived:?}");
    let cancelled = act("cancel", Value::Null).await;
    assert_eq!(cancelled.status, 200);
    assert_eq!(act("retry-undo", Value::Null).await.code(), "wrong_stage");
}

#[tokio::test]
async fn a_wrong_wish_is_told_by_its_fields() {
    let host = Host::new();
    host.started("acme/ann").await;
    let path = format!(
        "/operator/onboardings/{}/waive",
        id(&host, "acme/ann").await
    );
    for (body, pointer) in [
        (json!({"step": "payment"}), "/reason"),
        (json!({"step": "payment", "reason": ""}), "/reason"),
        (json!({"step": 1, "reason": "x"}), "/step"),
    ] {
        let said = host.client.staff("POST", &path, OP, body).await;
        assert_eq!(said.code(), "invalid_answer");
        assert_eq!(said.json()["errors"][0]["pointer"], pointer, "{said:?}");
    }
    let body = json!({"step": "nowhere", "reason": "x"});
    assert_eq!(
        host.client.staff("POST", &path, OP, body).await.code(),
        "step_not_found"
    );
    let nonsense = "/operator/onboardings/nonsense";
    assert_eq!(
        host.client
            .staff("GET", nonsense, OP, Value::Null)
            .await
            .code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_list_is_paged_and_of_the_tenant_alone() {
    let host = Host::new();
    let mut mine = Vec::new();
    for number in 0..7 {
        host.started(&format!("acme/{number}")).await;
        host.started(&format!("beta/{number}")).await;
        mine.push(number.to_string());
    }
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/operator/onboardings?limit=3{after}");
        let page = host
            .client
            .staff("GET", &path, OP, Value::Null)
            .await
            .json();
        let entries = page["onboardings"].as_array().unwrap();
        assert!(entries.len() <= 3);
        listed.extend(
            entries
                .iter()
                .map(|entry| entry["subject"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(listed, mine);
    let path = "/operator/onboardings?subject=%33";
    let page = host.client.staff("GET", path, OP, Value::Null).await.json();
    assert_eq!(page["onboardings"][0]["subject"], "3");
    for bad in ["limit=x", "after=%00", "subject=%00", "subject=%zz"] {
        let path = format!("/operator/onboardings?{bad}");
        let said = host.client.staff("GET", &path, OP, Value::Null).await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (400, "bad_parameter"),
            "{bad}"
        );
    }
}

/// One onboarding, and an operator who does something to it with these headers.
struct Ordered {
    host: Host,
    of: String,
}

impl Ordered {
    async fn new() -> Self {
        let host = Host::new();
        host.started("acme/ann").await;
        let of = format!("/operator/onboardings/{}", id(&host, "acme/ann").await);
        Self { host, of }
    }

    async fn act(&self, what: &str, headers: &[(&str, &str)], body: Value) -> Said {
        let mut all = vec![("x-staff", OP)];
        all.retain(|(name, _)| !headers.iter().any(|(given, _)| given == name));
        all.extend(headers);
        let (path, text) = (format!("{}/{what}", self.of), body.to_string());
        let body = (!body.is_null()).then_some(text.as_str());
        self.host.client.call("POST", &path, &all, body).await
    }

    async fn revision(&self) -> Value {
        let status = self.host.client.get("/onboarding", "acme/ann").await;
        status.json()["revision"].clone()
    }
}

#[tokio::test]
async fn a_repeated_order_counts_once_and_gives_the_first_answer() {
    let ann = Ordered::new().await;
    let key = [("idempotency-key", "click-1")];
    let why = json!({"reason": "ticket-1"});
    let first = ann.act("park", &key, why.clone()).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(ann.act("unpark", &key, Value::Null).await.status, 200);
    let again = ann.act("park", &key, why.clone()).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(ann.revision().await, 3, "begun, parked, unparked");

    // Also when the rules would refuse it by then.
    let cancelled = ann.act("cancel", &key, Value::Null).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let onramp = &ann.host.onramp;
    let engine = Engine::builder(Arc::clone(onramp.store())).flow(onramp.flow());
    engine.build().run_until_idle().await.unwrap();
    let again = ann.act("park", &key, why.clone()).await;
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    assert_eq!(ann.act("park", &[], why).await.code(), "wrong_stage");
}

#[tokio::test]
async fn an_orders_key_serves_one_payload_and_one_operator() {
    let ann = Ordered::new().await;
    let key = [("idempotency-key", "click-1")];
    let exempt = |reason: &str| json!({"step": "payment", "reason": reason});
    assert_eq!(
        ann.act("waive", &key, exempt("contract-1")).await.status,
        200
    );
    let other = ann.act("waive", &key, exempt("contract-2")).await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (422, "idempotency_key_reused")
    );
    // Somebody else's key of the same name is another one.
    let eve = [("idempotency-key", "click-1"), ("x-staff", "acme/eve")];
    let theirs = ann.act("waive", &eve, exempt("contract-2")).await;
    assert_eq!(theirs.status, 200, "it is waived already: {theirs:?}");
    let bad = ann
        .act("cancel", &[("idempotency-key", "")], Value::Null)
        .await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_header"));
}

#[tokio::test]
async fn an_order_on_an_older_version_is_refused_with_the_newest() {
    let ann = Ordered::new().await;
    let seen = ann.host.client.staff("GET", &ann.of, OP, Value::Null).await;
    let tag = seen.header("etag").to_owned();
    let company = json!({"name": "Acme", "employees": 7});
    let submit = "/onboarding/steps/company/submit";
    ann.host.client.give(submit, "acme/ann", company).await;

    let stale = ann.act("cancel", &[("if-match", &tag)], Value::Null).await;
    assert_eq!((stale.status, stale.code().as_str()), (412, "stale"));
    assert_eq!(stale.json()["current"]["revision"], 2, "{stale:?}");
    let newest = stale.header("etag").to_owned();
    let unknown = ann
        .act("cancel", &[("if-match", "\"abc\"")], Value::Null)
        .await;
    assert_eq!(
        unknown.code(),
        "stale",
        "somebody else's tag is no revision"
    );
    assert_eq!(ann.revision().await, 2, "nothing was done");

    let both = [
        ("if-match", newest.as_str()),
        ("idempotency-key", "click-1"),
    ];
    let done = ann.act("cancel", &both, Value::Null).await;
    assert_eq!(done.status, 200, "{done:?}");
    let again = ann.act("cancel", &both, Value::Null).await;
    assert_eq!(
        (again.status, &again.bytes),
        (200, &done.bytes),
        "a repetition is none the worse for what it did itself"
    );
}

#[tokio::test]
async fn a_click_that_comes_many_times_at_once_counts_once() {
    let ann = Arc::new(Ordered::new().await);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let ann = Arc::clone(&ann);
        let why = json!({"reason": "ticket-1"});
        all.spawn(async move {
            ann.act("park", &[("idempotency-key", "click-1")], why)
                .await
        });
    }
    let all = all.join_all().await;
    let same = |said: &Said| said.status == 200 && said.bytes == all[0].bytes;
    assert!(all.iter().all(same), "{all:?}");
    assert_eq!(ann.revision().await, 2, "begun, parked");
}
