//! What operators see and do.

use serde_json::{Value, json};

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
