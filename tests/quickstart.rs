//! The quickstart as a newcomer runs it, and as a power cut leaves it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use onramp::prelude::*;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Row, sqlite::SqliteConnectOptions};

const TABLES: [&str; 7] = [
    "api_keys",
    "audit",
    "documents",
    "invoices",
    "members",
    "projects",
    "settings",
];

/// The example's binary, which `cargo test` builds beside the tests.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples/quickstart");
    assert!(
        binary.is_file(),
        "{binary:?} is not built: run `cargo build --example quickstart` first"
    );
    binary
}

fn quickstart(data: &Path, input: &Path, kill: Option<&str>) -> Output {
    let mut command = Command::new(binary());
    command
        .arg("--data")
        .arg(data)
        .arg("--input")
        .arg(input)
        .arg("--json");
    command.env_remove("ONRAMP_QUICKSTART_KILL");
    if let Some(point) = kill {
        command.env("ONRAMP_QUICKSTART_KILL", point);
    }
    command.output().unwrap()
}

/// What a run printed, by subject; without attempts, of which a kill rightly uses one up.
fn outcome(output: &Output) -> BTreeMap<String, Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|mut line| {
            let object = line.as_object_mut().unwrap();
            object.remove("attempts");
            let key = match object.get("subject") {
                Some(subject) => subject.as_str().unwrap().to_owned(),
                None => "summary".to_owned(),
            };
            (key, line)
        })
        .collect()
}

fn signup(subject: &str, name: &str) -> Value {
    json!({
        "tenant": "acme", "subject": subject, "company_name": name, "first_name": "Ann",
        "last_name": "Lee", "email": "ann@example.com", "phone": "+14155550100",
        "currency": "EUR", "timezone": "Europe/Berlin", "region": "eu", "plan": "professional",
        "payment": "confirmed",
    })
}

fn with(mut signup: Value, key: &str, value: Value) -> Value {
    signup
        .as_object_mut()
        .unwrap()
        .insert(key.to_owned(), value);
    signup
}

fn write(path: &Path, lines: &[Value]) -> PathBuf {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

/// One of everything that can happen to a sign-up.
fn sample(folder: &Path) -> PathBuf {
    let fault =
        |kind: &str, step: &str, times: u32| json!({"kind": kind, "step": step, "times": times});
    let brand = json!({"primary_color": "#1a73e8"});
    let lines = [
        with(signup("plain", "Plain Ltd."), "branding", brand),
        with(
            signup("transient", "Transient"),
            "fault",
            fault("transient", "create_tables", 1),
        ),
        with(
            signup("panic", "Panic"),
            "fault",
            fault("panic", "load_settings", 1),
        ),
        with(
            signup("final", "Final"),
            "fault",
            fault("final", "create_tables", 99),
        ),
        with(signup("pending", "Pending"), "payment", json!("pending")),
        with(signup("unset", "Unset"), "currency", Value::Null),
    ];
    write(&folder.join("signups.jsonl"), &lines)
}

async fn query(file: &Path, sql: &'static str) -> BTreeSet<String> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut database = options.connect().await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut database).await.unwrap();
    rows.iter()
        .map(|row| row.try_get::<String, _>(0).unwrap())
        .collect()
}

/// Nothing is missing, nothing is left over: resources are those of the completed, no more.
async fn whole(data: &Path, outcome: &BTreeMap<String, Value>) {
    let completed = outcome.values().filter(|line| line["stage"] == "completed");
    let slugs: BTreeSet<String> = completed
        .map(|line| line["slug"].as_str().unwrap().to_owned())
        .collect();
    let reserved = query(&data.join("platform.db"), "SELECT slug FROM slugs").await;
    assert_eq!(reserved, slugs);
    let entries = std::fs::read_dir(data.join("workspaces")).unwrap();
    let files: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        files,
        slugs.iter().map(|slug| format!("{slug}.db")).collect()
    );
    for slug in &slugs {
        let file = data.join("workspaces").join(format!("{slug}.db"));
        let tables = query(&file, "SELECT name FROM sqlite_schema WHERE type = 'table'").await;
        assert_eq!(tables, TABLES.map(str::to_owned).into(), "{slug}");
        let keys = query(&file, "SELECT key FROM api_keys").await;
        assert_eq!(keys.len(), 1, "{slug} has one key");
        let plan = query(&file, "SELECT value FROM settings WHERE key = 'plan'").await;
        assert_eq!(plan, ["\"professional\"".to_owned()].into());
    }
}

