//! What is wrong is told, and how: by words, by code, and never with a password.

use serde_json::Value;

use crate::bare::fill;
use crate::support::database::Database;
use crate::support::opened::Opened;
use crate::typed::{Ended, Tool};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_or_row_that_was_changed_by_hand_is_found() {
    for database in Database::each().await {
        fill(&database).await;
        let tool = Tool::bare(&database);
        let listed = tool.json("list --tenant acme --subject org-waits", 0).await;
        let id = listed["onboardings"][0]["id"].as_str().unwrap().to_owned();
        database
            .run("UPDATE onramp_journal SET events = replace(events, 'started', 'startet') WHERE revision = 2")
            .await;
        let broken = tool
            .json(&format!("verify --tenant acme --id {id}"), 3)
            .await;
        assert_eq!(
            (&broken["holds"], &broken["verified"]),
            (&false.into(), &0.into())
        );
        assert_eq!(broken["broken"][0]["code"], "journal", "{broken}");
        let said = broken["broken"][0]["message"].as_str().unwrap();
        assert!(said.ends_with("from revision 2 on"), "{said}");
        let all = tool.json("verify --all", 3).await;
        assert_eq!(
            (&all["verified"], all["broken"].as_array().unwrap().len()),
            (&2.into(), 3)
        );
        assert_eq!(
            tool.json("verify --all --tenant other", 0).await["verified"],
            1
        );
        // It can be looked at all the same.
        let text = tool.text("journal --tenant acme --subject org-waits").await;
        assert!(text.contains("startet"), "{text}");

        database
            .run("UPDATE onramp_onboarding SET state = '{' WHERE subject = 'org-waits'")
            .await;
        let broken = tool
            .json(&format!("verify --tenant acme --id {id}"), 3)
            .await;
        assert_eq!(broken["broken"][0]["code"], "unreadable", "{broken}");
        let journal = format!("journal --tenant acme --id {id}");
        assert_eq!(tool.json(&journal, 0).await["entries"][0]["revision"], 1);
        let doctor = tool.json("doctor", 3).await;
        let findings = doctor["findings"].as_array().unwrap();
        assert!(
            findings
                .iter()
                .any(|f| f["code"] == "unreadable" && f["id"] == id.as_str()),
            "{doctor}"
        );
        let status = tool
            .json("status --tenant acme --subject org-waits", 1)
            .await;
        assert_eq!(status["error"]["code"], "corrupt");
        assert_eq!(
            tool.json("list", 0).await["onboardings"]
                .as_array()
                .unwrap()
                .len(),
            5
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_another_version_is_refused_and_named() {
    for database in Database::each().await {
        Opened::new(&database).and_closed().await.unwrap();
        let tool = Tool::bare(&database);
        let other_prefix = tool.json("list --prefix acme_", 1).await;
        assert_eq!(other_prefix["error"]["code"], "schema", "{other_prefix}");
        database
            .run("INSERT INTO onramp_schema (version, applied_at) VALUES (77, 0)")
            .await;
        for line in [
            "list",
            "migrate",
            "migrate --dry-run",
            "verify --all",
            "bench",
        ] {
            let newer = tool.json(line, 1).await["error"].clone();
            assert_eq!(newer["code"], "schema", "{line}: {newer}");
            assert!(
                newer["message"]
                    .as_str()
                    .unwrap()
                    .contains("found version 77"),
                "{newer}"
            );
        }
        let found = tool.json("doctor", 3).await;
        assert_eq!(
            (&found["well"], &found["outbox"]),
            (&false.into(), &Value::Null)
        );
        assert_eq!(found["findings"][0]["code"], "schema");
        database.run("DELETE FROM onramp_schema").await;
        let older = tool.json("list", 1).await;
        assert_eq!(older["error"]["code"], "schema");
        database.run("DROP TABLE onramp_outbox").await;
        database
            .run("INSERT INTO onramp_schema (version, applied_at) VALUES (1, 0)")
            .await;
        let found = tool.json("doctor", 3).await;
        assert_eq!(found["findings"][0]["code"], "schema", "a table is gone");
        assert!(
            older["error"]["hint"]
                .as_str()
                .unwrap()
                .contains("migrate --dry-run")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_damaged_or_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.db");
    std::fs::write(
        &damaged,
        "this is no database, but it is long enough to look like one".repeat(40),
    )
    .unwrap();
    let tool = Tool::at(format!("sqlite://{}", damaged.display()));
    assert_eq!(tool.json("list", 1).await["error"]["code"], "corrupt");
    assert_eq!(tool.json("migrate", 1).await["error"]["code"], "corrupt");
    assert_eq!(
        tool.json("doctor", 3).await["findings"][0]["code"],
        "corrupt"
    );
    let nowhere = Tool::at(format!("sqlite://{}/no/such.db", folder.path().display()));
    for line in ["list", "migrate", "doctor"] {
        let error = nowhere.json(line, 1).await["error"].clone();
        assert_eq!(error["code"], "config", "{line}");
        assert!(
            error["message"].as_str().unwrap().contains("no/such.db"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_cannot_be_used_end_with_2() {
    let database = Database::sqlite();
    fill(&database).await;
    let tool = Tool::bare(&database);
    for (line, word) in [
        ("", "Usage"),
        ("lists", "list"),
        ("status --tenant acme", "--subject"),
        ("status --subject org-1", "--tenant"),
        ("status --tenant acme --subject a --id b", "--id"),
        ("verify", "--all"),
        ("verify --tenant acme", "--all"),
        ("list --stage done", "in_progress"),
        ("list --subject org-1", "--tenant"),
        ("doctor --patience soon", "10m"),
        ("funnel --from yesterday", "2026-11-21"),
        ("outbox revive", "--all"),
        ("journal --tenant acme --id 7", "UUID"),
        ("retry --tenant acme --subject org-1", "--operator"),
        (
            "waive --tenant acme --subject org-1 --operator ann --step a",
            "--reason",
        ),
        ("bench --onboardings 0", "1.."),
    ] {
        let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let Ended { code, out, err } = tool.words(&words).await;
        assert_eq!((code, out.as_str()), (2, ""), "{line}: {err}");
        assert!(err.contains(word), "{line}: {err}");
    }
    let padded = tool
        .words(&["status", "--tenant", " acme", "--subject", "org-1"])
        .await;
    assert!(
        padded.code == 2 && padded.err.contains("trim it"),
        "{padded:?}"
    );
    let name = [
        "unpark",
        "--tenant",
        "acme",
        "--subject",
        "org-1",
        "--operator",
        "",
    ];
    assert_eq!(tool.words(&name).await.code, 2, "a name that is none");
    for url in [
        "",
        "onboarding.db",
        "redis://localhost",
        "sqlite://a.db?mode=rwc",
    ] {
        let error = Tool::at(url).json("list", 2).await;
        assert_eq!(error["error"]["code"], "usage", "{url}");
    }
    assert_eq!(
        Tool::at("").json("status", 2).await["error"]["code"],
        "usage"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_machine_is_refused_without_verified_tls() {
    for (scheme, word) in [
        ("postgres", "sslmode=verify-full"),
        ("mysql", "ssl-mode=VERIFY_IDENTITY"),
        ("mariadb", "ssl-mode=VERIFY_IDENTITY"),
    ] {
        let tool = Tool::at(format!(
            "{scheme}://ops:hunter2@db.example.invalid/onboarding"
        ));
        let error = tool.json("list", 1).await["error"].clone();
        assert_eq!(error["code"], "config", "{error}");
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("--dangerously-allow-plaintext"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_is_ever_printed() {
    const SECRET: &str = "hunter2-canary";
    let urls = [
        format!("postgres://ops:{SECRET}@db.example.invalid/onboarding"),
        format!("postgres://ops:{SECRET}@127.0.0.1:1/onboarding"),
        format!("mysql://ops:{SECRET}@127.0.0.1:1/onboarding"),
        format!("postgres://127.0.0.1:1/onboarding?user=ops&password={SECRET}"),
        format!("mysql://ops:{SECRET}@127.0.0.1:1"),
        format!("postgres://ops:{SECRET}@[nonsense/onboarding"),
        format!("redis://ops:{SECRET}@localhost"),
    ];
    // All at once: an address where nobody listens is tried for seconds.
    let mut typing = tokio::task::JoinSet::new();
    for url in urls {
        for words in [
            vec!["--help"],
            vec!["list"],
            vec!["list", "--json"],
            vec!["doctor", "--json"],
            vec!["migrate", &url],
            vec!["migrate", &url, "--json"],
            vec!["--url", &url, "lists"],
        ] {
            let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
            let tool = Tool::at(&*url);
            typing.spawn(async move {
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                let Ended { code, out, err } = tool.words(&words).await;
                let hidden = !format!("{out}{err}").contains(SECRET);
                assert!(hidden, "{words:?}: {out}{err}");
                assert_eq!(code == 0, words == ["--help"], "{words:?}: {err}");
            });
        }
    }
    assert_eq!(typing.len(), 49);
    typing.join_all().await;
}
