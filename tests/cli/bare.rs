//! The binary that knows no flow: all that needs none works, and the rest says what it needs.

use std::sync::Arc;
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::Settlement;
use serde_json::Value;

use crate::golden;
use crate::support::database::Database;
use crate::support::opened::Opened;
use crate::support::{Desk, Faults};
use crate::typed::Tool;

/// Five onboardings: completed, waiting, new, failed with something left behind; and one of another
/// tenant. Two messages are dead.
pub(crate) async fn fill(database: &Database) {
    let store = Opened::new(database).store().await.unwrap();
    let faults = Faults {
        fatal: 1,
        undo_failures: 99,
        ..Faults::default()
    };
    let desk = Desk::new(Arc::clone(&store), faults);
    desk.paid("org-failed").await;
    desk.engine().run_until_idle().await.unwrap();
    let desk = Desk::new(Arc::clone(&store), Faults::default());
    desk.paid("org-done").await;
    desk.engine().run_until_idle().await.unwrap();
    let _ = desk.answered("org-waits").await;
    desk.engine().run_until_idle().await.unwrap();
    let _ = desk.pending("org-new").await;
    let other = TenantId::new("other").unwrap();
    let subject = SubjectId::new("org-new").unwrap();
    let _ = desk.onramp.enroll(&other, &subject).await.unwrap();
    let taken = store.take_outbox(2, Duration::from_secs(30)).await.unwrap();
    let dead = || Settlement::Dead("receiver_gone".to_owned());
    let dead: Vec<_> = taken.into_iter().map(|taken| (taken, dead())).collect();
    assert_eq!(dead.len(), 2);
    store.settle_outbox(&dead).await.unwrap();
}

