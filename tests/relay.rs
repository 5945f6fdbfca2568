//! Messages are delivered at least once, in the order of each onboarding, and nobody holds up others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::prelude::*;
use onramp::store::OutboxMessage;
use support::{Desk, Faults, each_store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What a notifier does, by subject and topic, and how many times; the last one for good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Deliver,
    Busy,
    Final,
    Nameless,
    Panic,
    Hang,
}

/// One attempt at delivering a message.
#[derive(Clone)]
struct Tried {
    id: Uuid,
    onboarding: OnboardingId,
    topic: String,
}

#[derive(Default)]
struct Post {
    ways: Mutex<BTreeMap<(String, String), Vec<Way>>>,
    tried: Mutex<Vec<Tried>>,
    delivered: Mutex<Vec<Tried>>,
    busy: Mutex<BTreeSet<OnboardingId>>,
    begun: Notify,
    slow: bool,
}

impl Post {
    fn slow() -> Self {
        Self {
            slow: true,
            ..Self::default()
        }
    }

    fn goes(self, subject: &str, topic: &str, ways: &[Way]) -> Self {
        let key = (subject.to_owned(), topic.to_owned());
        self.ways.lock().unwrap().insert(key, ways.to_vec());
        self
    }

    fn way(&self, message: &OutboxMessage) -> Way {
        let subject = message.key.subject.as_str().to_owned();
        let mut ways = self.ways.lock().unwrap();
        match ways.get_mut(&(subject, message.topic.clone())) {
            Some(ways) if ways.len() > 1 => ways.remove(0),
            Some(ways) => ways[0],
            None => Way::Deliver,
        }
    }

    fn topics(&self, of: OnboardingId) -> Vec<String> {
        let delivered = self.delivered.lock().unwrap();
        let of_it = delivered.iter().filter(|tried| tried.onboarding == of);
        of_it.map(|tried| tried.topic.clone()).collect()
    }

