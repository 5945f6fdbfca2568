//! Lookups that go together: each gets its own, and what is wrong with one is nobody else's.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use onramp::prelude::*;
use onramp::store::{ErrorKind, Row};
use onramp::{FlowName, Key};
use sqlx::Connection as _;
use support::{Desk, Faults, each_store, postgres_database};
use tokio::task::JoinSet;

fn key(tenant: &TenantId, subject: &str) -> Key {
    Key {
        tenant: tenant.clone(),
        flow: FlowName::from_static("workspace"),
        subject: SubjectId::new(subject).unwrap(),
    }
}

/// Every lookup of a subject that there is: by identity and by key, in its tenant and in another one.
async fn looked_up(
    store: &dyn Store,
    tenant: &TenantId,
    subject: &str,
    id: OnboardingId,
) -> [Result<Option<Row>, ErrorKind>; 4] {
    let other = TenantId::new("somebody-else").unwrap();
    let (key, theirs) = (key(tenant, subject), key(&other, subject));
    let (loaded, found, not_theirs, nor_found) = tokio::join!(
        store.load(tenant, id),
        store.find(&key),
        store.load(&other, id),
        store.find(&theirs),
    );
    [loaded, found, not_theirs, nor_found].map(|row| row.map_err(|error| error.kind()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_each_get_their_own() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let mut known = Vec::new();
        for number in 0..40 {
            let subject = format!("org-{number}");
            known.push((subject.clone(), desk.enrolled(&subject).await));
        }
        let known = Arc::new(known);
        let mut asking = JoinSet::new();
        for task in 0..64 {
            let (store, known) = (Arc::clone(&store), Arc::clone(&known));
            let tenant = desk.tenant().clone();
            asking.spawn(async move {
                for turn in 0..40 {
                    let (subject, id) = &known[(task * 7 + turn) % known.len()];
                    let told = looked_up(&*store, &tenant, subject, *id).await;
                    let [loaded, found, not_theirs, nor_found] = told.map(Result::unwrap);
                    let (loaded, found) = (loaded.unwrap(), found.unwrap());
                    assert_eq!(loaded, found);
                    assert_eq!(loaded.state.id(), *id);
                    assert_eq!(loaded.state.key(), &key(&tenant, subject));
                    assert!(not_theirs.is_none() && nor_found.is_none());
                    let nobody = store.load(&tenant, OnboardingId::fresh()).await;
                    assert!(nobody.unwrap().is_none());
                }
            });
        }
        asking.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn damage_is_told_to_whoever_asks_for_it_alone() {
    let Some(url) = postgres_database().await else {
        return;
    };
    let store = Arc::new(PostgresStore::connect(&url).await.unwrap());
    let desk = Desk::new(store.clone(), Faults::default());
    let mut known = Vec::new();
    for number in 0..8 {
        let subject = format!("org-{number}");
        known.push((subject.clone(), desk.enrolled(&subject).await));
    }
    let mut on = sqlx::PgConnection::connect(&url).await.unwrap();
    let damage = "UPDATE onramp_onboarding SET state = '{' WHERE subject = 'org-3'";
    sqlx::query(damage).execute(&mut on).await.unwrap();
    for _ in 0..20 {
        let mut asking = JoinSet::new();
        for (subject, id) in known.clone() {
            let (store, tenant) = (store.clone(), desk.tenant().clone());
            asking.spawn(async move {
                let told = looked_up(&*store, &tenant, &subject, id).await;
                let [loaded, found, not_theirs, nor_found] = told;
                assert_eq!((not_theirs, nor_found), (Ok(None), Ok(None)));
                if subject == "org-3" {
                    assert_eq!(loaded.unwrap_err(), ErrorKind::Corrupt);
                    assert_eq!(found.unwrap_err(), ErrorKind::Corrupt);
                } else {
                    assert_eq!(loaded.unwrap(), found.unwrap());
                }
            });
        }
        asking.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_no_longer_waits_takes_no_other_along() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store), Faults::default());
        let (tenant, id) = (desk.tenant().clone(), desk.enrolled("org-1").await);
        for _ in 0..50 {
            let mut asking = JoinSet::new();
            for number in 0..16 {
                let (store, tenant) = (Arc::clone(&store), tenant.clone());
                asking.spawn(async move {
                    let row = store.load(&tenant, id);
                    if number % 2 == 0 {
                        let moment = std::time::Duration::from_micros(50 * number);
                        let _ = tokio::time::timeout(moment, row).await;
                    } else {
                        assert!(row.await.unwrap().is_some());
                    }
                });
            }
            asking.join_all().await;
        }
    }
}
