//! What is particular to the SQLite store: files, processes, dropped futures, damage.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::slice::from_ref;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use onramp::lifecycle::{Action, Command, decide, evolve};
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, ErrorKind, JournalEntry, Lease, QueueChange, Row,
    WorkerId, hash,
};
use onramp::{Clock, CommandId, FlowName, Key, SystemClock};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, SqliteConnection};

struct Workspace;

impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Company {
    name: String,
}

impl Step for Company {
    const NAME: &'static str = "company";
}

impl Answer<Workspace> for Company {}

const LONG: Duration = Duration::from_secs(60);

fn flow() -> Definition<Workspace> {
    Workspace::steps().ask::<Company>().build().unwrap()
}

fn company() -> Company {
    let name = "Ünï 🦀 ltd".to_owned();
    Company { name }
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn key(subject: &str) -> Key {
    Key {
        tenant: tenant(),
        flow: FlowName::from_static(Workspace::NAME),
        subject: SubjectId::new(subject).unwrap(),
    }
}

/// Enrols a subject, starts, and answers: then it is queued.
async fn answered(store: &SqliteStore, subject: &str) -> Row {
    let onramp = Onramp::new(store.clone(), flow());
    let subject_id = SubjectId::new(subject).unwrap();
    let loaded = onramp.enroll(&tenant(), &subject_id).await.unwrap();
    let pending = loaded.into_pending().unwrap();
    let clearance = onramp.clear(&pending).await.unwrap();
    let running = onramp.commit(pending.start(clearance)).await.unwrap();
    let _ = onramp.commit(running.submit(company())).await.unwrap();
    store.find(&key(subject)).await.unwrap().unwrap()
}

/// The next commit on a row: a cancellation, under a lease or by the host.
fn next(row: &Row, lease: Option<&Lease>) -> Commit {
    let now = SystemClock.now();
    let by = onramp::Actor::Host;
    let action = Action::Cancel;
    let events = decide(
        &row.state,
        flow().plan(),
        &Command {
            by: by.clone(),
            action,
        },
        now,
    );
    let events = events.unwrap();
    let state = evolve(row.state.clone(), &events);
    let mut entry = JournalEntry {
        onboarding: state.id(),
        revision: state.revision(),
        command: CommandId::fresh(),
        by,
        at: now,
        events: serde_json::to_string(&events).unwrap(),
        hash: row.head,
    };
    entry.hash = hash(row.head, &entry);
    Commit {
        expected: row.state.revision(),
        fence: lease.map(|lease| lease.fence),
        row: Row {
            head: entry.hash,
            state,
        },
        facts: Vec::new(),
        entry,
        reservations: Vec::new(),
        outbox: Vec::new(),
        queue: QueueChange::Hold,
    }
}

async fn claim(store: &SqliteStore, lease: Duration) -> Vec<Lease> {
    let flow = FlowName::from_static(Workspace::NAME);
    let worker = WorkerId::new("worker");
    store
        .claim(&ClaimRequest::new(&flow, &worker).max(10).lease(lease))
        .await
        .unwrap()
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap()
}

async fn tamper(path: &Path, sql: &'static str) {
    let mut raw = raw(path).await;
    sqlx::raw_sql(sql).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("onboarding.db");
    (folder, path)
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let row = answered(&store, "org-1").await;
    let facts = store.facts(&tenant(), row.state.id()).await.unwrap();
    store.close().await;
    assert_eq!(
        store.find(&key("org-1")).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );

    let store = SqliteStore::open_existing(&path).await.unwrap();
    assert_eq!(store.find(&key("org-1")).await.unwrap(), Some(row.clone()));
    let again = store.facts(&tenant(), row.state.id()).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].fact.decode::<Company>().unwrap(), company());
    assert_eq!(again[0].salt, facts[0].salt);
    let claimed = claim(&store, LONG).await;
    assert_eq!(claimed.len(), 1);
    store.close().await;

    let store = SqliteStore::open(&path).await.unwrap();
    let renewed = store.renew(&claimed, LONG).await.unwrap();
    assert_eq!(renewed, claimed, "a lease outlives its store");
}

