//! Onboardings in a transaction of the host's: both are stored or neither is, on every database.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use onramp::prelude::*;
use onramp::store::Join;
use support::{Company, Desk, Faults, Paid, mysql_database, postgres_database};

/// The host's side of a database: a pool of its own, and a table of its own.
macro_rules! on_each_database {
    ($scenario:ident) => {{
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("service.db");
        let store = SqliteStore::open(&file).await.unwrap();
        let pool = sqlx::SqlitePool::connect(file.to_str().unwrap())
            .await
            .unwrap();
        $scenario!(
            store,
            pool,
            "BEGIN IMMEDIATE",
            "INSERT INTO users (id) VALUES ($1)"
        );
        if let Some(url) = postgres_database().await {
            let store = PostgresStore::connect(&url).await.unwrap();
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            $scenario!(store, pool, "BEGIN", "INSERT INTO users (id) VALUES ($1)");
            let serializable = "BEGIN ISOLATION LEVEL SERIALIZABLE";
            let url = postgres_database().await.unwrap();
            let store = PostgresStore::connect(&url).await.unwrap();
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            $scenario!(
                store,
                pool,
                serializable,
                "INSERT INTO users (id) VALUES ($1)"
            );
        }
        if let Some(url) = mysql_database().await {
            let store = MySqlStore::connect(&url).await.unwrap();
            let pool = sqlx::MySqlPool::connect(&url).await.unwrap();
            $scenario!(store, pool, "BEGIN", "INSERT INTO users (id) VALUES (?)");
        }
    }};
}

async fn users<'c, D: sqlx::Database>(pool: &sqlx::Pool<D>) -> i64
where
    for<'p> &'p sqlx::Pool<D>: sqlx::Executor<'p, Database = D>,
    for<'r> i64: sqlx::Decode<'r, D> + sqlx::Type<D>,
    usize: sqlx::ColumnIndex<D::Row>,
    D::Arguments: sqlx::IntoArguments<D>,
{
    sqlx::query_scalar("SELECT COUNT(*) FROM users")
        .fetch_one(pool)
        .await
        .unwrap()
}

