//! Facts that are erased are gone for good, and the journal says so and still holds.

mod support;

use onramp::lifecycle::Rejected;
use onramp::prelude::*;
use onramp::store::NotAppliedBecause;
use support::{Company, Desk, Faults, Paid, each_store};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn facts_are_gone_and_the_journal_still_holds() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("org-1").await;
        desk.paid("org-2").await;
        desk.engine().run_until_idle().await.unwrap();
        let Loaded::Completed(done) = desk.open("org-1").await else {
            unreachable!("it was completed")
        };
        let id = done.id();
        let by = Actor::Operator("ann".into());
        let erased = desk.onramp.commit(done.erase().by(by)).await.unwrap();
        let company = desk
            .onramp
            .fact::<Company>(desk.tenant(), id)
            .await
            .unwrap();
        assert!(company.is_none());
        let verified = desk.onramp.verify_journal(desk.tenant(), id).await.unwrap();
        let gone: Vec<_> = verified
            .erased
            .iter()
            .map(onramp::StepName::as_str)
            .collect();
        assert_eq!(gone, ["build_site", "company", "create_dataset", "payment"]);
        assert_eq!(verified.facts, 0);
        desk.journal_holds("org-1").await;

        // Once more is a success and changes nothing.
        let revision = erased.revision();
        let again = desk.onramp.commit(erased.erase()).await.unwrap();
        assert_eq!(again.revision(), revision);

        let other = desk.open("org-2").await.id();
        let kept = desk
            .onramp
            .fact::<Company>(desk.tenant(), other)
            .await
            .unwrap();
        assert!(kept.is_some(), "nobody else's");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_erased_after_a_failure_stays_so() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let running = desk.answered("org-1").await;
        let _ = desk.onramp.commit(running.cancel()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        let erased = desk.onramp.commit(failed.erase()).await.unwrap();
        let retried = desk.onramp.commit(erased.retry()).await;
        let Err(CommitError::NotApplied(not)) = retried else {
            unreachable!("there is nothing to retry with")
        };
        let why = |because: &NotAppliedBecause| match because {
            NotAppliedBecause::Rejected(no) => no.clone(),
            other => unreachable!("{other}"),
        };
        assert_eq!(why(&not.because), Rejected::Erased);
        let paid = Paid {
            invoice: "inv-1".into(),
        };
        let late = desk.onramp.commit(not.onboarding.attest(paid)).await;
        let Err(CommitError::NotApplied(not)) = late else {
            unreachable!("nothing is added to what was erased")
        };
        assert_eq!(why(&not.because), Rejected::Erased);
        let id = not.onboarding.id();
        let facts = desk.onramp.store().facts(desk.tenant(), id).await.unwrap();
        assert!(facts.is_empty());
    }
}

#[tokio::test]
async fn what_still_has_to_be_undone_keeps_its_facts() {
    let faults = Faults {
        undo_failures: 99,
        fatal: 1,
        ..Faults::default()
    };
    let desk = Desk::new(std::sync::Arc::new(MemoryStore::new()), faults);
    desk.paid("org-1").await;
    desk.engine().run_until_idle().await.unwrap();
    let failed = desk.open("org-1").await.into_failed().unwrap();
    let refused = desk.onramp.commit(failed.erase()).await;
    let Err(CommitError::NotApplied(not)) = refused else {
        unreachable!("its undo needs the facts")
    };
    let because = not.because.to_string();
    assert!(because.contains("retry the undo first"), "{because}");
}
