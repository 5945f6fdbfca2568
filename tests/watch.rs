//! Whoever watches an onboarding is told everything that happens to it, once and in order.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "watch/between.rs"]
mod between;
mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use between::Between;
use futures_core::Stream as _;
use onramp::Revision;
use onramp::engine::Engine;
use onramp::prelude::*;
use onramp::store::{ErrorKind, Progress, Watch};
use onramp::testing::Layered;
use support::{Desk, Faults, Paid, each_store};

const START: Revision = Revision::new(0);
/// So long that nobody waits for it by chance.
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn names(progress: &Progress) -> Vec<&'static str> {
    let happened = progress.events.iter().map(|event| event.happened.name());
    happened.collect()
}

/// What comes next, soon.
async fn next(watch: &mut Watch) -> Option<Progress> {
    let told = tokio::time::timeout(Duration::from_secs(10), watch.next());
    told.await.unwrap().map(Result::unwrap)
}

async fn all(mut watch: Watch) -> Vec<Progress> {
    let mut told = Vec::new();
    while let Some(progress) = next(&mut watch).await {
        told.push(progress);
    }
    assert_eq!(next(&mut watch).await, None, "it ended, and ends again");
    told
}

fn revisions(told: &[Progress]) -> Vec<u64> {
    told.iter().map(|p| p.revision.get()).collect()
}