fn ids(subject: &str) -> (TenantId, SubjectId) {
    (
        TenantId::new("acme").unwrap(),
        SubjectId::new(subject).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_and_its_onboarding_are_stored_together_or_not_at_all() {
    macro_rules! scenario {
        ($store:ident, $pool:ident, $begin:expr, $insert:literal) => {
            sqlx::query("CREATE TABLE users (id VARCHAR(64) PRIMARY KEY)")
                .execute(&$pool)
                .await
                .unwrap();
            let desk = Desk::new(Arc::new($store.clone()), Faults::default());
            let (tenant, subject) = ids("org-1");
            for commits in [false, true] {
                let mut tx = $pool.begin_with($begin).await.unwrap();
                sqlx::query($insert)
                    .bind("org-1")
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                let mut joined = $store.join(&mut tx);
                let id = desk
                    .onramp
                    .enroll_in(&mut joined, &tenant, &subject)
                    .await
                    .unwrap();
                let again = desk
                    .onramp
                    .enroll_in(&mut joined, &tenant, &subject)
                    .await
                    .unwrap();
                assert_eq!(id, again, "the transaction sees its own");
                if commits {
                    tx.commit().await.unwrap();
                } else {
                    tx.rollback().await.unwrap();
                }
                let found = desk.onramp.open(&tenant, &subject).await.unwrap();
                assert_eq!(found.map(|found| found.id()), commits.then_some(id));
                assert_eq!(users(&$pool).await, i64::from(commits));
            }
            desk.journal_holds("org-1").await;
        };
    }
    on_each_database!(scenario);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_is_stored_with_the_hosts_rows_or_not_at_all() {
    macro_rules! scenario {
        ($store:ident, $pool:ident, $begin:expr, $insert:literal) => {
            sqlx::query("CREATE TABLE users (id VARCHAR(64) PRIMARY KEY)")
                .execute(&$pool)
                .await
                .unwrap();
            let desk = Desk::new(Arc::new($store.clone()), Faults::default());
            let _ = desk.answered("org-1").await;
            for commits in [false, true] {
                let running = desk.open("org-1").await.into_in_progress().unwrap();
                let paid = Paid {
                    invoice: "inv-1".into(),
                };
                let before = running.revision();
                let mut tx = $pool.begin_with($begin).await.unwrap();
                sqlx::query($insert)
                    .bind("org-1")
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                let change = running.attest(paid);
                let token = desk
                    .onramp
                    .commit_in(&mut $store.join(&mut tx), change)
                    .await
                    .unwrap();
                if commits {
                    tx.commit().await.unwrap();
                } else {
                    tx.rollback().await.unwrap();
                }
                let found = desk.onramp.resolve(&token).await.unwrap();
                assert_eq!(matches!(found, Resolution::Committed(_)), commits);
                let now = desk.open("org-1").await;
                assert_eq!(now.revision() > before, commits);
            }
            // The engine takes it from there.
            desk.engine().run_until_idle().await.unwrap();
            assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
            desk.journal_holds("org-1").await;
        };
    }
    on_each_database!(scenario);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_refused_leaves_the_hosts_transaction_as_it_was() {
    macro_rules! scenario {
        ($store:ident, $pool:ident, $begin:expr, $insert:literal) => {
            sqlx::query("CREATE TABLE users (id VARCHAR(64) PRIMARY KEY)")
                .execute(&$pool)
                .await
                .unwrap();
            let desk = Desk::new(Arc::new($store.clone()), Faults::default());
            let running = desk.answered("org-1").await;
            let stale = desk.open("org-1").await.into_in_progress().unwrap();
            let _ = desk
                .onramp
                .commit(running.attest(Paid {
                    invoice: "inv-1".into(),
                }))
                .await
                .unwrap();
            let moved = desk.open("org-1").await.revision();
            let mut tx = $pool.begin_with($begin).await.unwrap();
            sqlx::query($insert)
                .bind("org-1")
                .execute(&mut *tx)
                .await
                .unwrap();
            let mut joined = $store.join(&mut tx);
            let company = Company {
                name: String::new(),
            };
            let invalid = desk
                .onramp
                .commit_in(&mut joined, stale.submit(company))
                .await;
            let Err(CommitError::NotApplied(not)) = invalid else {
                unreachable!("it is invalid")
            };
            let late = desk
                .onramp
                .commit_in(&mut joined, not.onboarding.cancel())
                .await;
            let Err(CommitError::Conflict(conflict)) = late else {
                unreachable!("it was moved")
            };
            assert_eq!(conflict.current.revision(), moved);
            tx.commit().await.unwrap();
            assert_eq!(users(&$pool).await, 1);
            assert_eq!(desk.open("org-1").await.revision(), moved);
        };
    }
    on_each_database!(scenario);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_transactions_that_enrol_one_subject_one_creates_it() {
    macro_rules! scenario {
        ($store:ident, $pool:ident, $begin:expr, $insert:literal) => {
            sqlx::query("CREATE TABLE users (id VARCHAR(64) PRIMARY KEY)")
                .execute(&$pool)
                .await
                .unwrap();
            let desk = Arc::new(Desk::new(Arc::new($store.clone()), Faults::default()));
            let enrol = |user: &'static str| {
                let (desk, store, pool) = (Arc::clone(&desk), $store.clone(), $pool.clone());
                tokio::spawn(async move {
                    let (tenant, subject) = ids("org-1");
                    let mut tx = pool.begin_with($begin).await.ok()?;
                    sqlx::query($insert)
                        .bind(user)
                        .execute(&mut *tx)
                        .await
                        .ok()?;
                    let mut joined = store.join(&mut tx);
                    let joined: &mut dyn Join = &mut joined;
                    let id = desk
                        .onramp
                        .enroll_in(joined, &tenant, &subject)
                        .await
                        .ok()?;
                    tx.commit().await.ok()?;
                    Some(id)
                })
            };
            let (first, second) = (enrol("a"), enrol("b"));
            let ended = [first.await.unwrap(), second.await.unwrap()];
            let stored = desk.open("org-1").await.id();
            let confirmed = ended.iter().flatten().count();
            assert!(
                confirmed >= 1 && ended.iter().flatten().all(|id| *id == stored),
                "{ended:?}"
            );
            assert_eq!(users(&$pool).await, i64::try_from(confirmed).unwrap());
            desk.journal_holds("org-1").await;
        };
    }
    on_each_database!(scenario);
}