#[tokio::test]
async fn names_of_files_are_names_of_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:x?mode=memory", "a b%20ü.db"] {
        let path = folder.path().join(name);
        let store = SqliteStore::open(&path).await.unwrap();
        answered(&store, "org-1").await;
        store.close().await;
        assert!(path.is_file(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_open_a_new_file_at_once() {
    for _ in 0..5 {
        let (_folder, path) = folder();
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let path = path.clone();
            opening.spawn(async move { SqliteStore::open(path).await });
        }
        for store in opening.join_all().await {
            store.unwrap().find(&key("org-1")).await.unwrap();
        }
    }
}

const CHILD: &str = "ONRAMP_TEST_CHILD_FILE";

/// Not a test of its own: what `many_processes_open_a_new_file_at_once` starts.
#[tokio::test]
async fn as_a_child() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let store = SqliteStore::open(path).await.unwrap();
    let subject = format!("org-{}", std::process::id());
    for n in 0..10 {
        answered(&store, &format!("{subject}-{n}")).await;
    }
    let _ = Onramp::new(store, flow())
        .enroll(&tenant(), &SubjectId::new("shared").unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn many_processes_open_a_new_file_at_once() {
    let (_folder, path) = folder();
    let children: Vec<_> = (0..6)
        .map(|_| {
            Process::new(std::env::current_exe().unwrap())
                .args(["--exact", "as_a_child", "--nocapture"])
                .env(CHILD, &path)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = SqliteStore::open_existing(&path).await.unwrap();
    assert!(store.find(&key("shared")).await.unwrap().is_some());
    let mut claimed = 0;
    loop {
        match claim(&store, LONG).await.len() {
            0 => break,
            some => claimed += some,
        }
    }
    assert_eq!(claimed, 60, "of six processes, ten each");
}

/// Polls a future so many times and drops it; tells whether it had ended before.
async fn poll_and_drop(future: impl Future, polls: u32) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let mut context = Context::from_waker(Waker::noop());
        if future.as_mut().poll(&mut context).is_ready() {
            return true;
        }
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    false
}

#[tokio::test]
async fn every_future_may_be_dropped_at_every_poll() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let row = answered(&store, "org-1").await;
    let id = row.state.id();
    let (tenant, flow) = (tenant(), FlowName::from_static(Workspace::NAME));
    let worker = WorkerId::new("worker");
    let lease = claim(&store, LONG).await.remove(0);
    let leases = [lease.clone()];
    let later = Duration::from_secs(1);
    // Until the longest one has once come to its end.
    let mut ended = false;
    let mut polls = 0;
    while !ended {
        ended = true;
        ended &= poll_and_drop(store.find(&key("org-1")), polls).await;
        ended &= poll_and_drop(store.load(&tenant, id), polls).await;
        ended &= poll_and_drop(store.facts(&tenant, id), polls).await;
        ended &= poll_and_drop(store.journal(&tenant, id, row.state.revision(), 9), polls).await;
        ended &= poll_and_drop(store.committed(&tenant, id, CommandId::fresh()), polls).await;
        ended &= poll_and_drop(store.next_due(from_ref(&flow)), polls).await;
        ended &= poll_and_drop(
            store.claim(&ClaimRequest::new(&flow, &worker).max(1).lease(LONG)),
            polls,
        )
        .await;
        ended &= poll_and_drop(store.renew(&leases, LONG), polls).await;
        ended &= poll_and_drop(store.take_outbox(1, later), polls).await;
        ended &= poll_and_drop(store.settle_outbox(&[]), polls).await;
        let onramp = Onramp::new(store.clone(), self::flow());
        let subject = SubjectId::new(format!("new-{polls}")).unwrap();
        ended &= poll_and_drop(onramp.enroll(&tenant, &subject), polls).await;
        ended &= poll_and_drop(SqliteStore::open(&path), polls).await;
        polls += 1;
        assert!(polls < 2_000, "it does not end");
    }
    assert_eq!(store.renew(&leases, LONG).await.unwrap(), leases);
    // Nobody has left a transaction behind: another process may write, and the log empties.
    let mut raw = raw(&path).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut raw)
        .await
        .unwrap();
    sqlx::query("ROLLBACK").execute(&mut raw).await.unwrap();
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(busy, 0, "a reader was left behind");
    let outcome = store.commit(next(&row, Some(&lease))).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
}

#[tokio::test]
async fn a_dropped_commit_goes_on_to_its_end() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    for n in 0..20 {
        let row = answered(&store, &format!("org-{n}")).await;
        let commit = next(&row, None);
        let command = commit.command();
        assert!(!poll_and_drop(store.commit(commit), 1).await);
        let began = Instant::now();
        let made = async || store.committed(&tenant(), row.state.id(), command).await;
        while made().await.unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(20), "it stopped");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_stale_fence_is_refused_after_a_takeover() {
    let (_folder, path) = folder();
    let (one, other) = (
        SqliteStore::open(&path).await.unwrap(),
        SqliteStore::open(&path).await.unwrap(),
    );
    let row = answered(&one, "org-1").await;
    let late = claim(&one, Duration::from_millis(30)).await.remove(0);
    tokio::time::sleep(Duration::from_millis(60)).await;
    let current = claim(&other, LONG).await.remove(0);
    assert!(current.fence > late.fence);
    let outcome = one.commit(next(&row, Some(&late))).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Fenced);
    let outcome = other.commit(next(&row, Some(&current))).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_write_to_one_file() {
    let (_folder, path) = folder();
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..2 {
        let store = SqliteStore::open(&path).await.unwrap();
        writing.spawn(async move {
            for subject in 0..50 {
                answered(&store, &format!("org-{n}-{subject}")).await;
            }
        });
    }
    writing.join_all().await;
}

#[tokio::test]
async fn a_writer_waits_for_another_process() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let mut raw = raw(&path).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut raw)
        .await
        .unwrap();
    let began = Instant::now();
    let writing = tokio::spawn({
        let store = store.clone();
        async move { answered(&store, "org-1").await }
    });
    // Longer than SQLite itself waits, so it is tried again.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(store.find(&key("org-1")).await.unwrap().is_none());
    sqlx::query("ROLLBACK").execute(&mut raw).await.unwrap();
    writing.await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(2_500));
}