#[tokio::test]
async fn every_kill_point_ends_in_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let input = sample(folder.path());
    let reference = quickstart(&folder.path().join("reference"), &input, None);
    assert!(reference.status.success(), "{reference:?}");
    let expected = outcome(&reference);
    assert_eq!(
        expected["summary"]["summary"],
        json!({"lines": 6, "accepted": 6, "refused": 0, "completed": 3, "in_progress": 2, "failed": 1})
    );
    whole(&folder.path().join("reference"), &expected).await;

    let listed = Command::new(binary())
        .arg("--list-kill-points")
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut points: Vec<String> = listed.lines().map(str::to_owned).collect();
    assert!(points.len() >= 19, "{points:?}");
    points.extend(listed.lines().map(|point| format!("{point}#3")));
    points.extend((2..26).step_by(4).map(|n| format!("engine.commit#{n}")));

    let next = AtomicUsize::new(0);
    let killed = AtomicUsize::new(0);
    let runs: Vec<(String, PathBuf, BTreeMap<String, Value>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut runs = Vec::new();
                    while let Some(point) = points.get(next.fetch_add(1, SeqCst)) {
                        let data = folder.path().join(point.replace(['.', '#'], "-"));
                        let cut = quickstart(&data, &input, Some(point));
                        if cut.status.signal() == Some(9) {
                            killed.fetch_add(1, SeqCst);
                        } else {
                            // Some points are met fewer than three times.
                            assert!(
                                cut.status.success() && point.contains("#3"),
                                "{point}: {cut:?}"
                            );
                        }
                        let rerun = quickstart(&data, &input, None);
                        assert!(rerun.status.success(), "{point}: {rerun:?}");
                        runs.push((point.clone(), data, outcome(&rerun)));
                    }
                    runs
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    for (point, data, found) in &runs {
        assert_eq!(*found, expected, "after a kill at {point}");
        whole(data, found).await;
    }
    println!("{} kill points, {} kills", runs.len(), killed.load(SeqCst));
    assert!(killed.load(SeqCst) >= listed.lines().count());
}

#[tokio::test]
async fn killed_again_and_again_from_outside_it_still_ends() {
    let folder = tempfile::tempdir().unwrap();
    let input = sample(folder.path());
    let data = folder.path().join("data");
    for millis in [30, 80, 150, 60, 250] {
        let mut running = Command::new(binary())
            .arg("--data")
            .arg(&data)
            .arg("--input")
            .arg(&input)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    let last = quickstart(&data, &input, None);
    let found = outcome(&last);
    assert_eq!(found["summary"]["summary"]["completed"], 3, "{last:?}");
    whole(&data, &found).await;
}

#[tokio::test]
async fn run_again_nothing_is_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let input = sample(folder.path());
    let data = folder.path().join("data");
    let first = quickstart(&data, &input, None);
    let times = |data: &Path| -> BTreeMap<PathBuf, std::time::SystemTime> {
        let entries = std::fs::read_dir(data.join("workspaces")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap()))
            .collect()
    };
    let touched = times(&data);
    let revisions = |subjects: Vec<String>| {
        let file = data.join("onboarding.db");
        async move {
            let store = SqliteStore::open(file).await.unwrap();
            let mut revisions = Vec::new();
            for subject in subjects {
                let key = onramp::Key {
                    tenant: TenantId::new("acme").unwrap(),
                    flow: "workspace".into(),
                    subject: SubjectId::new(subject).unwrap(),
                };
                revisions.push(store.find(&key).await.unwrap().unwrap().state.revision());
            }
            store.close().await;
            revisions
        }
    };
    let found = outcome(&first);
    let subjects: Vec<String> = found.keys().filter(|k| *k != "summary").cloned().collect();
    let before = revisions(subjects.clone()).await;
    let again = quickstart(&data, &input, None);
    assert_eq!(outcome(&again), found);
    assert_eq!(revisions(subjects).await, before);
    assert_eq!(times(&data), touched);
}

#[tokio::test]
async fn a_payment_that_comes_late_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let unpaid = with(signup("late", "Late Payer"), "payment", json!("missing"));
    let input = write(&folder.path().join("unpaid.jsonl"), &[unpaid]);
    let found = outcome(&quickstart(&data, &input, None));
    assert_eq!(found["late"]["stage"], "in_progress");
    assert_eq!(found["late"]["phase"], "waiting");
    assert_eq!(found["late"]["outstanding"], json!(["payment"]));
    assert_eq!(
        found["late"]["slug"],
        Value::Null,
        "nothing is provisioned without payment"
    );
    whole(&data, &found).await;

    let input = write(
        &folder.path().join("paid.jsonl"),
        &[signup("late", "Late Payer")],
    );
    let found = outcome(&quickstart(&data, &input, None));
    assert_eq!(found["late"]["stage"], "completed");
    assert_eq!(found["late"]["percent"], 100);
    whole(&data, &found).await;
}

