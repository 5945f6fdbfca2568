//! Group commit: those who wait together are stored together, and none harms another.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use onramp::flow::EncodedFact;
use onramp::lifecycle::{Action, Command, decide, evolve};
use onramp::prelude::*;
use onramp::store::{
    Commit, CommitOutcome, FactChange, FactRecord, JournalEntry, QueueChange, Row, hash,
};
use onramp::{Clock as _, SystemClock};
use onramp::{CommandId, StepName};
use support::{Company, Desk, Faults, each_store};
use tokio::task::JoinSet;

fn company() -> Company {
    Company {
        name: "Acme".into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_that_hold_are_stored_and_the_others_are_told() {
    for store in each_store().await {
        let desk = Arc::new(Desk::new(store, Faults::default()));
        let mut waiting = JoinSet::new();
        for number in 0..64 {
            let subject = format!("org-{number}");
            let stale = desk.answered(&subject).await;
            let moves = number % 2 == 0;
            if moves {
                let now = desk.open(&subject).await.into_in_progress().unwrap();
                let _ = desk.onramp.commit(now.cancel()).await.unwrap();
            }
            let desk = Arc::clone(&desk);
            waiting.spawn(async move {
                let ended = desk.onramp.commit(stale.cancel()).await;
                match ended {
                    Ok(_) => assert!(!moves, "{subject} was moved before"),
                    Err(CommitError::Conflict(_)) => assert!(moves, "{subject} was not moved"),
                    Err(other) => panic!("{subject}: {other}"),
                }
                desk.journal_holds(&subject).await;
            });
        }
        while let Some(ended) = waiting.join_next().await {
            ended.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_wait_share_a_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("onboarding.db"))
        .await
        .unwrap();
    let desk = Arc::new(Desk::new(Arc::new(store.clone()), Faults::default()));
    let before = store.written();
    let mut waiting = JoinSet::new();
    for number in 0..200 {
        let desk = Arc::clone(&desk);
        waiting.spawn(async move {
            let subject = format!("org-{number}");
            let _ = desk.answered(&subject).await;
            desk.journal_holds(&subject).await;
        });
    }
    while let Some(ended) = waiting.join_next().await {
        ended.unwrap();
    }
    let written = store.written();
    let members = written.members - before.members;
    let transactions = written.transactions - before.transactions;
    assert_eq!(members, 600, "a creation and two commits each");
    assert!(transactions < members / 3, "{transactions} transactions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creations_of_one_key_one_is_fresh() {
    for store in each_store().await {
        let desk = Arc::new(Desk::new(store, Faults::default()));
        let mut waiting = JoinSet::new();
        for number in 0..100 {
            let desk = Arc::clone(&desk);
            // Others between them, so that they meet in one transaction and in several.
            let subject = format!("org-{}", if number % 3 == 0 { 0 } else { number });
            waiting.spawn(async move { (subject.clone(), desk.enrolled(&subject).await) });
        }
        let mut ids = std::collections::BTreeMap::new();
        while let Some(ended) = waiting.join_next().await {
            let (subject, id) = ended.unwrap();
            assert_eq!(*ids.entry(subject).or_insert(id), id);
        }
        assert_eq!(ids.len(), 67);
    }
}

/// A commit that the rules would not make, for what only a store sees.
async fn raw(desk: &Desk, subject: &str, facts: Vec<FactChange>) -> Commit {
    let running = desk.answered(subject).await;
    let store = desk.onramp.store();
    let row = store
        .load(desk.tenant(), running.id())
        .await
        .unwrap()
        .unwrap();
    let cancel = Command {
        by: Actor::Host,
        action: Action::Cancel,
    };
    let now = SystemClock.now();
    let events = decide(&row.state, desk.onramp.flow().plan(), &cancel, now).unwrap();
    let state = evolve(row.state.clone(), &events);
    let mut entry = JournalEntry {
        onboarding: state.id(),
        revision: state.revision(),
        command: CommandId::fresh(),
        by: Actor::Host,
        at: now,
        events: serde_json::to_string(&events).unwrap(),
        hash: row.head,
    };
    entry.hash = hash(row.head, &entry);
    Commit {
        expected: row.state.revision(),
        fence: None,
        row: Row {
            head: entry.hash,
            state,
        },
        facts,
        entry,
        reservations: Vec::new(),
        outbox: Vec::new(),
        queue: QueueChange::Keep,
    }
}

fn put(step: &'static str, json: &str) -> FactChange {
    let step = StepName::from_static(step);
    FactChange::Put(FactRecord {
        fact: EncodedFact::from_stored(step, 1, json.to_owned()).unwrap(),
        salt: [7; 16],
        by: Actor::Subject,
        at: chrono::DateTime::from_timestamp(1, 0).unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_changes_of_facts_go_the_longer_way() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let changes = vec![
            put("a", "1"),
            put("b", "2"),
            FactChange::Remove(StepName::from_static("company")),
        ];
        let commit = raw(&desk, "org-1", changes).await;
        let id = commit.id();
        let store = desk.onramp.store();
        let outcome = store.commit(commit).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
        let facts = store.facts(desk.tenant(), id).await.unwrap();
        let mut steps: Vec<_> = facts.iter().map(|f| f.fact.step().as_str()).collect();
        steps.sort_unstable();
        assert_eq!(steps, ["a", "b"]);
    }
}

#[test]
fn a_runtime_that_is_gone_takes_no_other_along() {
    let folder = tempfile::tempdir().unwrap();
    let first = tokio::runtime::Runtime::new().unwrap();
    let desk = first.block_on(async {
        let store = SqliteStore::open(folder.path().join("onboarding.db"))
            .await
            .unwrap();
        let desk = Desk::new(Arc::new(store), Faults::default());
        let _ = desk.answered("org-1").await;
        desk
    });
    first.shutdown_background();
    let second = tokio::runtime::Runtime::new().unwrap();
    second.block_on(async {
        let _ = desk.answered("org-2").await;
        desk.journal_holds("org-2").await;
    });
}

#[tokio::test]
async fn the_last_answer_and_completion_are_one_commit() {
    struct Short;
    impl Flow for Short {
        const NAME: &'static str = "short";
        const VERSION: u32 = 1;
    }
    impl Answer<Short> for Company {}
    for store in each_store().await {
        let flow = Short::steps().ask::<Company>().build().unwrap();
        let onramp = Onramp::shared(store, flow);
        let (tenant, subject) = (
            TenantId::new("acme").unwrap(),
            SubjectId::new("org-1").unwrap(),
        );
        let found = onramp.enroll(&tenant, &subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = onramp.clear(&pending).await.unwrap();
        let early = pending.start(clearance).and_complete();
        let Err(CommitError::NotApplied(not)) = onramp.commit(early).await else {
            panic!("it is complete without its answer");
        };
        let clearance = onramp.clear(&not.onboarding).await.unwrap();
        let start = not.onboarding.start(clearance);
        let running = onramp.commit(start).await.unwrap();
        let before = running.revision();
        let last = running.submit(company()).and_complete();
        let done = onramp.commit(last).await.unwrap();
        assert_eq!(done.revision(), before.next());
    }
}
