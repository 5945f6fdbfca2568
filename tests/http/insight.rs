//! What operators see of all those of their tenant.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Said;
use super::flow::Host;

const FUNNEL: &str = "/operator/funnel";
const STUCK: &str = "/operator/stuck";

async fn asked(host: &Host, path: &str, who: &str) -> Said {
    host.client.staff("GET", path, who, Value::Null).await
}

async fn as_table(host: &Host, path: &str) -> Said {
    let headers = [("x-staff", "acme/op"), ("accept", "text/csv")];
    host.client.call("GET", path, &headers, None).await
}

/// Ann is through, Bob has begun; so has somebody of another tenant.
async fn busy() -> Host {
    let host = Host::new();
    host.completed("acme", "ann").await;
    host.started("acme/bob").await;
    host.started("beta/eve").await;
    host
}

#[tokio::test]
async fn a_funnel_counts_those_of_the_tenant() {
    let host = busy().await;
    let said = asked(&host, FUNNEL, "acme/op").await;
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(said.header("vary"), "Accept");
    let total = &said.json()["total"];
    let counts = ["enrolled", "started", "completed", "failed"].map(|name| &total[name]);
    assert_eq!(counts, [2, 2, 1, 0]);
    assert_eq!(total["completion_rate"], 0.5);
    let company = &total["steps"][0];
    assert_eq!(
        (&company["step"], &company["completed"], &company["open"]),
        (&json!("company"), &json!(1), &json!(1))
    );
    let theirs = asked(&host, FUNNEL, "beta/op").await.json();
    assert_eq!(theirs["total"]["enrolled"], 1);
    let nobody = asked(&host, FUNNEL, "gamma/op").await.json();
    assert_eq!(nobody["total"]["completion_rate"], Value::Null);
}

#[tokio::test]
async fn a_funnel_is_of_a_time_and_of_a_version() {
    let host = busy().await;
    for (query, enrolled) in [
        ("from=2020-01-01", 2),
        ("to=2020-01-01", 0),
        (
            "from=2020-01-01T00:00:00Z&to=2999-12-31T23:59:59%2B02:00",
            2,
        ),
        ("from=2999-01-01", 0),
        ("version=3", 2),
        ("version=2&from=2020-01-01", 0),
    ] {
        let said = asked(&host, &format!("{FUNNEL}?{query}"), "acme/op").await;
        assert_eq!(said.json()["total"]["enrolled"], enrolled, "{query}");
    }
    for (query, parameter) in [
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-02-01&to=2026-01-01", "to"),
        ("version=-1", "version"),
    ] {
        let said = asked(&host, &format!("{FUNNEL}?{query}"), "acme/op").await;
        assert_eq!((said.status, said.code().as_str()), (400, "bad_parameter"));
        assert_eq!(said.json()["arguments"]["parameter"], parameter);
    }
}

#[tokio::test]
async fn a_funnel_is_a_table_for_whoever_accepts_one() {
    let host = busy().await;
    let said = as_table(&host, FUNNEL).await;
    assert_eq!(said.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(said.header("cache-control"), "private, no-store");
    let text = String::from_utf8(said.bytes).unwrap();
    assert!(text.starts_with("version,enrolled,started,"), "{text}");
    assert!(
        text.contains("\r\nall,2,2,1,0,company,answer,2,1,"),
        "{text}"
    );
}

#[tokio::test]
async fn those_who_are_stuck_are_of_the_tenant_alone_and_the_longest_first() {
    let host = busy().await;
    assert_eq!(
        asked(&host, STUCK, "acme/op").await.json(),
        json!({"stuck": []})
    );
    let day = Duration::from_secs(24 * 60 * 60);
    host.clock.advance(day * 2);
    host.started("acme/cid").await;
    host.clock.advance(day * 6);
    let subjects = async |query: &str, who: &str| {
        let said = asked(&host, &format!("{STUCK}{query}"), who).await.json();
        let list = said["stuck"].as_array().unwrap().clone();
        let names = list.iter().map(|one| one["subject"].as_str().unwrap());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(subjects("", "acme/op").await, ["bob"]);
    assert_eq!(
        subjects("?older_than_hours=48", "acme/op").await,
        ["bob", "cid"]
    );
    // A limit is of the tenant's own: others take no places.
    assert_eq!(
        subjects("?older_than_hours=48&limit=1", "beta/op").await,
        ["eve"]
    );
    let said = asked(&host, STUCK, "acme/op").await.json();
    assert_eq!(said["stuck"][0]["waits_for"]["step"], "company");
    let text = String::from_utf8(as_table(&host, STUCK).await.bytes).unwrap();
    assert!(text.contains("\r\nacme,bob,"), "{text}");
    assert!(!text.contains("eve"), "{text}");
    let bad = asked(&host, &format!("{STUCK}?older_than_hours=x"), "acme/op").await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_parameter"));
}