    fn tries(&self) -> usize {
        self.tried.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl Notifier for Post {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let tried = Tried {
            id: message.id,
            onboarding: message.onboarding,
            topic: message.topic.clone(),
        };
        let id = tried.onboarding;
        self.tried.lock().unwrap().push(tried.clone());
        let way = self.way(message);
        if way != Way::Hang {
            let alone = self.busy.lock().unwrap().insert(id);
            assert!(alone, "two messages of one onboarding at the same time");
            if self.slow {
                let micros = u64::from(message.id.as_bytes()[0]) * 20;
                tokio::time::sleep(Duration::from_micros(micros)).await;
            }
            self.busy.lock().unwrap().remove(&id);
        }
        match way {
            Way::Deliver => self.delivered.lock().unwrap().push(tried),
            Way::Busy => return Err(NotifyError::retryable("busy", "503 from 10.0.0.7")),
            Way::Final => return Err(NotifyError::fatal("receiver_gone", "410 from 10.0.0.7")),
            Way::Nameless => return Err(NotifyError::fatal("410 Gone!", "410 from 10.0.0.7")),
            Way::Panic => panic!("injected"),
            Way::Hang => {
                self.begun.notify_one();
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }
}

fn quick() -> RetryPolicy {
    RetryPolicy::new(3)
        .base(Duration::from_millis(2))
        .cap(Duration::from_millis(4))
}

fn relay(store: &Arc<dyn Store>, post: &Arc<Post>) -> Relay {
    Relay::builder(Arc::clone(store))
        .notifier(Arc::clone(post))
        .retry(quick())
        .build()
}

/// So long that nobody waits for it by chance.
const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Through a failure and a retry to completion, which is told by four messages.
async fn four_messages(desk: &Desk, subject: &str) -> OnboardingId {
    desk.faults.lock().unwrap().fatal = 1;
    desk.paid(subject).await;
    desk.engine().run_until_idle().await.unwrap();
    let failed = desk.open(subject).await.into_failed().unwrap();
    let _ = desk.onramp.commit(failed.retry()).await.unwrap();
    desk.engine().run_until_idle().await.unwrap();
    let done = desk.open(subject).await;
    assert_eq!(done.stage(), StageKind::Completed);
    done.id()
}

const FOUR: [&str; 4] = ["started", "failed", "retried", "completed"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_onboardings_messages_come_in_order_one_after_the_other() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let mut ids = Vec::new();
        for n in 0..6 {
            ids.push(four_messages(&desk, &format!("org-{n}")).await);
        }
        // One of them needs a second attempt in the middle.
        let post = Post::slow().goes("org-3", "failed", &[Way::Busy, Way::Deliver]);
        let post = Arc::new(post);
        relay(&store, &post).run_until_idle().await.unwrap();
        for id in ids {
            assert_eq!(post.topics(id), FOUR);
        }
        assert_eq!(post.tries(), 25);
        assert_eq!(store.outbox_lag().await.unwrap().oldest, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_between_delivery_and_its_mark_the_same_message_comes_again() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let id = four_messages(&desk, "org-1").await;
        let post = Post::default().goes("org-1", "started", &[Way::Hang, Way::Deliver]);
        let post = Arc::new(post);
        let dying = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&post))
            .timeout(Duration::from_millis(300))
            .build();
        let dying = tokio::spawn(async move { dying.run_until_idle().await });
        post.begun.notified().await;
        // The receiver has it; its process dies before the store is told.
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        relay(&store, &post).run_until_idle().await.unwrap();
        let tried = post.tried.lock().unwrap().clone();
        assert_eq!(tried[0].topic, "started");
        assert_eq!(tried[0].id, tried[1].id, "not the same message");
        assert_eq!(post.topics(id), FOUR, "nothing came before it");
        assert_eq!(tried.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_attempt_is_left_alone_until_its_delay_is_over() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let _ = desk.answered("org-1").await;
        let post = Arc::new(Post::default().goes("org-1", "started", &[Way::Busy]));
        let patient = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&post))
            .poll(Duration::from_millis(5))
            .retry(RetryPolicy::new(3).base(DAY).cap(DAY))
            .build();
        let idle = tokio::time::timeout(Duration::from_millis(400), patient.run_until_idle());
        assert!(idle.await.is_err(), "it does not wait for the next attempt");
        assert_eq!(post.tries(), 1);
        let next = store.next_outbox().await.unwrap().unwrap();
        assert!(next > Duration::from_millis(1) && next <= DAY, "{next:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_to_the_end_is_dead_and_can_be_revived() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let id = four_messages(&desk, "org-1").await;
        let other = four_messages(&desk, "org-2").await;
        let post = Post::default()
            .goes("org-1", "started", &[Way::Busy])
            .goes("org-1", "retried", &[Way::Final])
            .goes("org-2", "completed", &[Way::Nameless]);
        let post = Arc::new(post);
        relay(&store, &post).run_until_idle().await.unwrap();
        // The later ones did not wait for ever.
        assert_eq!(post.topics(id), ["failed", "completed"]);
        assert_eq!(post.topics(other), FOUR[..3]);
        let dead = store.dead_outbox(10).await.unwrap();
        let mut told: Vec<_> = dead
            .iter()
            .map(|d| (d.message.topic.as_str(), d.reason.as_str(), d.attempts))
            .collect();
        told.sort_unstable();
        let expected = [
            ("completed", "other", 1),
            ("retried", "receiver_gone", 1),
            ("started", "busy", 3),
        ];
        assert_eq!(told, expected);
        let lag = store.outbox_lag().await.unwrap();
        assert_eq!((lag.oldest, lag.dead), (None, 3));

        // The receiver is there again, and an operator revives two of them.
        post.ways.lock().unwrap().clear();
        for letter in &dead {
            if letter.message.onboarding == id {
                assert!(store.revive_outbox(letter.message.id).await.unwrap());
            }
        }
        relay(&store, &post).run_until_idle().await.unwrap();
        assert_eq!(
            post.topics(id),
            ["failed", "completed", "started", "retried"]
        );
        assert_eq!(store.outbox_lag().await.unwrap().dead, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_and_a_timeout_are_failed_attempts() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let ways = [Way::Panic, Way::Hang, Way::Deliver];
        let id = desk.answered("org-1").await.id();
        let hopeless = desk.answered("org-2").await.id();
        let also = desk.answered("org-3").await.id();
        let post = Post::default()
            .goes("org-1", "started", &ways)
            .goes("org-2", "started", &[Way::Panic])
            .goes("org-3", "started", &[Way::Hang]);
        let post = Arc::new(post);
        let relay = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&post))
            .timeout(Duration::from_millis(150))
            .retry(quick())
            .build();
        relay.run_until_idle().await.unwrap();
        assert_eq!(post.topics(id), ["started"]);
        let dead = store.dead_outbox(9).await.unwrap();
        let told = dead
            .iter()
            .map(|d| (d.message.onboarding, d.reason.as_str(), d.attempts));
        let told: BTreeSet<_> = told.collect();
        let expected = [(hopeless, "panicked", 3), (also, "timed_out", 3)];
        assert_eq!(told, BTreeSet::from(expected));
        assert_eq!(post.tries(), 9);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_always_kills_its_process_is_given_up() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let _ = desk.answered("org-1").await;
        let moment = Duration::from_millis(1);
        for attempt in 1..=3 {
            let taken = store.take_outbox(1, moment).await.unwrap();
            assert_eq!(taken[0].attempt, attempt);
            tokio::time::sleep(10 * moment).await;
        }
        let post = Arc::new(Post::default());
        relay(&store, &post).run_until_idle().await.unwrap();
        assert_eq!(post.tries(), 0);
        let dead = store.dead_outbox(9).await.unwrap();
        assert_eq!(dead[0].reason, "interrupted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_at_once_deliver_each_message_once() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let mut ids = Vec::new();
        for n in 0..30 {
            desk.paid(&format!("org-{n}")).await;
            ids.push(desk.open(&format!("org-{n}")).await.id());
        }
        let post = Arc::new(Post::slow());
        let relays = (0..3).map(|_| {
            let relay = Relay::builder(Arc::clone(&store))
                .notifier(Arc::clone(&post))
                .concurrency(4)
                .build();
            tokio::spawn(async move { relay.run_until_idle().await })
        });
        let relays: Vec<_> = relays.collect();
        // More of each comes while they are at it.
        desk.engine().run_until_idle().await.unwrap();
        for relay in relays {
            relay.await.unwrap().unwrap();
        }
        relay(&store, &post).run_until_idle().await.unwrap();
        for id in ids {
            assert_eq!(post.topics(id), ["started", "completed"]);
        }
        assert_eq!(post.tries(), 60, "some were delivered twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_slow_or_fails_holds_nobody_up() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let mut post = Post::default();
        for n in 0..3 {
            four_messages(&desk, &format!("slow-{n}")).await;
            post = post.goes(&format!("slow-{n}"), "started", &[Way::Hang]);
            four_messages(&desk, &format!("failing-{n}")).await;
            post = post.goes(&format!("failing-{n}"), "started", &[Way::Busy]);
        }
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(four_messages(&desk, &format!("org-{n}")).await);
        }
        let post = Arc::new(post);
        let relay = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&post))
            .concurrency(4)
            .retry(RetryPolicy::new(3).base(DAY).cap(DAY))
            .timeout(DAY)
            .build();
        let working = tokio::spawn(async move { relay.run_until_idle().await });
        until("others wait", || {
            ids.iter().all(|id| post.topics(*id) == FOUR)
        })
        .await;
        working.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_is_woken_by_commits_and_ends_when_told() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let onramp = desk.onramp.clone();
        let post = Arc::new(Post::default());
        let relay = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&post))
            .poll(DAY)
            .build();
        let shutdown = CancellationToken::new();
        let working = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { relay.run(shutdown).await }
        });
        // It has looked, found nothing, and would look again tomorrow.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let pending = desk.pending("org-1").await;
        let clearance = onramp.clear(&pending).await.unwrap();
        let running = onramp.commit(pending.start(clearance)).await.unwrap();
        until("it is not woken", || post.topics(running.id()).len() == 1).await;
        shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(5), working);
        ended.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_shutdown_what_is_under_way_is_finished_and_nothing_more_is_taken() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        for n in 0..9 {
            let _ = desk.answered(&format!("org-{n}")).await;
        }
        let post = Arc::new(Post::default().goes("org-0", "started", &[Way::Hang]));
        let relay = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&post))
            .concurrency(1)
            .timeout(Duration::from_millis(300))
            .retry(RetryPolicy::new(3).base(DAY).cap(DAY))
            .build();
        let shutdown = CancellationToken::new();
        let working = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { relay.run(shutdown).await }
        });
        post.begun.notified().await;
        shutdown.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(5), working);
        ended.await.unwrap().unwrap();
        // The one that was under way has been settled: it comes again after its delay, not its hiding.
        assert_eq!(post.tries(), 1);
        let taken = store.take_outbox(99, DAY).await.unwrap();
        assert_eq!(taken.len(), 8);
        let next = store.next_outbox().await.unwrap().unwrap();
        assert!(next > Duration::from_secs(1), "{next:?}");
    }
}

