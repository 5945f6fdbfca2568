//! A typed commit fails in exactly three ways, and each tells what has happened.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{Commit, CommitOutcome, Error, NotAppliedBecause};
use onramp::testing::{Layer, Layered};
use onramp::{CommandId, Revision};
use support::{Company, Desk, Faults, Paid, each_store};

/// How the connection of [`Cut`] breaks at the next commit.
#[derive(Clone, Copy)]
enum At {
    Nowhere = 0,
    BeforeCommit = 1,
    AfterCommit = 2,
    AfterCommitAndThenDown = 3,
    Unreachable = 4,
}

/// A store whose connection breaks at the worst moment.
struct Cut {
    inner: MemoryStore,
    at: AtomicU8,
}

impl Cut {
    fn store() -> Arc<Layered<Self>> {
        Arc::new(Layered(Self {
            inner: MemoryStore::new(),
            at: AtomicU8::new(0),
        }))
    }

    fn next(&self, at: At) {
        self.at.store(at as u8, SeqCst);
    }
}

#[async_trait]
impl Layer for Cut {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        match self.at.load(SeqCst) {
            1 => Err(Error::in_doubt("cut before")),
            2 | 3 => {
                self.inner.commit(commit).await?;
                Err(Error::in_doubt("cut after"))
            }
            4 => Err(Error::unavailable("no route")),
            _ => self.inner.commit(commit).await,
        }
    }

    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        if self.at.load(SeqCst) == At::AfterCommitAndThenDown as u8 {
            return Err(Error::unavailable("no route"));
        }
        self.inner.committed(tenant, id, command).await
    }
}

fn company(name: &str) -> Company {
    Company { name: name.into() }
}

#[tokio::test]
async fn what_the_rules_refuse_gives_the_handle_back() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let running = desk.answered("org-1").await;
        let at = running.revision();
        let refused = desk
            .onramp
            .commit(running.submit(company("Again")))
            .await
            .unwrap_err();
        let CommitError::NotApplied(refused) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(
            refused.because.to_string(),
            "step company is settled already: revise it to change it"
        );
        assert_eq!(refused.onboarding.revision(), at);
        // Direct navigation to the end, without payment: refused, with what is outstanding.
        let refused = desk
            .onramp
            .commit(refused.onboarding.complete())
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "not applied: not complete yet: create_dataset, payment, build_site"
        );
    }
}

#[tokio::test]
async fn an_invalid_answer_names_the_field_and_changes_nothing() {
    let desk = Desk::new(Arc::new(MemoryStore::new()), Faults::default());
    let pending = desk.pending("org-1").await;
    let clearance = desk.onramp.clear(&pending).await.unwrap();
    let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
    let refused = desk
        .onramp
        .commit(running.submit(company("")))
        .await
        .unwrap_err();
    let CommitError::NotApplied(refused) = refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(refused.because, NotAppliedBecause::Invalid(_)));
    assert_eq!(
        refused.because.to_string(),
        "invalid answer: /name is empty: give a name"
    );
    // NUL is refused before any database sees it.
    let refused = desk
        .onramp
        .commit(refused.onboarding.submit(company("a\u{0}b")))
        .await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("contains a NUL character")
    );
    let too_long = "x".repeat(300_000);
    let running = desk.open("org-1").await.into_in_progress().unwrap();
    let refused = desk.onramp.commit(running.submit(company(&too_long))).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("at most 262144 are stored")
    );
    assert_eq!(desk.open("org-1").await.revision().get(), 2);
}

#[tokio::test]
async fn two_tabs_give_one_success_and_one_conflict_with_the_current_state() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let first = desk.answered("org-1").await;
        let second = desk.open("org-1").await.into_in_progress().unwrap();
        let _ = desk.onramp.commit(first.cancel()).await.unwrap();
        let lost = desk
            .onramp
            .commit(second.revise(company("Late")))
            .await
            .unwrap_err();
        let CommitError::Conflict(conflict) = lost else {
            panic!("{lost:?}")
        };
        let current = conflict.current.into_in_progress().unwrap();
        assert!(current.stage().undoing.is_some());
    }
}

#[tokio::test]
async fn a_hundred_sign_ups_at_once_make_one_onboarding() {
    for store in each_store().await {
        let desk = Arc::new(Desk::new(store, Faults::default()));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move { desk.pending("org-1").await.id() })
            })
            .collect();
        let mut ids = std::collections::BTreeSet::new();
        for task in tasks {
            ids.insert(task.await.unwrap());
        }
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn an_evidence_that_comes_early_twice_or_late_counts_once() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let paid = |n| Paid {
            invoice: format!("inv-{n}"),
        };
        let pending = desk.pending("org-1").await;
        let pending = desk.onramp.commit(pending.attest(paid(1))).await.unwrap();
        let at = pending.revision();
        let pending = desk.onramp.commit(pending.attest(paid(2))).await.unwrap();
        assert_eq!(pending.revision(), at, "the repetition changed nothing");
        let kept: Paid = desk
            .onramp
            .fact(desk.tenant(), pending.id())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(kept.invoice, "inv-1");
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
        let _ = desk.onramp.commit(running.cancel()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        let failed = desk.onramp.commit(failed.attest(paid(3))).await.unwrap();
        let running = desk.onramp.commit(failed.retry()).await.unwrap();
        assert!(running.has::<Paid>());
    }
}

