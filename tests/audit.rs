//! What was changed past the journal is found, and named.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::sync::Arc;

use onramp::prelude::*;
use onramp::store::{ErrorKind, Unverified};
use sqlx::{ConnectOptions as _, Executor as _};
use support::{Desk, Faults, each_store};

async fn verify(desk: &Desk, subject: &str) -> Result<u64, Unverified> {
    let id = desk.open(subject).await.id();
    let verified = desk.onramp.verify_journal(desk.tenant(), id).await?;
    assert!(verified.erased.is_empty());
    Ok(verified.entries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_stored_as_it_should_be_is_verified() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let now = desk.open("org-1").await;
        assert_eq!(verify(&desk, "org-1").await.unwrap(), now.revision().get());
        let other = TenantId::new("other").unwrap();
        let foreign = desk.onramp.verify_journal(&other, now.id()).await;
        assert!(matches!(foreign, Err(Unverified::Absent)), "{foreign:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_moves_on_meanwhile_is_verified_all_the_same() {
    for store in each_store().await {
        let desk = Arc::new(Desk::new(store, Faults::default()));
        desk.paid("org-1").await;
        let working = Arc::clone(&desk);
        let work = tokio::spawn(async move { working.engine().run_until_idle().await });
        while !work.is_finished() {
            match verify(&desk, "org-1").await {
                Ok(_) => {}
                Err(Unverified::Store(busy)) if busy.kind() == ErrorKind::Unavailable => {}
                Err(other) => unreachable!("{other}"),
            }
        }
        work.await.unwrap().unwrap();
    }
}

/// An onboarding of four entries in a file of its own, changed by a statement.
async fn tampered(folder: &Path, number: usize, sql: &'static str) -> Unverified {
    let file = folder.join(format!("{number}.db"));
    let store = SqliteStore::open(&file).await.unwrap();
    let desk = Desk::new(Arc::new(store), Faults::default());
    desk.paid("org-1").await;
    assert_eq!(verify(&desk, "org-1").await.unwrap(), 4);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut by_hand = options.connect().await.unwrap();
    let changed = by_hand.execute(sql).await.unwrap().rows_affected();
    assert_eq!(changed, 1, "{sql}");
    verify(&desk, "org-1").await.unwrap_err()
}

#[tokio::test]
async fn every_change_past_the_journal_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let journal = |revision: u64| {
        format!("the journal is not as it was written, from revision {revision} on")
    };
    let fact =
        |step: &str| format!("the fact of step {step:?} is not one that the journal tells of");
    let cases = [
        (
            "UPDATE onramp_journal SET events = replace(events, 'started', 'startet') WHERE revision = 2",
            journal(2),
        ),
        (
            "UPDATE onramp_journal SET hash = zeroblob(32) WHERE revision = 3",
            journal(3),
        ),
        (
            "UPDATE onramp_journal SET command = zeroblob(16) WHERE revision = 1",
            journal(1),
        ),
        (
            "UPDATE onramp_journal SET given_by = 'worker' WHERE revision = 3",
            journal(3),
        ),
        (
            "UPDATE onramp_journal SET at = at + 1 WHERE revision = 4",
            journal(4),
        ),
        (
            "UPDATE onramp_journal SET revision = 9 WHERE revision = 3",
            journal(3),
        ),
        ("DELETE FROM onramp_journal WHERE revision = 2", journal(2)),
        (
            "DELETE FROM onramp_journal WHERE revision = 4",
            "the journal ends at revision 3, the onboarding is at 4".into(),
        ),
        (
            "UPDATE onramp_onboarding SET head = zeroblob(32)",
            "the onboarding's head is not the hash of its newest journal entry".into(),
        ),
        (
            "UPDATE onramp_onboarding SET state = replace(state, 'company', 'kompany')",
            "the stored state is not what the events add up to".into(),
        ),
        (
            "UPDATE onramp_fact SET payload = replace(payload, 'Acme', 'Emca') WHERE step = 'company'",
            fact("company"),
        ),
        (
            "UPDATE onramp_fact SET salt = zeroblob(16) WHERE step = 'payment'",
            fact("payment"),
        ),
        (
            "UPDATE onramp_fact SET version = 2 WHERE step = 'payment'",
            fact("payment"),
        ),
        (
            "UPDATE onramp_fact SET step = 'build_site' WHERE step = 'payment'",
            fact("build_site"),
        ),
    ];
    for (number, (sql, expected)) in cases.into_iter().enumerate() {
        let why = tampered(folder.path(), number, sql).await;
        assert_eq!(why.to_string(), expected, "{sql}");
    }
}

#[tokio::test]
async fn facts_that_are_gone_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("onboarding.db");
    let store = SqliteStore::open(&file).await.unwrap();
    let desk = Desk::new(Arc::new(store), Faults::default());
    desk.paid("org-1").await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut by_hand = options.connect().await.unwrap();
    by_hand.execute("DELETE FROM onramp_fact").await.unwrap();
    let id = desk.open("org-1").await.id();
    let verified = desk.onramp.verify_journal(desk.tenant(), id).await.unwrap();
    let gone: Vec<_> = verified
        .erased
        .iter()
        .map(onramp::StepName::as_str)
        .collect();
    assert_eq!((gone, verified.facts), (vec!["company", "payment"], 0));
}