fn texts<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item[key].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_migrated_after_a_look_at_what_that_does() {
    for database in Database::each().await {
        let tool = Tool::bare(&database);
        let early = tool.json("list", 1).await;
        if database.url.starts_with('/') {
            assert_eq!(early["error"]["code"], "config", "no such file: {early}");
            assert!(!database.path().exists(), "a look creates nothing");
        } else {
            assert_eq!(early["error"]["code"], "schema", "{early}");
        }
        let script = tool.text("migrate --dry-run --prefix acme_").await;
        assert!(
            script.contains("CREATE TABLE IF NOT EXISTS acme_queue"),
            "{script}"
        );
        let dry = tool.json("migrate --dry-run", 0).await;
        golden::holds("migrate", &dry);
        assert_eq!((&dry["applied"], &dry["found"]), (&false.into(), &0.into()));
        let done = tool.json("migrate", 0).await;
        assert_eq!(done["applied"], true);
        assert_eq!(
            done["statements"], dry["statements"],
            "what is shown is what is done"
        );
        let again = tool.json("migrate", 0).await;
        assert_eq!(
            (&again["applied"], &again["found"]),
            (&false.into(), &done["wanted"])
        );
        assert_eq!(tool.text("list").await, "there is no such onboarding\n");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_no_rules_works_with_every_flow() {
    for database in Database::each().await {
        fill(&database).await;
        let tool = Tool::bare(&database);
        lists(&tool).await;
        shows_one(&tool).await;
        delivers(&tool).await;
        verifies_and_diagnoses(&tool).await;
        hands_out_and_erases(&tool).await;
        measures(&tool).await;
    }
}

async fn lists(tool: &Tool) {
    let all = tool.json("list --limit 2", 0).await;
    golden::holds("list", &all);
    let rest = format!("list --after {}", all["next"].as_str().unwrap());
    let rest = tool.json(&rest, 0).await;
    let onboardings = [&all, &rest].map(|page| page["onboardings"].as_array().unwrap().len());
    assert_eq!((onboardings, &rest["next"]), ([2, 3], &Value::Null));
    // Of a tenant in the order of subjects, whatever was created first.
    let one = tool.json("list --tenant acme --limit 1", 0).await;
    assert_eq!(texts(&one["onboardings"], "subject"), ["org-done"]);
    let rest = format!(
        "list --tenant acme --after {}",
        one["next"].as_str().unwrap()
    );
    let rest = tool.json(&rest, 0).await;
    let others = ["org-failed", "org-new", "org-waits"];
    assert_eq!(texts(&rest["onboardings"], "subject"), others);
    assert_eq!(rest["next"], Value::Null);
    let foreign = all["onboardings"][0]["id"].as_str().unwrap();
    let foreign = format!("list --tenant other --after {foreign}");
    let gone = tool.json(&foreign, 1).await["error"].clone();
    assert_eq!(
        (&gone["code"], &gone["hint"]),
        (&"absent".into(), &"begin again without --after".into())
    );
    for (filter, subjects) in [
        ("--tenant acme --stage failed", vec!["org-failed"]),
        ("--tenant other", vec!["org-new"]),
        ("--tenant nobody", vec![]),
        ("--flow workspace --stage completed", vec!["org-done"]),
        ("--flow nothing", vec![]),
        ("--tenant acme --subject org-new", vec!["org-new"]),
        ("--tenant acme --subject org-new --stage failed", vec![]),
    ] {
        let found = tool.json(&format!("list {filter}"), 0).await;
        assert_eq!(
            texts(&found["onboardings"], "subject"),
            subjects,
            "{filter}"
        );
    }
    let text = tool.text("list --tenant acme").await;
    assert!(
        text.contains("org-waits") && text.lines().count() == 5,
        "{text}"
    );
}

async fn shows_one(tool: &Tool) {
    let failed = "--tenant acme --subject org-failed";
    let status = tool.json(&format!("status {failed}"), 0).await;
    golden::holds("status without the flow", &status);
    let one = &status["onboardings"][0];
    assert_eq!(
        (&one["stage"], &one["status"]),
        (&"failed".into(), &Value::Null)
    );
    assert_eq!(one["failed"]["failure"]["code"], "no_room");
    let text = tool.text(&format!("status {failed}")).await;
    assert!(text.contains("There is no room for your site."), "{text}");
    let by_id = format!("status --tenant acme --id {}", one["id"].as_str().unwrap());
    assert_eq!(tool.json(&by_id, 0).await, status);
    let foreign = by_id.replace("acme", "other");
    let absent = tool.json(&foreign, 1).await;
    assert_eq!(
        absent["error"]["code"], "absent",
        "another tenant's is not there"
    );
    golden::holds("error", &absent);

    let journal = tool
        .json("journal --tenant acme --subject org-waits --limit 2", 0)
        .await;
    golden::holds("journal", &journal);
    assert_eq!(journal["next"], 2);
    assert_eq!(journal["entries"][0]["events"][0]["event"], "created");
    let rest = tool
        .json("journal --tenant acme --subject org-waits --after 2", 0)
        .await;
    assert_eq!(
        (&rest["entries"][0]["revision"], &rest["next"]),
        (&3.into(), &Value::Null)
    );
    let text = tool.text("journal --tenant acme --subject org-waits").await;
    assert!(text.contains("answer_submitted company"), "{text}");
}

async fn delivers(tool: &Tool) {
    let lag = tool.json("outbox lag", 0).await;
    golden::holds("outbox lag", &lag);
    assert_eq!(lag["dead"], 2);
    let dead = tool.json("outbox dead", 0).await;
    golden::holds("outbox dead", &dead);
    assert_eq!(dead["messages"][0]["reason"], "receiver_gone");
    assert!(tool.text("outbox dead").await.contains("receiver_gone"));
    let id = dead["messages"][0]["id"].as_str().unwrap();
    let doctor = tool.json("doctor", 3).await;
    let codes = texts(&doctor["findings"], "code");
    assert_eq!(codes, ["dead_letters", "not_taken_back"], "{doctor}");
    let revived = tool.json(&format!("outbox revive --id {id}"), 0).await;
    golden::holds("outbox revive", &revived);
    assert_eq!(revived["revived"][0], id);
    let again = tool.json(&format!("outbox revive --id {id}"), 1).await;
    assert_eq!(again["absent"][0], id, "it is not dead any more");
    let other = &dead["messages"][1]["id"];
    for rest in [vec![other.clone()], vec![]] {
        let all = tool.json("outbox revive --all", 0).await;
        assert_eq!(all["revived"], Value::Array(rest));
    }
}

async fn verifies_and_diagnoses(tool: &Tool) {
    let verified = tool.json("verify --all", 0).await;
    golden::holds("verify", &verified);
    assert_eq!(
        (&verified["holds"], &verified["verified"]),
        (&true.into(), &5.into())
    );
    assert!(
        tool.text("verify --tenant acme --subject org-done")
            .await
            .starts_with("1 onboardings")
    );
    let doctor = tool.json("doctor", 3).await;
    golden::holds("doctor", &doctor);
    assert_eq!(
        texts(&doctor["findings"], "code"),
        ["not_taken_back"],
        "{doctor}"
    );
    assert_eq!(doctor["flows"][0]["known"], false);
    let behind = tool.json("doctor --patience 0s", 3).await;
    assert!(
        texts(&behind["findings"], "code").contains(&"outbox_behind"),
        "{behind}"
    );
}

async fn hands_out_and_erases(tool: &Tool) {
    let export = tool
        .json("export --tenant acme --subject org-done", 0)
        .await;
    golden::holds("export", &export);
    let facts = &export["onboardings"][0]["facts"];
    assert!(texts(facts, "step").contains(&"company"), "{export}");
    let missing = tool
        .type_("erase --tenant acme --subject org-done --yes")
        .await;
    assert_eq!(missing.code, 2, "who does it? {missing:?}");
    assert!(missing.err.contains("--operator"), "{missing:?}");
    let erase = "erase --tenant acme --subject org-done --operator ann";
    let unconfirmed = tool.json(erase, 2).await;
    assert_eq!(unconfirmed["error"]["hint"], "add --yes");
    let erased = tool.json(&format!("{erase} --yes"), 0).await;
    assert_eq!(erased["erased"].as_array().unwrap().len(), 1);
    let export = tool
        .json("export --tenant acme --subject org-done", 0)
        .await;
    let one = &export["onboardings"][0];
    assert_eq!(
        (&one["facts"], one["erased_at"].is_string()),
        (&Value::Array(vec![]), true)
    );
    let last = one["journal"].as_array().unwrap().last().unwrap();
    assert_eq!(last["by"], "operator:ann", "the journal names who did it");
    assert_eq!(tool.json("verify --all", 0).await["holds"], true);
    let running = erase.replace("org-done", "org-waits");
    let kept = tool.json(&format!("{running} --yes"), 1).await;
    golden::holds("erase", &kept);
    assert!(kept["kept"][0]["because"].is_string(), "it goes on: {kept}");
}

async fn measures(tool: &Tool) {
    let before = tool.json("list", 0).await;
    let refused = tool.json("bench --onboardings 20", 1).await["error"].clone();
    assert_eq!(
        refused["code"], "refused",
        "there are onboardings: {refused}"
    );
    assert!(
        refused["hint"].as_str().unwrap().contains("--in-use"),
        "{refused}"
    );
    let bench = "bench --in-use --onboardings 20 --callers 1,3";
    let measured = tool.json(bench, 0).await;
    golden::holds("bench", &measured);
    let runs = measured["runs"].as_array().unwrap();
    for (run, callers) in runs.iter().zip([1, 3]) {
        assert_eq!(run["callers"], callers);
        for (what, count) in [
            ("create", 20),
            ("commit", 40),
            ("status", 20),
            ("claim", 20),
        ] {
            let told = &run[what];
            assert_eq!(told["count"], count, "{what}: {told}");
            assert!(
                told["p99_us"].as_u64() >= told["p50_us"].as_u64(),
                "{what}: {told}"
            );
            assert!(told["per_second"].as_f64().unwrap() > 0.0, "{what}: {told}");
        }
    }
    assert_eq!(tool.json("list", 0).await, before, "nothing of it is left");
    let lag = tool.json("outbox lag", 0).await;
    assert_eq!(lag["dead"], 0, "a relay heard nothing of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_nobody_is_measured_without_being_told_to() {
    let database = Database::sqlite();
    let tool = Tool::bare(&database);
    let _ = tool.json("migrate", 0).await;
    let text = tool.text("bench --onboardings 5 --callers 2").await;
    assert!(
        text.contains("CALLERS") && text.contains("status"),
        "{text}"
    );
    assert_eq!(tool.text("list").await, "there is no such onboarding\n");
    let wrong = tool.json("bench --callers 1,0", 2).await;
    assert_eq!(wrong["error"]["code"], "usage", "{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_the_rules_says_so_and_how_to_have_them() {
    let database = Database::sqlite();
    fill(&database).await;
    let tool = Tool::bare(&database);
    let (who, by) = ("--tenant acme --subject org-failed", "--operator ann");
    for line in [
        format!("explain {who}"),
        format!("retry {who} {by}"),
        format!("waive {who} {by} --step company --reason ticket-1"),
        format!("cancel {who} {by} --yes"),
        format!("park {who} {by} --reason ticket-1"),
        format!("unpark {who} {by}"),
        "funnel --flow workspace".to_owned(),
        "diagram --flow workspace".to_owned(),
    ] {
        let error = tool.json(&line, 1).await["error"].clone();
        assert_eq!(error["code"], "unknown_flow", "{line}: {error}");
        let said = error["message"].as_str().unwrap();
        assert!(said.contains("\"workspace\""), "{line}: {error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(
            hint.contains("Cli::new().flow") && hint.contains("https://docs.rs"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_no_database_asks_for_none() {
    let tool = Tool::at("");
    let drawn = tool.json("diagram --lifecycle", 0).await;
    golden::holds("diagram", &drawn);
    assert!(
        tool.text("diagram --lifecycle --format dot")
            .await
            .starts_with("digraph")
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = tool.text(&format!("completions {shell}")).await;
        assert!(
            script.contains("onramp") && script.contains("waive"),
            "{shell}"
        );
    }
    golden::holds("completions", &tool.json("completions bash", 0).await);
    assert!(tool.text("--help").await.contains("ONRAMP_URL"));
    assert!(tool.text("--version").await.starts_with("onramp "));
}
