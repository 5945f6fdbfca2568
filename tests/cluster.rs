//! What only several servers together can get wrong: three nodes that all take writes, nodes that
//! go and come back, a standby that takes over. Needs scripts/cluster, so run by name:
//! `scripts/test galera`, `scripts/test postgres-failover`.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;
mod cluster {
    pub(crate) mod load;
    pub(crate) mod servers;
    pub(crate) mod spread;
}

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use cluster::load::Load;
use cluster::servers::{Pair, control, desks, nodes};
use cluster::spread::Spread;
use onramp::prelude::*;
use onramp::store::{ClaimRequest, SqlOptions, WorkerId};
use onramp::testing::{Layered, conformance};
use sqlx::Connection as _;
use support::{Company, Paid};
use tokio::task::JoinSet;

async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

mod galera {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn each_node_is_a_store() {
        for store in nodes().await {
            let violations = conformance::check(store).await;
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }

    /// As a replica is, which may lag behind.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn a_node_that_is_read_only_is_not_believed() {
        let url = cluster::servers::url_of_node(2);
        read_only(&url, true).await;
        let options = SqlOptions::new(&url).acquire_timeout(Duration::from_secs(1));
        let refused = MySqlStore::connect_with(options).await;
        read_only(&url, false).await;
        let error = refused.unwrap_err();
        assert_eq!(
            error.kind(),
            onramp::store::ErrorKind::Unavailable,
            "{error}"
        );
        MySqlStore::connect(&url).await.unwrap();
    }

