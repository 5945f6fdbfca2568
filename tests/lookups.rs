//! What is found by its identity costs the same however many the tenant has, also before the database
//! knows anything of its tables: that is when plans are made that are then kept.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use onramp::prelude::*;
use onramp::store::sql::{Dialect, SqlStore};
use onramp::store::{SqlOptions, TenantRequest};
use sqlx::{Connection as _, Row as _};
use support::database::{Database, Kind};
use support::{Desk, Faults, postgres_database};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_walks_through_all_onboardings_of_a_tenant() {
    const ALL: u64 = 120;
    let Some(url) = postgres_database().await else {
        return;
    };
    let store = PostgresStore::connect_with(SqlOptions::new(&url))
        .await
        .unwrap();
    let desk = std::sync::Arc::new(Desk::new(
        std::sync::Arc::new(store.clone()),
        Faults::default(),
    ));
    // Several at a time, so that commits go together too.
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..8 {
        let desk = std::sync::Arc::clone(&desk);
        hosts.spawn(async move {
            for n in (host..ALL).step_by(8) {
                desk.paid(&format!("org-{n}")).await;
            }
        });
    }
    hosts.join_all().await;
    desk.engine().run_until_idle().await.unwrap();
    // A session tells what it read when it ends.
    store.close().await;
    let mut on = sqlx::PgConnection::connect(&url).await.unwrap();
    let sql = "SELECT idx_scan, idx_tup_read FROM pg_stat_user_indexes \
        WHERE indexrelname = 'onramp_onboarding_tenant_subject_flow_active_key'";
    let mut told = (0, 0);
    for _ in 0..50 {
        let row = sqlx::query(sql).fetch_one(&mut on).await.unwrap();
        told = (row.get::<i64, _>(0), row.get::<i64, _>(1));
        if told.0 >= i64::try_from(ALL).unwrap() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (scans, read) = told;
    println!("{scans} scans of the index by tenant read {read} entries");
    assert!(scans >= i64::try_from(ALL).unwrap(), "enrolments use it");
    assert!(read <= scans, "each scan is for one onboarding");
}

/// How many rows of onboardings the server has read so far, once it has counted all of them.
async fn read_so_far(database: &Database) -> i64 {
    let sql = match database.kind {
        Kind::Postgres => {
            "SELECT (sum(i.idx_tup_read) + max(t.seq_tup_read))::text FROM pg_stat_user_indexes i \
             JOIN pg_stat_user_tables t ON t.relid = i.relid WHERE t.relname = 'onramp_onboarding'"
        }
        _ => {
            // Along an index: who walked the table would have read nothing at all by this.
            "SELECT variable_value FROM information_schema.global_status \
             WHERE variable_name = 'HANDLER_READ_NEXT'"
        }
    };
    let mut told = String::new();
    loop {
        let now = database.texts(sql).await.pop().unwrap();
        if now == told {
            return now.parse().unwrap();
        }
        told = now;
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_a_tenant_walks_past_nobody_elses() {
    for database in Database::each().await {
        let url = &database.url;
        match database.kind {
            // It counts nothing: a test beside the statements asks for its plan.
            Kind::Sqlite => {}
            Kind::Postgres => walks(&database, async || PostgresStore::connect(url).await).await,
            Kind::MySql => walks(&database, async || MySqlStore::connect(url).await).await,
        }
    }
}

async fn walks<D: Dialect>(
    database: &Database,
    open: impl AsyncFn() -> Result<SqlStore<D>, onramp::store::Error>,
) {
    const MINE: usize = 40;
    let tenant = |name: &str| TenantId::new(name).unwrap();
    let store = open().await.unwrap();
    let desk = Desk::new(std::sync::Arc::new(store.clone()), Faults::default());
    for n in 0..300 {
        let subject = SubjectId::new(format!("org-{n}")).unwrap();
        let tenants = ["before", "theirs", "mine"];
        let tenants = &tenants[..if n < MINE { 3 } else { 2 }];
        for name in tenants {
            let _ = desk.onramp.enroll(&tenant(name), &subject).await.unwrap();
        }
    }
    // A session tells what it has read when it ends.
    store.close().await;
    let before = read_so_far(database).await;
    let store = open().await.unwrap();
    let (mut request, mut listed) = (TenantRequest::new(&tenant("mine")).limit(7), 0);
    loop {
        let page = store.of_tenant(&request).await.unwrap();
        let Some(last) = page.last() else { break };
        listed += page.len();
        request = request.after(&last.key);
    }
    store.close().await;
    let read = read_so_far(database).await - before;
    println!("{:?}: {read} rows read for {listed}", database.kind);
    assert_eq!(listed, MINE);
    // Each page looks once more at the one that the page before ended with.
    let most = MINE + MINE / 7 + 2;
    let few = usize::try_from(read).is_ok_and(|read| (MINE - MINE / 7 - 2..=most).contains(&read));
    assert!(few, "{:?}: {read} rows read", database.kind);
}
