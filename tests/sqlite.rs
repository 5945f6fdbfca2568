//! What only a file can get wrong: two processes at once, dropped futures, damage, other versions.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::{ErrorKind, WorkerId};
use onramp::{FlowName, Key};
use sqlx::{ConnectOptions, Row, sqlite::SqliteConnectOptions};
use support::{Company, Desk, Faults};

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("onboarding.db")
}

async fn sql(file: &Path, text: &'static str) -> Vec<sqlx::sqlite::SqliteRow> {
    let mut on = SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap();
    sqlx::query(text).fetch_all(&mut on).await.unwrap()
}

fn key(subject: &str) -> Key {
    Key {
        tenant: TenantId::new("acme").unwrap(),
        flow: FlowName::from_static("workspace"),
        subject: SubjectId::new(subject).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_file_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let opening: Vec<_> = (0..16)
        .map(|_| {
            let file = file(&folder);
            tokio::spawn(async move { SqliteStore::open(file).await })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
    let applied = sql(&file(&folder), "SELECT version FROM onramp_schema").await;
    assert_eq!(applied.len(), 1, "each migration ran once");
}

/// The same with processes: this test runs itself again, as the child.
#[test]
fn two_processes_open_a_new_file_at_the_same_time() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(file) = std::env::var("ONRAMP_SQLITE_CHILD") {
        runtime.block_on(async {
            let desk = Desk::new(
                Arc::new(SqliteStore::open(file).await.unwrap()),
                Faults::default(),
            );
            println!("made {}", desk.enrolled("org-1").await);
        });
        return;
    }
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let children: Vec<_> = (0..4)
            .map(|_| {
                std::process::Command::new(std::env::current_exe().unwrap())
                    .args(["two_processes_open_a_new_file", "--nocapture"])
                    .env("ONRAMP_SQLITE_CHILD", file(&folder))
                    .stdout(std::process::Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut made = std::collections::BTreeSet::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8(output.stdout).unwrap();
            let id = text.split("made ").nth(1).unwrap().lines().next().unwrap();
            made.insert(id.to_owned());
        }
        assert_eq!(made.len(), 1, "four processes, one onboarding");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_dropped_at_any_poll_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(file(&folder)).await.unwrap());
    let desk = Desk::new(store, Faults::default());
    let mut stored = 0;
    for polls in 0..24 {
        let subject = format!("org-{polls}");
        let running = desk.answered(&subject).await;
        let before = running.revision();
        let change = running.cancel();
        let token = change.in_doubt();
        {
            let mut commit = pin!(desk.onramp.commit(change));
            for _ in 0..polls {
                let mut cx = Context::from_waker(Waker::noop());
                if let Poll::Ready(done) = commit.as_mut().poll(&mut cx) {
                    let _ = done.unwrap();
                    break;
                }
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
        }
        // What goes on without us is given time to end.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let found = desk.onramp.resolve(&token).await.unwrap();
        let was_stored = matches!(found, Resolution::Committed(_));
        stored += u32::from(was_stored);
        let state = desk.open(&subject).await.into_state();
        assert_eq!(state.undoing().is_some(), was_stored);
        assert_eq!(state.revision() == before, !was_stored);
        desk.journal_holds(&subject).await;
    }
    assert!((1..24).contains(&stored), "both ends were met: {stored}");
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    let before = desk.answered("org-1").await.into_state();
    store.close().await;
    let store = SqliteStore::open_existing(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store), Faults::default());
    assert_eq!(desk.open("org-1").await.into_state(), before);
    let company: Option<Company> = desk.onramp.fact(desk.tenant(), before.id()).await.unwrap();
    assert_eq!(company.unwrap().name, "Acme");
    desk.journal_holds("org-1").await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_harms_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    desk.paid("broken").await;
    desk.paid("whole").await;
    sql(
        &file(&folder),
        "UPDATE onramp_onboarding SET state = '{\"stage\":\"ascended\"}' WHERE subject = 'broken'",
    )
    .await;
    let error = store.find(&key("broken")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    desk.engine_once().await;
    assert_eq!(desk.open("whole").await.stage(), StageKind::Completed);
    let kept = sql(
        &file(&folder),
        "SELECT state, attempt FROM onramp_onboarding o JOIN onramp_queue q ON q.onboarding = o.id",
    )
    .await;
    assert_eq!(kept.len(), 1, "it is kept, and stays queued");
    assert_eq!(
        kept[0].get::<String, _>(0),
        "{\"stage\":\"ascended\"}",
        "byte for byte"
    );
    assert_eq!(kept[0].get::<i64, _>(1), 0, "no attempt was burnt");
}

#[tokio::test]
async fn damage_and_other_versions_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "this is not a database, whatever its name says ".repeat(100),
    )
    .unwrap();
    let error = SqliteStore::open(&text).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");

    let store = SqliteStore::open(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    for n in 0..50 {
        let _ = desk.pending(&format!("org-{n}")).await;
    }
    store.close().await;
    let whole = std::fs::read(file(&folder)).unwrap();
    let cut = folder.path().join("cut.db");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let found = match SqliteStore::open(&cut).await {
        Ok(store) => store.find(&key("org-49")).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Corrupt);

    sql(&file(&folder), "INSERT INTO onramp_schema VALUES (99, 0)").await;
    let error = SqliteStore::open(file(&folder)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    let told = error.to_string();
    assert!(
        told.contains("99") && told.contains('1'),
        "names both versions: {told}"
    );
}

#[tokio::test]
async fn a_claim_that_was_taken_over_cannot_write_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    desk.paid("org-1").await;
    let flow = FlowName::from_static("workspace");
    let worker = WorkerId::new("same name");
    let mut fences = Vec::new();
    for _ in 0..2 {
        let leases = store
            .claim(&flow, &worker, 9, Duration::from_millis(5))
            .await
            .unwrap();
        fences.push(leases[0].clone());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(fences[1].fence > fences[0].fence);
    let long = Duration::from_secs(60);
    let held = store.renew(&fences, long).await.unwrap();
    assert_eq!(held, fences[1..], "only the newest claim is renewed");
    // Parked and woken again, the fence goes on from where it was.
    let revision = desk.open("org-1").await.revision();
    store.park(&fences[1], revision).await.unwrap();
    assert_eq!(store.next_due(&flow).await.unwrap(), None);
    let running = desk.open("org-1").await.into_in_progress().unwrap();
    let _ = desk.onramp.commit(running.cancel()).await.unwrap();
    let again = store.claim(&flow, &worker, 9, long).await.unwrap();
    assert!(again[0].fence > fences[1].fence);
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    desk.paid("org-1").await;
    let flow = FlowName::from_static("workspace");
    let worker = WorkerId::new("w");
    let long = Duration::from_secs(60);
    let old = store.claim(&flow, &worker, 9, long).await.unwrap();
    assert!(
        store
            .claim(&flow, &worker, 9, long)
            .await
            .unwrap()
            .is_empty()
    );
    sql(
        &file(&folder),
        "UPDATE onramp_queue SET due_at = due_at + 3600000000",
    )
    .await;
    let mut new = store.claim(&flow, &worker, 9, long).await.unwrap();
    new.extend(store.claim(&flow, &worker, 9, long).await.unwrap());
    assert_eq!(new.len(), 1, "an hour is more than twice a minute");
    assert!(new[0].fence > old[0].fence);
}

/// The same with a real clock that jumps.
#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_waiting_in_memory_either() {
    struct Jumping(Arc<std::sync::atomic::AtomicI64>);
    impl onramp::Clock for Jumping {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            let offset = self.0.load(std::sync::atomic::Ordering::SeqCst);
            onramp::SystemClock.now() + chrono::TimeDelta::seconds(offset)
        }
    }
    let offset = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let store = Arc::new(MemoryStore::with_clock(Jumping(Arc::clone(&offset))));
    let desk = Desk::new(store.clone(), Faults::default());
    desk.paid("org-1").await;
    let flow = FlowName::from_static("workspace");
    let worker = WorkerId::new("w");
    let long = Duration::from_secs(60);
    assert_eq!(store.claim(&flow, &worker, 9, long).await.unwrap().len(), 1);
    offset.store(-30, std::sync::atomic::Ordering::SeqCst);
    assert!(
        store
            .claim(&flow, &worker, 9, long)
            .await
            .unwrap()
            .is_empty()
    );
    offset.store(-3_600, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(store.claim(&flow, &worker, 9, long).await.unwrap().len(), 1);
}
