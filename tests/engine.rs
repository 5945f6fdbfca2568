//! The engine's scenarios: each failure has one clear end, on the memory store and on SQLite.

mod engine {
    mod completion;
}
mod support;

use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use onramp::engine::Engine;
use onramp::lifecycle::{Next, WaitingFor, next};
use onramp::prelude::*;
use onramp::store::{ClaimRequest, QueueChange, WorkerId};
use onramp::{Clock, SystemClock};
use support::{Company, Desk, Faults, Paid, Site, each_store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn happy_path_completes_once() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let running = desk.answered("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let found = desk.open("org-1").await;
        assert_eq!(found.stage(), StageKind::InProgress, "waits for payment");
        let state = found.into_state();
        let waits = next(&state, desk.onramp.flow().plan(), SystemClock.now());
        assert!(
            matches!(
                waits,
                Next::Wait {
                    on: WaitingFor::ThirdParty,
                    ..
                }
            ),
            "{waits:?}"
        );

        let running = desk
            .onramp
            .open(desk.tenant(), running.subject())
            .await
            .unwrap()
            .unwrap();
        let running = running.into_in_progress().unwrap();
        let _ = desk
            .onramp
            .commit(running.attest(Paid {
                invoice: "inv-1".into(),
            }))
            .await
            .unwrap();
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
        assert_eq!(desk.world.built.load(SeqCst), 1);
        assert_eq!(desk.world.undone.load(SeqCst), 0);
        // Running again does nothing.
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.world.built.load(SeqCst), 1);
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transient_failures_and_panics_are_retried() {
    for store in each_store().await {
        let faults = Faults {
            transient: 1,
            panics: 1,
            ..Faults::default()
        };
        let desk = Desk::new(store, faults);
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let state = desk.open("org-1").await.into_state();
        assert_eq!(state.stage(), StageKind::Completed);
        assert_eq!(state.step("build_site").unwrap().attempts(), 3);
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn final_failure_undoes_in_reverse_order_and_a_retry_goes_on() {
    for store in each_store().await {
        let desk = Desk::new(
            store,
            Faults {
                fatal: 1,
                ..Faults::default()
            },
        );
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert_eq!(failed.stage().failure.code(), "no_room");
        assert!(failed.stage().remaining.is_empty());
        assert!(
            failed.has::<Company>() && failed.has::<Paid>(),
            "answers and payment are kept"
        );
        assert!(!failed.has::<Site>());
        // The site failed, so its undo looks for what may be there; then the dataset goes.
        assert_eq!(
            *desk.world.undo_order.lock().unwrap(),
            ["build_site", "create_dataset"]
        );

        let _ = desk.onramp.commit(failed.retry()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
        let keys = desk.world.keys.lock().unwrap().clone();
        assert_eq!(keys.len(), 4, "two steps, each built in two rounds");
        assert_eq!(
            desk.world.existing(),
            2,
            "what was undone is gone, what was redone is there"
        );
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_that_keeps_failing_is_listed_and_can_be_retried() {
    for store in each_store().await {
        let faults = Faults {
            fatal: 1,
            undo_failures: 3,
            ..Faults::default()
        };
        let desk = Desk::new(store, faults);
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert_eq!(failed.stage().remaining, ["build_site", "create_dataset"]);
        let refused = desk.onramp.commit(failed.retry()).await.unwrap_err();
        let CommitError::NotApplied(refused) = refused else {
            panic!("{refused:?}")
        };
        assert!(refused.because.to_string().contains("retry the undo first"));
        let _ = desk
            .onramp
            .commit(refused.onboarding.retry_undo())
            .await
            .unwrap();
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert!(failed.stage().remaining.is_empty());
        assert_eq!(
            failed.stage().failure.code(),
            "no_room",
            "the first failure stays the reason"
        );
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_while_a_task_runs_takes_its_effect_back() {
    for store in each_store().await {
        let desk = Desk::new(
            store,
            Faults {
                slow: true,
                ..Faults::default()
            },
        );
        desk.paid("org-1").await;
        let engine = desk.engine();
        let working = tokio::spawn(async move { engine.run_until_idle().await });
        desk.world.started.notified().await;
        let running = desk.open("org-1").await.into_in_progress().unwrap();
        let cancelling = desk.onramp.commit(running.cancel()).await.unwrap();
        assert!(cancelling.stage().undoing.is_some());
        desk.world.go_on.notify_one();
        working.await.unwrap().unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert_eq!(failed.stage().failure.code(), "cancelled");
        assert!(failed.stage().remaining.is_empty());
        assert_eq!(
            desk.world.existing(),
            0,
            "the late effect was taken back too"
        );
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revising_an_answer_rebuilds_exactly_what_was_built_on_it() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        // The dataset is built on the company; then payment is waited for.
        let _ = desk.answered("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        let running = desk.open("org-1").await.into_in_progress().unwrap();
        let first = running.step("create_dataset").unwrap().fact().copied();
        assert!(first.is_some());
        let _ = desk
            .onramp
            .commit(running.revise(Company {
                name: "Renamed".into(),
            }))
            .await
            .unwrap();
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(*desk.world.undo_order.lock().unwrap(), ["create_dataset"]);
        let running = desk.open("org-1").await.into_in_progress().unwrap();
        assert_ne!(
            running.step("create_dataset").unwrap().fact().copied(),
            first
        );
        let dataset: support::Dataset = desk
            .onramp
            .fact(desk.tenant(), running.id())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(dataset.of, "Renamed");
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_at_verification_is_built_again() {
    for store in each_store().await {
        let desk = Desk::new(
            store,
            Faults {
                vanish: 1,
                ..Faults::default()
            },
        );
        desk.paid("org-1").await;
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
        // The dataset was missing, so the site built on it was rebuilt as well.
        assert_eq!(
            *desk.world.undo_order.lock().unwrap(),
            ["build_site", "create_dataset"]
        );
        assert_eq!(desk.world.existing(), 2);
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_always_kills_its_process_is_given_up() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        desk.paid("org-1").await;
        // Workers that claim and die: each claim counts an attempt, none reports.
        let flow = desk.onramp.flow().plan().flow().clone();
        let dying = WorkerId::new("dying");
        for _ in 0..3 {
            let claimed = store
                .claim(
                    &ClaimRequest::new(&flow, &dying)
                        .max(1)
                        .lease(Duration::from_millis(1)),
                )
                .await
                .unwrap();
            assert_eq!(claimed.len(), 1);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        desk.engine().run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert_eq!(failed.stage().failure.code(), "interrupted");
        assert_eq!(desk.world.built.load(SeqCst), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_lease_writes_nothing() {
    for store in each_store().await {
        let desk = Desk::new(
            Arc::clone(&store),
            Faults {
                slow: true,
                ..Faults::default()
            },
        );
        desk.paid("org-1").await;
        let lease = Duration::from_millis(300);
        let engine = Engine::builder(Arc::clone(&store))
            .flow(desk.onramp.flow())
            .lease(lease)
            .build();
        let working = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run_until_idle().await }
        });
        desk.world.started.notified().await;
        // Its heartbeats keep the lease while it runs.
        tokio::time::sleep(lease * 4).await;
        let flow = desk.onramp.flow().plan().flow().clone();
        let other = WorkerId::new("other");
        assert!(
            store
                .claim(&ClaimRequest::new(&flow, &other).max(1).lease(lease))
                .await
                .unwrap()
                .is_empty()
        );
        // Its process dies: the future is gone, the lease runs out, another one takes over.
        working.abort();
        let _ = working.await;
        tokio::time::sleep(lease * 2).await;
        let before = desk.open("org-1").await.revision();
        let taken = store
            .claim(&ClaimRequest::new(&flow, &other).max(1).lease(lease))
            .await
            .unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!(desk.open("org-1").await.revision(), before);
        store.release(&taken[0], Duration::ZERO).await.unwrap();
        desk.world.go_on.notify_one();
        desk.world.go_on.notify_one();
        desk.faults.lock().unwrap().slow = false;
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_gates_refuse_the_start_and_nothing_happens() {
    for store in each_store().await {
        let desk = Desk::new(
            store,
            Faults {
                gate_closed: true,
                ..Faults::default()
            },
        );
        let pending = desk.pending("org-1").await;
        let refused = desk.onramp.clear(&pending).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "not cleared to start: platform (platform_not_ready)"
        );
        desk.engine().run_until_idle().await.unwrap();
        let found = desk.open("org-1").await;
        assert_eq!(
            (found.stage(), found.revision().get()),
            (StageKind::Pending, 1)
        );
        assert_eq!(desk.world.built.load(SeqCst), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_gives_back_what_is_under_way() {
    for store in each_store().await {
        let desk = Desk::new(
            Arc::clone(&store),
            Faults {
                slow: true,
                ..Faults::default()
            },
        );
        desk.paid("org-1").await;
        let engine = Engine::builder(Arc::clone(&store))
            .flow(desk.onramp.flow())
            .grace(Duration::from_millis(20))
            .build();
        let shutdown = tokio_util::sync::CancellationToken::new();
        let working = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { engine.run(shutdown).await }
        });
        desk.world.started.notified().await;
        shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(5), working)
            .await
            .unwrap()
            .unwrap();
        let flow = desk.onramp.flow().plan().flow().clone();
        let due = store.next_due(from_ref(&flow)).await.unwrap();
        assert!(
            due.is_some_and(|due| due < Duration::from_secs(1)),
            "{due:?}"
        );
    }
}

#[tokio::test]
async fn parking_never_loses_a_wake_up() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let running = desk.answered("org-1").await;
        let flow = desk.onramp.flow().plan().flow().clone();
        let worker = WorkerId::new("w");
        let lease = store
            .claim(
                &ClaimRequest::new(&flow, &worker)
                    .max(1)
                    .lease(Duration::from_secs(30)),
            )
            .await
            .unwrap();
        let seen = running.revision();
        // The host moves on while the worker believes there is nothing to do.
        let _ = desk
            .onramp
            .commit(running.attest(Paid {
                invoice: "i".into(),
            }))
            .await
            .unwrap();
        store.park(&lease[0], seen, None).await.unwrap();
        assert_eq!(
            store.next_due(from_ref(&flow)).await.unwrap(),
            Some(Duration::ZERO)
        );
        let _ = QueueChange::Keep;
    }
}
