//! From the commit to the copies: repeated, reordered, killed in between.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use onramp::Key;
use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::prelude::*;
use onramp::store::OutboxMessage;
use onramp::tiers::{
    MemoryMirror, Mirror, MirrorError, Observed, Projected, Stored, Tag, Tier, Tiered,
};

use crate::desk::{Desk, FRESH};
use crate::support::Workspace;

fn relay(desk: &Desk, notifier: impl Notifier) -> Relay {
    let quick = RetryPolicy::new(20)
        .base(Duration::from_millis(1))
        .cap(Duration::from_millis(2));
    Relay::builder(Arc::clone(desk.onramp.store()))
        .notifier(notifier)
        .retry(quick)
        .timeout(Duration::from_millis(200))
        .build()
}

fn patience() -> RetryPolicy {
    RetryPolicy::new(2)
        .base(Duration::from_millis(1))
        .cap(Duration::from_millis(1))
}

#[tokio::test]
async fn what_was_committed_reaches_the_mirror_and_then_the_local_copy() {
    let desk = Desk::new();
    desk.completed("org-1").await;
    relay(&desk, desk.tiers.projector())
        .run_until_idle()
        .await
        .unwrap();
    let mirrored = desk.mirrored("org-1").await.unwrap();
    assert_eq!(mirrored["status"]["stage"], "completed");
    assert_eq!(
        desk.read("org-1").await.source(),
        Tier::Local,
        "nobody has read before"
    );
}

/// Keeps every message, to be delivered as the test likes.
#[derive(Default)]
struct Postbag(Mutex<Vec<OutboxMessage>>);

#[async_trait]
impl Notifier for Postbag {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        self.0.lock().unwrap().push(message.clone());
        Ok(())
    }
}

#[tokio::test]
async fn deliveries_may_come_again_and_in_any_order() {
    let desk = Desk::new();
    let bag = Arc::new(Postbag::default());
    desk.completed("org-1").await;
    relay(&desk, Arc::clone(&bag))
        .run_until_idle()
        .await
        .unwrap();
    let messages = bag.0.lock().unwrap().clone();
    let topics: Vec<_> = messages.iter().map(|m| m.topic.as_str()).collect();
    assert_eq!(topics, ["started", "completed"]);
    let projector = desk.tiers.projector();
    for order in [[1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]] {
        for which in order {
            projector.notify(&messages[which]).await.unwrap();
            let revision = &desk.mirrored("org-1").await.unwrap()["status"]["revision"];
            assert_eq!(*revision, 3, "the newest, whatever message it was");
        }
    }
    let tag = desk.mirror.load(&desk.key("org-1")).await.unwrap().tag;
    assert_eq!(
        tag,
        Tag::new("1"),
        "written once: the rest had nothing to say"
    );
}

/// Where a process dies: the call never ends, and then its future is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dies {
    BeforeLoad,
    BeforeStore,
    AfterStore,
}

struct Deadly {
    mirror: Arc<MemoryMirror>,
    dies: Dies,
}

#[async_trait]
impl Mirror for Deadly {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        if self.dies == Dies::BeforeLoad {
            std::future::pending::<()>().await;
        }
        self.mirror.load(key).await
    }

    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        if self.dies == Dies::BeforeStore {
            std::future::pending::<()>().await;
        }
        self.mirror.store(key, text, at).await?;
        std::future::pending::<()>().await;
        Ok(())
    }
}