/// Has told its relay to end by the time that a few are delivered.
struct Impatient {
    shutdown: CancellationToken,
    delivered: AtomicUsize,
}

#[async_trait::async_trait]
impl Notifier for Impatient {
    async fn notify(&self, _: &OutboxMessage) -> Result<(), NotifyError> {
        if self.delivered.fetch_add(1, SeqCst) == 2 {
            self.shutdown.cancel();
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_does_not_keep_a_relay_from_ending() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        for n in 0..80 {
            let _ = desk.answered(&format!("org-{n}")).await;
        }
        let shutdown = CancellationToken::new();
        let impatient = Arc::new(Impatient {
            shutdown: shutdown.clone(),
            delivered: AtomicUsize::new(0),
        });
        let relay = Relay::builder(Arc::clone(&store))
            .notifier(Arc::clone(&impatient))
            // Always room for one more: so it never has to wait for one to end.
            .concurrency(16)
            .batch(1)
            .build();
        relay.run(shutdown).await;
        let delivered = impatient.delivered.load(SeqCst);
        // Those that were delivered, the fifteen others under way then, and one of the round at hand.
        assert!(delivered <= 3 + 15 + 1, "{delivered} were delivered");
        let left = store.take_outbox(99, DAY).await.unwrap();
        assert_eq!(left.len(), 80 - delivered, "what was delivered is settled");
    }
}