    async fn read_only(url: &str, is: bool) {
        let mut on = sqlx::MySqlConnection::connect(url).await.unwrap();
        let set = sqlx::query("SET GLOBAL read_only = ?").bind(is);
        set.execute(&mut on).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn all_nodes_together_are_one_store() {
        let violations = conformance::check(Arc::new(Layered(Spread::over(nodes().await)))).await;
        assert!(violations.is_empty(), "{violations:#?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn of_many_commits_at_one_revision_exactly_one_is_stored() {
        let desks = desks().await;
        for round in 0..5 {
            let subject = format!("org-{round}");
            let pending = desks[0].pending(&subject).await;
            let clearance = desks[0].onramp.clear(&pending).await.unwrap();
            let _ = desks[0]
                .onramp
                .commit(pending.start(clearance))
                .await
                .unwrap();
            let mut handles = Vec::new();
            for desk in desks.iter().cycle().take(64) {
                let running = desk.open(&subject).await.into_in_progress().unwrap();
                handles.push((Arc::clone(desk), running));
            }
            let mut commits = JoinSet::new();
            for (n, (desk, running)) in handles.into_iter().enumerate() {
                commits.spawn(async move {
                    let name = format!("Acme {n}");
                    match desk.onramp.commit(running.submit(Company { name })).await {
                        Ok(_) => 1,
                        Err(CommitError::Conflict(_)) => 0,
                        Err(other) => panic!("{other:?}"),
                    }
                });
            }
            let won: i32 = commits.join_all().await.into_iter().sum();
            assert_eq!(won, 1);
            desks[2].journal_holds(&subject).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn many_creations_of_one_key_give_one() {
        let desks = desks().await;
        let mut creating = JoinSet::new();
        for desk in desks.iter().cycle().take(100) {
            let desk = Arc::clone(desk);
            creating.spawn(async move { desk.enrolled("org-1").await });
        }
        let ids: BTreeSet<_> = creating.join_all().await.into_iter().collect();
        assert_eq!(ids.len(), 1);
        desks[1].journal_holds("org-1").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn workers_on_all_nodes_claim_each_onboarding_once() {
        const ALL: usize = 200;
        let desks = desks().await;
        let mut hosts = JoinSet::new();
        for (n, desk) in desks.iter().cycle().take(6).enumerate() {
            let desk = Arc::clone(desk);
            hosts.spawn(async move {
                for m in (n..ALL).step_by(6) {
                    desk.paid(&format!("org-{m}")).await;
                }
            });
        }
        hosts.join_all().await;
        let begun = std::time::Instant::now();
        let mut workers = JoinSet::new();
        for (n, desk) in desks.iter().cycle().take(6).enumerate() {
            let desk = Arc::clone(desk);
            workers.spawn(async move {
                let worker = WorkerId::new(format!("worker-{n}"));
                let flow = desk.onramp.flow().plan().flow().clone();
                let store = desk.onramp.store();
                let request = ClaimRequest::new(&flow, &worker)
                    .max(5)
                    .lease(Duration::from_secs(60));
                let (mut leases, mut calls) = (Vec::new(), 0);
                while store.next_due(from_ref(&flow)).await.unwrap() == Some(Duration::ZERO) {
                    leases.extend(store.claim(&request).await.unwrap());
                    calls += 1;
                    // As if it worked on them: so that the others get their turn.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                println!("node {}: {} by {calls} claims", n % 3 + 1, leases.len());
                leases
            });
        }
        let leases: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
        println!("claimed in {:?}", begun.elapsed());
        let ids: BTreeSet<_> = leases.iter().map(|lease| lease.id).collect();
        assert_eq!((leases.len(), ids.len()), (ALL, ALL), "each once");
        assert!(
            leases
                .iter()
                .all(|lease| (lease.fence.get(), lease.attempt) == (1, 1))
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster galera"]
    async fn nodes_may_go_and_come_back() {
        let desks = desks().await;
        let load = Load::start(&desks, 4);
        let mut seen = (0, 0);
        rest(2).await;
        load.goes_on(&mut seen).await;
        for (node, goes, comes_back) in [
            ("2", "kill", "start"),
            ("3", "isolate", "rejoin"),
            ("1", "pause", "resume"),
        ] {
            control(goes, node).await;
            // It takes five seconds until the others go on without it.
            rest(8).await;
            load.goes_on(&mut seen).await;
            control(comes_back, node).await;
            rest(2).await;
            load.goes_on(&mut seen).await;
        }
        load.adds_up().await;
    }
}

mod postgres {
    use super::*;

    /// There and back, so that the next test finds the servers as they were.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster postgres"]
    async fn a_standby_takes_over_under_load() {
        let mut pair = Pair::new().await;
        for commits_wait in [false, true] {
            let desks = pair.desks(2).await;
            let load = Load::start(&desks, 8);
            let mut seen = (0, 0);
            rest(3).await;
            load.goes_on(&mut seen).await;
            if commits_wait {
                // Nobody is told of what the standby does not have.
                control("pause", pair.standby()).await;
                pair.commits_wait(2).await;
                load.stands_still().await;
                pair.lose_primary().await;
                control("resume", pair.standby()).await;
            } else {
                pair.lose_primary().await;
            }
            rest(1).await;
            pair.promote().await;
            rest(4).await;
            load.goes_on(&mut seen).await;
            load.adds_up().await;
            control("start", pair.standby()).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs scripts/cluster postgres"]
    async fn a_standby_that_lags_is_not_believed() {
        let mut pair = Pair::new().await;
        for subject in ["org-1", "org-2"] {
            let desks = pair.desks(1).await;
            let running = desks[0].answered(subject).await;
            rest(1).await;
            pair.blind_standby().await;
            let invoice = "inv-1".to_owned();
            let change = running.attest(Paid { invoice });
            let token = change.in_doubt();
            let _ = desks[0].onramp.commit(change).await.unwrap();
            pair.lose_primary().await;
            let found = desks[0].onramp.resolve(&token).await;
            assert!(found.is_err(), "it cannot know");
            pair.promote().await;
            let found = desks[0].onramp.resolve(&token).await.unwrap();
            assert!(matches!(found, Resolution::Committed(_)));
            control("start", pair.standby()).await;
        }
    }
}