#[tokio::test]
async fn whatever_a_kill_leaves_behind_the_next_process_makes_up_for() {
    for dies in [Dies::BeforeLoad, Dies::BeforeStore, Dies::AfterStore] {
        let desk = Desk::new();
        desk.completed("org-1").await;
        let mirror = Arc::clone(&desk.mirror);
        let dying = Tiered::builder(desk.behind.clone()).mirror(Deadly { mirror, dies });
        let dying = dying
            .mirror_within(Duration::from_secs(60))
            .build()
            .unwrap();
        let running = relay(&desk, dying.projector());
        let killed = tokio::time::timeout(Duration::from_millis(50), running.run_until_idle());
        assert!(
            killed.await.is_err(),
            "{dies:?}: it was killed while it was at it"
        );
        let there = desk.mirrored("org-1").await.is_some();
        assert_eq!(there, dies == Dies::AfterStore, "{dies:?}");

        // The next process knows nothing, and is told again.
        relay(&desk, desk.tiers.projector())
            .run_until_idle()
            .await
            .unwrap();
        let mirrored = desk.mirrored("org-1").await.unwrap();
        assert_eq!(mirrored["status"]["stage"], "completed", "{dies:?}");
        assert_eq!(desk.read("org-1").await.source(), Tier::Local, "{dies:?}");
        assert!(desk.onramp.store().dead_outbox(9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_mirror_that_is_away_is_tried_again_and_keeps_no_local_copy_back() {
    let mut desk = Desk::new();
    let seen: Arc<Mutex<Vec<Option<&'static str>>>> = Arc::default();
    let told = Arc::clone(&seen);
    desk.tiers = Tiered::builder(desk.behind.clone())
        .mirror(crate::desk::SwitchedMirror {
            mirror: Arc::clone(&desk.mirror),
            off: Arc::clone(&desk.mirror_off),
        })
        .retry(patience())
        .observe(move |observed| {
            if let Observed::Mirrored { code, attempts, .. } = observed {
                assert_eq!(*attempts, if code.is_some() { 2 } else { 1 });
                told.lock().unwrap().push(*code);
            }
        })
        .build()
        .unwrap();
    desk.completed("org-1").await;
    desk.mirror_off.store(true, SeqCst);
    let relay = relay(&desk, desk.tiers.projector());
    let idle = tokio::spawn(async move { relay.run_until_idle().await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(desk.read("org-1").await.source(), Tier::Local);
    desk.mirror_off.store(false, SeqCst);
    idle.await.unwrap().unwrap();
    assert_eq!(
        desk.mirrored("org-1").await.unwrap()["status"]["stage"],
        "completed"
    );
    let seen = seen.lock().unwrap();
    assert_eq!(seen.first(), Some(&Some("mirror_unavailable")));
    assert_eq!(seen.last(), Some(&None));
}

/// Counts, and fails so often.
struct Webhook(AtomicU32, AtomicU32);

#[async_trait]
impl Notifier for Webhook {
    async fn notify(&self, _: &OutboxMessage) -> Result<(), NotifyError> {
        self.0.fetch_add(1, SeqCst);
        let fails = self
            .1
            .fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1))
            .is_ok();
        match fails {
            true => Err(NotifyError::retryable("busy", "503")),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_welcome_goes_out_while_the_mirror_is_away_and_only_once() {
    let desk = Desk::new();
    let bag = Arc::new(Postbag::default());
    let _ = desk.started("org-1").await;
    relay(&desk, Arc::clone(&bag))
        .run_until_idle()
        .await
        .unwrap();
    let message = bag.0.lock().unwrap()[0].clone();
    let webhook = Arc::new(Webhook(AtomicU32::new(0), AtomicU32::new(1)));
    let projector = desk.tiers.projector().and_then(Arc::clone(&webhook));
    desk.mirror_off.store(true, SeqCst);
    let busy = projector.notify(&message).await.unwrap_err();
    assert_eq!(busy.code(), "busy");
    for _ in 0..3 {
        let away = projector.notify(&message).await.unwrap_err();
        assert_eq!(
            (away.code(), away.is_retryable()),
            ("mirror_unavailable", true)
        );
    }
    assert_eq!(webhook.0.load(SeqCst), 2, "refused once, taken once");
    desk.mirror_off.store(false, SeqCst);
    projector.notify(&message).await.unwrap();
    assert_eq!(webhook.0.load(SeqCst), 2);
    assert!(desk.mirrored("org-1").await.is_some());
}

#[tokio::test]
async fn messages_of_other_flows_are_none_of_its_business() {
    let desk = Desk::new();
    let bag = Arc::new(Postbag::default());
    let _ = desk.started("org-1").await;
    relay(&desk, Arc::clone(&bag))
        .run_until_idle()
        .await
        .unwrap();
    let mut message = bag.0.lock().unwrap()[0].clone();
    message.key.flow = "another".into();
    desk.tiers.projector().notify(&message).await.unwrap();
    assert_eq!(desk.mirrored("org-1").await, None);
}

#[tokio::test]
async fn a_host_may_project_between_messages() {
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    let key = desk.key("org-1");
    let projector = desk.tiers.projector();
    let project = async || projector.project(&key.tenant, &key.subject).await.unwrap();
    assert_eq!(project().await, Projected::Changed);
    assert_eq!(project().await, Projected::Unchanged);
    desk.login("org-1").await;
    desk.clock.pass(FRESH);
    assert_eq!(project().await, Projected::Changed);
    let nobody = SubjectId::new("nobody").unwrap();
    let none = projector.project(&key.tenant, &nobody).await.unwrap();
    assert_eq!(none, Projected::NotEnrolled);
}

/// Somebody else writes before each of our first writes.
struct Racing {
    mirror: Arc<MemoryMirror>,
    races: AtomicU32,
}

#[async_trait]
impl Mirror for Racing {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        self.mirror.load(key).await
    }

    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        let race = self
            .races
            .fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1));
        if race.is_ok() {
            self.mirror.forge(key, Some("somebody else's".to_owned()));
        }
        self.mirror.store(key, text, at).await
    }
}

#[tokio::test]
async fn a_race_for_the_mirror_is_lost_and_run_again() {
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    let racing = Racing {
        mirror: Arc::clone(&desk.mirror),
        races: AtomicU32::new(5),
    };
    let tiers: Tiered<Workspace> = Tiered::builder(desk.behind.clone())
        .mirror(racing)
        .build()
        .unwrap();
    let key = desk.key("org-1");
    let projected = tiers.projector().project(&key.tenant, &key.subject).await;
    assert_eq!(projected.unwrap(), Projected::Changed);
    assert_eq!(
        desk.mirrored("org-1").await.unwrap()["status"]["revision"],
        2
    );
}
