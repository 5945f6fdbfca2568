//! A network that is slow, silent, or cut at any message of a commit: a commit is stored once or not
//! at all, and whoever asks afterwards is told which.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

#[path = "support/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use onramp::prelude::*;
use onramp::store::{NotAppliedBecause, SqlOptions};
use proxy::Proxy;
use support::{Desk, Faults, Paid, mysql_database, postgres_database};

/// A desk whose store is reached through a proxy, and one that reaches the same database directly.
struct Line {
    name: &'static str,
    proxy: Proxy,
    desk: Desk,
    direct: Desk,
}

fn patient(url: String) -> SqlOptions {
    SqlOptions::new(url).acquire_timeout(Duration::from_millis(250))
}

async fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    let server = |url: &str| {
        let (_, rest) = url.split_once('@').unwrap();
        Proxy::before(rest.split_once('/').unwrap().0)
    };
    if let Some(url) = postgres_database().await {
        let direct = PostgresStore::connect(&url).await.unwrap();
        let proxy = server(&url);
        let store = PostgresStore::connect_with(patient(proxy.url(&url))).await;
        lines.push(Line {
            name: "PostgreSQL",
            proxy,
            desk: Desk::new(Arc::new(store.unwrap()), Faults::default()),
            direct: Desk::new(Arc::new(direct), Faults::default()),
        });
    }
    if let Some(url) = mysql_database().await {
        let direct = MySqlStore::connect(&url).await.unwrap();
        let proxy = server(&url);
        let store = MySqlStore::connect_with(patient(proxy.url(&url))).await;
        lines.push(Line {
            name: "MariaDB",
            proxy,
            desk: Desk::new(Arc::new(store.unwrap()), Faults::default()),
            direct: Desk::new(Arc::new(direct), Faults::default()),
        });
    }
    lines
}

/// How a commit ended, as its caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Stored,
    NotStored,
    Unknown,
}

impl Line {
    /// Attests a payment through the proxy. Gives what was told, and checks that it is so.
    async fn commit(&self, label: &str) -> Told {
        let subject = &format!("org-{}", uuid::Uuid::now_v7());
        let running = self.direct.answered(subject).await;
        let before = running.revision();
        let change = running.attest(Paid {
            invoice: "inv-1".into(),
        });
        let token = change.in_doubt();
        let told = match self.desk.onramp.commit(change).await {
            Ok(_) => Told::Stored,
            Err(CommitError::NotApplied(not)) => {
                let why = not.because;
                assert!(matches!(why, NotAppliedBecause::Store(_)), "{label}: {why}");
                Told::NotStored
            }
            Err(CommitError::Unknown(_)) => Told::Unknown,
            Err(CommitError::Conflict(conflict)) => {
                unreachable!(
                    "{label}: nobody else is here, and it is {}",
                    conflict.current.revision()
                )
            }
        };
        // What was sent before the cut may still be on its way through the server.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.proxy.heal();
        let found = self.direct.onramp.resolve(&token).await.unwrap();
        let stored = matches!(found, Resolution::Committed(_));
        match told {
            Told::Stored => assert!(stored, "{label}: told stored, and it is not"),
            Told::NotStored => assert!(!stored, "{label}: told not stored, and it is"),
            Told::Unknown => {}
        }
        let now = self.direct.open(subject).await;
        let expected = if stored { before.next() } else { before };
        assert_eq!(now.revision(), expected, "{label}: once or not at all");
        self.direct.journal_holds(subject).await;
        told
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_is_cut_at_any_message_is_stored_once_or_not_at_all() {
    let mut all = tokio::task::JoinSet::new();
    for line in lines().await {
        all.spawn(cut_at_every_message(line));
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
}

async fn cut_at_every_message(line: Line) {
    assert_eq!(line.commit("warm").await, Told::Stored);
    for after in [false, true] {
        let mut seen = Vec::new();
        for message in 1.. {
            line.proxy.cut_at(message, after);
            let label = format!("{} cut at {message}, after: {after}", line.name);
            let told = line.commit(&label).await;
            seen.push(told);
            // So far that the cut did not happen any more.
            if told == Told::Stored {
                break;
            }
            assert!(message < 40, "{}: {seen:?}", line.name);
        }
        assert!(seen.len() > 1, "{}: nothing was cut: {seen:?}", line.name);
        // Its answer lost, the commit is in doubt; until then nothing is stored.
        assert!(
            !after || seen.contains(&Told::Unknown),
            "{}: {seen:?}",
            line.name
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cut_that_passes_is_not_even_noticed() {
    for line in lines().await {
        for after in [false, true] {
            line.proxy.cut_at(1, after);
            let proxy = &line.proxy;
            let label = format!("{} cut, after: {after}", line.name);
            let told = tokio::task::block_in_place(|| {
                std::thread::scope(|threads| {
                    threads.spawn(|| proxy.heal_after_cut());
                    tokio::runtime::Handle::current().block_on(line.commit(&label))
                })
            });
            assert_eq!(told, Told::Stored, "{label}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_network_only_takes_longer() {
    for line in lines().await {
        line.proxy.delay(Duration::from_millis(100));
        let began = Instant::now();
        assert_eq!(line.commit("slow").await, Told::Stored);
        assert!(began.elapsed() >= Duration::from_millis(200));
        line.proxy.delay(Duration::ZERO);
    }
}