#[tokio::test]
async fn a_corrupt_row_harms_no_other() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    let bad = answered(&store, "bad").await;
    let good = answered(&store, "good").await;
    let id = bad.state.id();
    for (sql, of_row) in [
        (
            "UPDATE onramp_onboarding SET state = substr(state, 1, 40) WHERE subject = 'bad'",
            true,
        ),
        (
            "UPDATE onramp_onboarding SET state = '{}' WHERE subject = 'bad'",
            true,
        ),
        (
            "UPDATE onramp_onboarding SET state = (SELECT state FROM onramp_onboarding \
             WHERE subject = 'good') WHERE subject = 'bad'",
            true,
        ),
        (
            "UPDATE onramp_onboarding SET head = x'00' WHERE subject = 'bad'",
            true,
        ),
        (
            "UPDATE onramp_onboarding SET revision = -1 WHERE subject = 'bad'",
            true,
        ),
        (
            "UPDATE onramp_fact SET payload = '{secret' WHERE onboarding = \
             (SELECT id FROM onramp_onboarding WHERE subject = 'bad')",
            false,
        ),
        (
            "UPDATE onramp_journal SET given_by = 'martian' WHERE onboarding = \
             (SELECT id FROM onramp_onboarding WHERE subject = 'bad')",
            false,
        ),
    ] {
        tamper(&path, sql).await;
        let error = match of_row {
            true => store.find(&key("bad")).await.unwrap_err(),
            false if sql.contains("fact") => store.facts(&tenant(), id).await.unwrap_err(),
            false => {
                let start = onramp::Revision::new(0);
                let journal = store.journal(&tenant(), id, start, 10).await;
                journal.unwrap_err()
            }
        };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{sql}: {error:?}");
        assert!(error.to_string().contains(&id.to_string()), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        let found = store.find(&key("good")).await.unwrap();
        assert_eq!(found, Some(good.clone()), "{sql}");
    }
    // In the queue, which all workers share, the damaged one is passed over.
    tamper(&path, "UPDATE onramp_queue SET tenant = ' ' WHERE due_at = (SELECT MIN(due_at) FROM onramp_queue)").await;
    let claimed = claim(&store, LONG).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].id, good.state.id());
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).await.unwrap();
    for n in 0..60 {
        answered(&store, &format!("org-{n}")).await;
    }
    store.close().await;
    let whole = std::fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> = [
        50,
        100,
        600,
        4_096,
        9_000,
        whole.len() / 2,
        whole.len() - 4_096,
    ]
    .into_iter()
    .map(|length| whole[..length].to_vec())
    .collect();
    damaged.push(b"this is a text file and no database\n".repeat(40));
    let mut zeroed = whole.clone();
    zeroed[4_096..].fill(0);
    damaged.push(zeroed);
    for (n, bytes) in damaged.into_iter().enumerate() {
        let path = path.with_file_name(format!("damaged-{n}.db"));
        std::fs::write(&path, &bytes).unwrap();
        let mut errors = Vec::new();
        match SqliteStore::open(&path).await {
            Err(error) => errors.push(error),
            Ok(store) => {
                for n in 0..60 {
                    let key = key(&format!("org-{n}"));
                    errors.extend(store.find(&key).await.err());
                }
                let flow = FlowName::from_static(Workspace::NAME);
                errors.extend(store.next_due(from_ref(&flow)).await.err());
                let worker = WorkerId::new("worker");
                errors.extend(
                    store
                        .claim(&ClaimRequest::new(&flow, &worker).max(100).lease(LONG))
                        .await
                        .err(),
                );
                store.close().await;
            }
        }
        assert!(
            !errors.is_empty(),
            "{n}: {} bytes went unnoticed",
            bytes.len()
        );
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{n}: {error:?}");
        }
    }
}