fn in_time(watch: Watch) -> Watch {
    watch.pace(Duration::from_millis(5), Duration::from_millis(50))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_told_in_order_until_it_is_completed() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let id = desk.enrolled("org-1").await;
        let watch = in_time(desk.onramp.watch(desk.tenant(), id, START));
        let watching = tokio::spawn(all(watch));
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let told = watching.await.unwrap();
        let last = desk.open("org-1").await.revision().get();
        assert_eq!(revisions(&told), (1..=last).collect::<Vec<_>>());
        assert_eq!(names(&told[0]), ["created"]);
        assert_eq!(names(&told[1]), ["started"]);
        let end = told.last().unwrap();
        assert_eq!(names(end).last(), Some(&"completed"));
        assert_eq!(end.by, Actor::Worker);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_resumes_after_any_revision() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let done = desk.open("org-1").await;
        let (id, last) = (done.id(), done.revision().get());
        let whole = all(desk.onramp.watch(desk.tenant(), id, START)).await;
        for after in 0..=last {
            let watch = desk.onramp.watch(desk.tenant(), id, Revision::new(after));
            assert_eq!(all(watch).await, whole[after as usize..]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_after_a_failure_but_not_after_one_that_was_mended() {
    for store in each_store().await {
        let faults = Faults {
            fatal: 1,
            ..Faults::default()
        };
        let desk = Desk::new(store, faults);
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        let id = failed.id();
        let told = all(desk.onramp.watch(desk.tenant(), id, START)).await;
        assert_eq!(told.last().unwrap().revision, failed.revision());
        assert!(names(told.last().unwrap()).contains(&"failed"));

        let mended = desk.onramp.commit(failed.retry()).await.unwrap();
        let mut watch = in_time(desk.onramp.watch(desk.tenant(), id, START));
        for _ in 0..mended.revision().get() {
            assert!(next(&mut watch).await.is_some());
        }
        desk.engine().run_until_idle().await.unwrap();
        let told = all(watch).await;
        assert!(names(told.last().unwrap()).contains(&"completed"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_or_of_another_tenant_ends_at_once() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let id = desk.enrolled("org-1").await;
        let watch = desk
            .onramp
            .watch(desk.tenant(), OnboardingId::fresh(), START);
        assert_eq!(all(watch).await, []);
        let foreign = TenantId::new("globex").unwrap();
        assert_eq!(all(desk.onramp.watch(&foreign, id, START)).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_this_process_are_told_at_once() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let running = desk.answered("org-1").await;
        let id = running.id();
        let watch = desk.onramp.watch(desk.tenant(), id, running.revision());
        // By itself it would look again tomorrow.
        let mut watch = watch.pace(DAY, DAY);
        let moment = Duration::from_millis(50);
        assert!(tokio::time::timeout(moment, watch.next()).await.is_err());
        let paid = Paid {
            invoice: "inv-1".into(),
        };
        let _ = desk
            .onramp
            .clone()
            .commit(running.attest(paid))
            .await
            .unwrap();
        let told = next(&mut watch).await.unwrap();
        assert_eq!(names(&told), ["evidence_attested"]);
        let engine = Engine::builder(store).flow(desk.onramp.flow()).build();
        let (told, worked) = tokio::join!(all(watch), engine.run_until_idle());
        worked.unwrap();
        assert!(names(told.last().unwrap()).contains(&"completed"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_another_process_are_seen_by_looking() {
    // A store of its own, as another process has: nobody tells it of this one's commits.
    if let Some(url) = support::mysql_database().await {
        let open = async || Arc::new(MySqlStore::connect(&url).await.unwrap());
        let desk = Desk::new(open().await, Faults::default());
        let other = Desk::new(open().await, Faults::default());
        let running = desk.answered("org-1").await;
        let id = running.id();
        let watch = other.onramp.watch(other.tenant(), id, running.revision());
        let mut watch = in_time(watch);
        let moment = Duration::from_millis(50);
        assert!(tokio::time::timeout(moment, watch.next()).await.is_err());
        let paid = Paid {
            invoice: "inv-1".into(),
        };
        let _ = desk.onramp.commit(running.attest(paid)).await.unwrap();
        let told = next(&mut watch).await.unwrap();
        assert_eq!(names(&told), ["evidence_attested"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_wait_loses_nothing_as_a_future_and_as_a_stream() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let id = desk.enrolled("org-1").await;
        let mut watch = in_time(desk.onramp.watch(desk.tenant(), id, START));
        let working = tokio::spawn(async move {
            desk.paid("org-1").await;
            desk.engine().run_until_idle().await.unwrap();
            desk.open("org-1").await.revision().get()
        });
        let mut told = Vec::new();
        for turn in 0_u64.. {
            assert!(turn < 100_000, "it does not end");
            let wait = Duration::from_micros(turn % 700);
            let polled = async {
                match turn % 2 {
                    0 => watch.next().await,
                    _ => std::future::poll_fn(|cx| Pin::new(&mut watch).poll_next(cx)).await,
                }
            };
            match tokio::time::timeout(wait, polled).await {
                Ok(Some(progress)) => told.push(progress.unwrap()),
                Ok(None) => break,
                Err(_) => {}
            }
        }
        let last = working.await.unwrap();
        assert_eq!(revisions(&told), (1..=last).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_error_of_the_store_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("onboarding.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let desk = Desk::new(Arc::new(store.clone()), Faults::default());
    let id = desk.enrolled("org-1").await;
    let mut watch = in_time(desk.onramp.watch(desk.tenant(), id, START));
    assert!(next(&mut watch).await.is_some());
    store.close().await;
    for _ in 0..3 {
        let told = watch.next().await.unwrap();
        assert_eq!(told.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_comes_between_two_looks_is_told() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        desk.paid("org-1").await;
        let running = desk.open("org-1").await;
        let (tenant, id, after) = (desk.tenant().clone(), running.id(), running.revision());
        let late = Box::pin(async move { desk.engine().run_until_idle().await.unwrap() });
        let between = Between {
            inner: store,
            late: tokio::sync::Mutex::new(Some(late)),
        };
        let onlooker = Desk::new(Arc::new(Layered(between)), Faults::default());
        let told = all(in_time(onlooker.onramp.watch(&tenant, id, after))).await;
        let end = told.last().expect("the end was not told");
        assert!(names(end).contains(&"completed"));
    }
}
