//! What is found by its identity costs the same however many the tenant has, also before the database
//! knows anything of its tables: that is when plans are made that are then kept.

mod support;

use onramp::prelude::*;
use onramp::store::SqlOptions;
use sqlx::{Connection as _, Row as _};
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
