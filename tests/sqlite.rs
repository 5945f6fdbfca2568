//! What a host sees when a SQLite file gives trouble: dropped futures, a row that cannot be read, a
//! clock that was set back. What the store itself does is in `sqlite_file.rs`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::{ClaimRequest, ErrorKind, WorkerId};
use onramp::{FlowName, Key};
use sqlx::{ConnectOptions, Row, sqlite::SqliteConnectOptions};
use support::{Desk, Faults};

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
async fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(file(&folder)).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    desk.paid("org-1").await;
    let flow = FlowName::from_static("workspace");
    let worker = WorkerId::new("w");
    let long = Duration::from_secs(60);
    let old = store
        .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
        .await
        .unwrap();
    assert!(
        store
            .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
            .await
            .unwrap()
            .is_empty()
    );
    sql(
        &file(&folder),
        "UPDATE onramp_queue SET due_at = due_at + 3600000000",
    )
    .await;
    let mut new = store
        .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
        .await
        .unwrap();
    new.extend(
        store
            .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
            .await
            .unwrap(),
    );
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
    assert_eq!(
        store
            .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
            .await
            .unwrap()
            .len(),
        1
    );
    offset.store(-30, std::sync::atomic::Ordering::SeqCst);
    assert!(
        store
            .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
            .await
            .unwrap()
            .is_empty()
    );
    offset.store(-3_600, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(
        store
            .claim(&ClaimRequest::new(&flow, &worker).max(9).lease(long))
            .await
            .unwrap()
            .len(),
        1
    );
}