#[tokio::test]
async fn another_schema_version_is_refused() {
    let (_folder, path) = folder();
    let current = SqliteStore::schema_version();
    let missing = SqliteStore::open_existing(&path).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Config, "{missing:?}");
    SqliteStore::open(&path).await.unwrap().close().await;

    tamper(
        &path,
        "INSERT INTO onramp_schema (version, applied_at) VALUES (77, 0)",
    )
    .await;
    for refused in [
        SqliteStore::open(&path).await.unwrap_err(),
        SqliteStore::open_existing(&path).await.unwrap_err(),
    ] {
        assert_eq!(refused.kind(), ErrorKind::Schema);
        let text = refused.to_string();
        assert!(
            text.contains("77") && text.contains(&current.to_string()),
            "{text}"
        );
    }

    tamper(&path, "DELETE FROM onramp_schema").await;
    let older = SqliteStore::open_existing(&path).await.unwrap_err();
    assert_eq!(older.kind(), ErrorKind::Schema);
    let text = older.to_string();
    assert!(
        text.contains("version 0") && text.contains(&current.to_string()),
        "{text}"
    );
}

#[test]
fn without_a_runtime_it_is_an_error() {
    let opening = SqliteStore::open("never.db");
    let mut opening = Box::pin(opening);
    let mut context = Context::from_waker(Waker::noop());
    let std::task::Poll::Ready(opened) = opening.as_mut().poll(&mut context) else {
        panic!("it waits for a runtime that is not there");
    };
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Config);
}
