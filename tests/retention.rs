//! What ended long ago is forgotten, and nothing else is.

mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use onramp::prelude::*;
use onramp::store::{Retention, Unverified};
use onramp::{Clock, SystemClock};
use support::{Desk, Faults, each_store};

fn ended_by_now() -> Retention {
    // In batches that do not come out even.
    Retention::ended_before(SystemClock.now() + TimeDelta::seconds(60)).batch(3)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_what_ended_before_is_forgotten() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        for n in 0..5 {
            desk.paid(&format!("org-{n}")).await;
        }
        desk.engine().run_until_idle().await.unwrap();
        let _ = desk.answered("waits").await;
        let running = desk.answered("gives-up").await;
        let _ = desk.onramp.commit(running.cancel()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();
        let forgotten = desk.open("org-0").await.id();

        let store = desk.onramp.store();
        let old = SystemClock.now() - TimeDelta::days(1);
        let purged = store.purge(&Retention::ended_before(old)).await.unwrap();
        assert_eq!((purged.deleted, purged.remaining), (0, 0));
        let elsewhere = store.purge(&ended_by_now().flow("other")).await.unwrap();
        assert_eq!(elsewhere.deleted, 0);

        // Two at once do not delete twice, nor stand in each other's way.
        let both = {
            let (a, b) = (Arc::clone(store), Arc::clone(store));
            let a = tokio::spawn(async move { a.purge(&ended_by_now()).await.unwrap() });
            let b = tokio::spawn(async move { b.purge(&ended_by_now()).await.unwrap() });
            a.await.unwrap().deleted + b.await.unwrap().deleted
        };
        assert_eq!(both, 6);
        let left = store.list(None, 99).await.unwrap();
        let subjects: Vec<_> = left.iter().map(|l| l.key.subject.as_str()).collect();
        assert_eq!(subjects, ["waits"]);
        let gone = store.verify_journal(desk.tenant(), forgotten).await;
        assert!(matches!(gone, Err(Unverified::Absent)), "{gone:?}");
        // Whoever comes back begins anew.
        desk.paid("org-0").await;
        desk.engine().run_until_idle().await.unwrap();
        assert!(desk.open("org-0").await.into_completed().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_not_taken_back_is_not_forgotten() {
    for store in each_store().await {
        let faults = Faults {
            undo_failures: 99,
            fatal: 1,
            ..Faults::default()
        };
        let desk = Desk::new(store, faults);
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let purged = desk.onramp.store().purge(&ended_by_now()).await.unwrap();
        assert_eq!((purged.deleted, purged.remaining), (0, 1));
        assert!(desk.open("org-1").await.into_failed().is_ok());
    }
}

/// Whoever verifies while it is deleted is told that it is gone, and never that it was changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn verifying_what_is_being_forgotten_finds_no_tampering() {
    for store in each_store().await {
        let desk = Arc::new(Desk::new(store, Faults::default()));
        for n in 0..10 {
            desk.paid(&format!("org-{n}")).await;
        }
        desk.engine().run_until_idle().await.unwrap();
        let all = desk.onramp.store().list(None, 99).await.unwrap();
        let verifying = {
            let (desk, all) = (Arc::clone(&desk), all.clone());
            tokio::spawn(async move {
                let mut gone = 0;
                while gone < all.len() {
                    gone = 0;
                    for listed in &all {
                        let verified = desk.onramp.verify_journal(desk.tenant(), listed.id).await;
                        match verified {
                            Ok(_) => {}
                            Err(Unverified::Absent) => gone += 1,
                            Err(other) => unreachable!("{other}"),
                        }
                    }
                }
            })
        };
        let one_by_one = ended_by_now().batch(1);
        let purged = desk.onramp.store().purge(&one_by_one).await.unwrap();
        assert_eq!(purged.deleted, 10);
        verifying.await.unwrap();
    }
}