#[tokio::test]
async fn what_failed_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let fault = json!({"kind": "final", "step": "load_settings", "times": 1});
    let failing = with(signup("one", "Second Try"), "fault", fault);
    let input = write(&folder.path().join("failing.jsonl"), &[failing]);
    let found = outcome(&quickstart(&data, &input, None));
    assert_eq!(found["one"]["failure"]["code"], "provider_refused");
    whole(&data, &found).await; // everything was taken back

    let input = write(
        &folder.path().join("good.jsonl"),
        &[signup("one", "Second Try")],
    );
    let output = Command::new(binary())
        .args(["--json", "--retry-failed", "--data"])
        .arg(&data)
        .arg("--input")
        .arg(&input)
        .output()
        .unwrap();
    let found = outcome(&output);
    assert_eq!(found["one"]["stage"], "completed", "{output:?}");
    whole(&data, &found).await;
}

#[tokio::test]
async fn two_hundred_identical_names_get_two_hundred_slugs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let lines: Vec<_> = (0..200)
        .map(|n| signup(&format!("org-{n}"), "Nova Labs"))
        .collect();
    let input = write(&folder.path().join("same.jsonl"), &lines);
    let begun = Instant::now();
    let output = quickstart(&data, &input, None);
    let found = outcome(&output);
    println!("200 onboardings in {:?}", begun.elapsed());
    assert_eq!(found["summary"]["summary"]["completed"], 200, "{output:?}");
    whole(&data, &found).await; // compares the set of slugs: 200 different ones
    let slugs: BTreeSet<_> = found
        .values()
        .filter_map(|line| line["slug"].as_str())
        .collect();
    assert_eq!(slugs.len(), 200);
}

#[test]
fn each_awkward_line_has_a_clear_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let input = Path::new("examples/data/awkward.jsonl");
    let output = quickstart(&folder.path().join("data"), input, None);
    assert_eq!(output.status.code(), Some(2));
    let found = outcome(&output);
    assert_eq!(
        found["summary"]["summary"],
        json!({"lines": 37, "accepted": 7, "refused": 30, "completed": 6, "in_progress": 0, "failed": 0})
    );
    let told = String::from_utf8(output.stderr).unwrap();
    for expected in [
        "line 3: subject \"odd-01\" was given on line 1 with other data",
        "line 6: is empty",
        "line 7: is JSON, but not an object",
        "line 11: duplicate field `currency`",
        "line 12: unknown currency \"ZZZ\": use an ISO 4217 code such as \"EUR\"",
        "line 17: unknown time zone \"asia/kolkata\": did you mean \"Asia/Kolkata\"?",
        "line 21: the company name contains the control character U+0000: remove it",
        "line 31: missing field `tenant`",
        "line 36: an address must begin with \"https://\"",
    ] {
        assert!(told.contains(expected), "{expected:?} in {told}");
    }
    let refused: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("line ")?.split(':').next())
        .collect();
    assert_eq!(refused.len(), 30);
    for good in ["1", "2", "4", "15", "33", "34", "37"] {
        assert!(!refused.contains(good), "line {good} is good");
    }
}

#[test]
fn the_sample_file_onboards_everybody_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let input = Path::new("examples/data/signups.jsonl");
    let output = quickstart(&folder.path().join("data"), input, None);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found = outcome(&output);
    assert_eq!(
        found["summary"]["summary"],
        json!({"lines": 71, "accepted": 71, "refused": 0, "completed": 63, "in_progress": 7, "failed": 1})
    );
}

#[test]
fn an_empty_file_is_handled_and_a_missing_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(&folder.path().join("empty.jsonl"), &[]);
    let empty = quickstart(&folder.path().join("data"), &input, None);
    assert_eq!(empty.status.code(), Some(0));
    assert_eq!(outcome(&empty)["summary"]["summary"]["lines"], 0);

    let missing = quickstart(folder.path(), Path::new("no/such/file.jsonl"), None);
    assert_eq!(missing.status.code(), Some(1));
    let told = String::from_utf8(missing.stderr).unwrap();
    assert!(
        told.starts_with("quickstart: cannot read no/such/file.jsonl"),
        "{told}"
    );
    let Some(hint) = told.split(';').nth(1) else {
        panic!("{told}")
    };
    assert_eq!(hint.trim(), "name the file with --input FILE");
}
