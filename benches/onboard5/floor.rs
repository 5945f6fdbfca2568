//! The workload as a careful developer writes it by hand with sqlx.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use uuid::Uuid;

use crate::measure::One;
use crate::meter::url;

/// 200 bytes of JSON.
fn payload() -> String {
    format!(
        r#"{{"text":"{}"}}"#,
        "x".repeat(200 - r#"{"text":""}"#.len())
    )
}

/// One onboarding: `$begin` begins a transaction; the texts differ in how arguments are written.
macro_rules! one {
    ($pool:expr, $begin:literal, $create:literal, $move:literal, $step:literal) => {{
        let pool = $pool;
        let one: One = Arc::new(move |_| {
            let pool = pool.clone();
            Box::pin(async move {
                let id = Uuid::now_v7().as_bytes().to_vec();
                let subject = format!("subject-{}", Uuid::now_v7());
                let mut tx = pool.begin_with($begin).await.unwrap();
                sqlx::query($create)
                    .bind(&id[..])
                    .bind("acme")
                    .bind(&subject)
                    .bind(1_i64)
                    .bind("in_progress")
                    .bind("created")
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                sqlx::query($step)
                    .bind(&id[..])
                    .bind("created")
                    .bind("{}")
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                let steps = ["first", "second", "third", "fourth", "fifth", "completed"];
                for (revision, step) in (1_i64..).zip(steps) {
                    let done = step == "completed";
                    let mut tx = pool.begin_with($begin).await.unwrap();
                    let moved = sqlx::query($move)
                        .bind(revision + 1)
                        .bind(if done { "completed" } else { "in_progress" })
                        .bind(step)
                        .bind(&id[..])
                        .bind(revision)
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                    assert_eq!(moved.rows_affected(), 1);
                    sqlx::query($step)
                        .bind(&id[..])
                        .bind(step)
                        .bind(if done { "{}".to_owned() } else { payload() })
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                    tx.commit().await.unwrap();
                }
            })
        });
        one
    }};
}

pub(crate) async fn floor(store: &str, folder: &Path, connections: u32) -> One {
    match store {
        "postgres" => {
            let options = PgPoolOptions::new().max_connections(connections);
            let pool = options.connect(&url(store)).await.unwrap();
            sqlx::raw_sql(
                "DROP TABLE IF EXISTS floor_step, floor_onboarding;
                 CREATE TABLE floor_onboarding (id bytea PRIMARY KEY, tenant text NOT NULL,
                    subject text NOT NULL, revision bigint NOT NULL, stage text NOT NULL,
                    step text NOT NULL, UNIQUE (tenant, subject));
                 CREATE TABLE floor_step (onboarding bytea NOT NULL REFERENCES floor_onboarding,
                    step text NOT NULL, payload text NOT NULL, PRIMARY KEY (onboarding, step))",
            )
            .execute(&pool)
            .await
            .unwrap();
            one!(
                pool,
                "BEGIN",
                "INSERT INTO floor_onboarding (id, tenant, subject, revision, stage, step) VALUES ($1, $2, $3, $4, $5, $6)",
                "UPDATE floor_onboarding SET revision = $1, stage = $2, step = $3 WHERE id = $4 AND revision = $5",
                "INSERT INTO floor_step (onboarding, step, payload) VALUES ($1, $2, $3)"
            )
        }
        "mariadb" => {
            let options = MySqlPoolOptions::new().max_connections(connections);
            let pool = options.connect(&url(store)).await.unwrap();
            for sql in [
                "DROP TABLE IF EXISTS floor_step",
                "DROP TABLE IF EXISTS floor_onboarding",
                "CREATE TABLE floor_onboarding (id BINARY(16) PRIMARY KEY, tenant VARCHAR(64) NOT NULL,
                    subject VARCHAR(64) NOT NULL, revision BIGINT NOT NULL, stage VARCHAR(16) NOT NULL,
                    step VARCHAR(64) NOT NULL, UNIQUE (tenant, subject)) ENGINE = InnoDB",
                "CREATE TABLE floor_step (onboarding BINARY(16) NOT NULL REFERENCES floor_onboarding (id),
                    step VARCHAR(64) NOT NULL, payload LONGTEXT NOT NULL,
                    PRIMARY KEY (onboarding, step)) ENGINE = InnoDB",
            ] {
                sqlx::query(sql).execute(&pool).await.unwrap();
            }
            one!(
                pool,
                "BEGIN",
                "INSERT INTO floor_onboarding (id, tenant, subject, revision, stage, step) VALUES (?, ?, ?, ?, ?, ?)",
                "UPDATE floor_onboarding SET revision = ?, stage = ?, step = ? WHERE id = ? AND revision = ?",
                "INSERT INTO floor_step (onboarding, step, payload) VALUES (?, ?, ?)"
            )
        }
        _ => {
            let file = SqliteConnectOptions::new()
                .filename(folder.join("floor.db"))
                .create_if_missing(true)
                .busy_timeout(Duration::from_secs(60))
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            // One writer at a time anyway: waiting in line is faster than in SQLite.
            let options = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(Duration::from_secs(60));
            let pool = options.connect_with(file).await.unwrap();
            sqlx::raw_sql(
                "CREATE TABLE floor_onboarding (id BLOB PRIMARY KEY, tenant TEXT NOT NULL,
                    subject TEXT NOT NULL, revision INTEGER NOT NULL, stage TEXT NOT NULL,
                    step TEXT NOT NULL, UNIQUE (tenant, subject));
                 CREATE TABLE floor_step (onboarding BLOB NOT NULL REFERENCES floor_onboarding (id),
                    step TEXT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (onboarding, step))",
            )
            .execute(&pool)
            .await
            .unwrap();
            one!(
                pool,
                "BEGIN IMMEDIATE",
                "INSERT INTO floor_onboarding (id, tenant, subject, revision, stage, step) VALUES ($1, $2, $3, $4, $5, $6)",
                "UPDATE floor_onboarding SET revision = $1, stage = $2, step = $3 WHERE id = $4 AND revision = $5",
                "INSERT INTO floor_step (onboarding, step, payload) VALUES ($1, $2, $3)"
            )
        }
    }
}