#[tokio::test]
async fn a_cut_after_the_commit_is_found_stored() {
    let cut = Cut::store();
    let desk = Desk::new(cut.clone(), Faults::default());
    let running = desk.answered("org-1").await;
    cut.0.next(At::AfterCommit);
    // It is looked up once, so nobody needs to know of the doubt.
    let cancelling = desk.onramp.commit(running.cancel()).await.unwrap();
    assert!(cancelling.stage().undoing.is_some());
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_unknown_until_it_is_resolved() {
    for (at, stored) in [
        (At::AfterCommitAndThenDown, true),
        (At::BeforeCommit, false),
    ] {
        let cut = Cut::store();
        let desk = Desk::new(cut.clone(), Faults::default());
        let running = desk.answered("org-1").await;
        cut.0.next(at);
        let unknown = desk.onramp.commit(running.cancel()).await.unwrap_err();
        let CommitError::Unknown(unknown) = unknown else {
            panic!("{unknown:?}")
        };
        cut.0.next(At::Nowhere);
        match desk.onramp.resolve(&unknown.token).await.unwrap() {
            Resolution::Committed(found) => {
                assert!(stored);
                assert_eq!(found.stage(), StageKind::InProgress);
            }
            Resolution::NotCommitted(_) => assert!(!stored),
        }
    }
}

#[tokio::test]
async fn a_store_that_is_down_gives_the_handle_back() {
    let cut = Cut::store();
    let desk = Desk::new(cut.clone(), Faults::default());
    let running = desk.answered("org-1").await;
    cut.0.next(At::Unreachable);
    let down = desk.onramp.commit(running.cancel()).await.unwrap_err();
    let CommitError::NotApplied(down) = down else {
        panic!("{down:?}")
    };
    cut.0.next(At::Nowhere);
    let _ = desk.onramp.commit(down.onboarding.cancel()).await.unwrap();
}

#[tokio::test]
async fn the_same_command_twice_counts_once() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let first = desk.answered("org-1").await;
        let second = desk.open("org-1").await.into_in_progress().unwrap();
        let id = CommandId::fresh();
        let once = desk
            .onramp
            .commit(first.cancel().identified(id))
            .await
            .unwrap();
        let twice = desk
            .onramp
            .commit(second.cancel().identified(id))
            .await
            .unwrap();
        assert_eq!(once.revision(), twice.revision());
    }
}

/// As a browser does that sends a form again, with the idempotency key of the first time.
#[tokio::test]
async fn a_repetition_gives_what_the_first_one_made_and_another_wish_is_refused() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let _ = desk.answered("org-1").await;
        let running = async || desk.open("org-1").await.into_in_progress().unwrap();
        let id = CommandId::fresh();
        let paid = |invoice: &str| Paid {
            invoice: invoice.into(),
        };
        let first = running().await.attest(paid("inv-1")).identified(id);
        let first = desk.onramp.commit(first).await.unwrap();
        // Loaded anew, so that the rules see that it is there.
        let again = running().await.attest(paid("inv-1")).identified(id);
        let again = desk.onramp.commit(again).await.unwrap();
        assert_eq!(again.revision(), first.revision());

        let company = |name: &str| Company { name: name.into() };
        let id = CommandId::fresh();
        let revise = running().await.revise(company("Acme GmbH")).identified(id);
        let revised = desk.onramp.commit(revise).await.unwrap();
        let others: [(&str, Change<_, _, InProgress>); 3] = [
            (
                "another name",
                running().await.revise(company("Other")).identified(id),
            ),
            ("another wish", running().await.cancel().identified(id)),
            (
                "one that the rules refuse",
                running().await.submit(company("Acme GmbH")).identified(id),
            ),
        ];
        for (what, other) in others {
            let refused = desk.onramp.commit(other).await.unwrap_err();
            let CommitError::NotApplied(not) = refused else {
                panic!("{what}: {refused:?}")
            };
            assert!(
                matches!(not.because, NotAppliedBecause::IdentityReused),
                "{what}: {}",
                not.because
            );
        }
        assert_eq!(
            running().await.revision(),
            revised.revision(),
            "nothing has happened"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_starts_of_a_thousand_make_one_onboarding_each() {
    const KEYS: usize = 1_000;
    for store in each_store().await {
        let desk = Arc::new(Desk::new(store, Faults::default()));
        let mut starting = tokio::task::JoinSet::new();
        for task in 0..64 {
            let desk = Arc::clone(&desk);
            // Two have the same keys, at the same time.
            starting.spawn(async move {
                let mut started = Vec::new();
                for key in (task % 32..KEYS).step_by(32) {
                    let subject = SubjectId::new(format!("org-{key}")).unwrap();
                    let found = desk.onramp.enroll(desk.tenant(), &subject).await.unwrap();
                    let id = found.id();
                    if let Ok(pending) = found.into_pending() {
                        let clearance = desk.onramp.clear(&pending).await.unwrap();
                        match desk.onramp.commit(pending.start(clearance)).await {
                            Ok(running) => assert_eq!(running.revision().get(), 2),
                            Err(CommitError::Conflict(conflict)) => {
                                assert_eq!(conflict.current.stage(), StageKind::InProgress);
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                    started.push((key, id));
                }
                started
            });
        }
        let mut ids = std::collections::BTreeMap::new();
        for (key, id) in starting.join_all().await.into_iter().flatten() {
            assert_eq!(
                *ids.entry(key).or_insert(id),
                id,
                "two onboardings of one key"
            );
        }
        assert_eq!(ids.len(), KEYS);
        let stored = desk.onramp.store().list(None, 2 * KEYS).await.unwrap();
        assert_eq!(stored.len(), KEYS);
        assert!(
            stored.iter().all(|listed| listed.revision.get() == 2),
            "started once each"
        );
    }
}
