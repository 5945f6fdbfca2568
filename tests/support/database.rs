//! New, empty databases, and what is in them as the database itself tells it.
//!
//! Knows nothing of onramp, so that unit tests can use it too.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each user takes its own part, and a test may panic"
)]

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, raw_sql};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// A database of its own.
pub struct Database {
    pub kind: Kind,
    /// Of SQLite, the path of the file, which need not be there.
    pub url: String,
    folder: Option<tempfile::TempDir>,
}

impl Database {
    /// One of each kind that is there.
    pub async fn each() -> Vec<Self> {
        let mut all = vec![Self::sqlite()];
        let postgres = postgres_database().await;
        let mysql = mysql_database().await;
        let postgres = postgres.map(|url| (Kind::Postgres, url));
        let mysql = mysql.map(|url| (Kind::MySql, url));
        for (kind, url) in postgres.into_iter().chain(mysql) {
            let folder = None;
            all.push(Self { kind, url, folder });
        }
        all
    }

    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onboarding.db");
        Self {
            kind: Kind::Sqlite,
            url: path.to_str().unwrap().to_owned(),
            folder: Some(folder),
        }
    }

    /// Another one of the same kind, also empty.
    pub async fn another(&self) -> Self {
        let url = match self.kind {
            Kind::Sqlite => return Self::sqlite(),
            Kind::Postgres => postgres_database().await,
            Kind::MySql => mysql_database().await,
        };
        Self {
            kind: self.kind,
            url: url.unwrap(),
            folder: None,
        }
    }

    pub fn path(&self) -> PathBuf {
        assert_eq!(self.kind, Kind::Sqlite);
        PathBuf::from(&self.url)
    }

    /// Runs statements by a connection of its own, each committed by itself.
    pub async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Sqlite => {
                let mut on = self.file().await;
                on.execute(raw_sql(sql)).await.unwrap();
                on.close().await.unwrap();
            }
            Kind::Postgres => {
                let mut on = sqlx::PgConnection::connect(&self.url).await.unwrap();
                on.execute(raw_sql(sql)).await.unwrap();
                on.close().await.unwrap();
            }
            Kind::MySql => {
                let mut on = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                on.execute(raw_sql(sql)).await.unwrap();
                on.close().await.unwrap();
            }
        }
    }

    /// The first column of a query, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Sqlite => {
                let mut on = self.file().await;
                let rows = on.fetch_all(sqlx::query(query)).await.unwrap();
                on.close().await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Kind::Postgres => {
                let mut on = sqlx::PgConnection::connect(&self.url).await.unwrap();
                let rows = on.fetch_all(sqlx::query(query)).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Kind::MySql => {
                let mut on = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                let rows = on.fetch_all(sqlx::query(query)).await.unwrap();
                rows.iter().map(|row| row.get_unchecked(0)).collect()
            }
        }
    }

    async fn file(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&self.url)
            .create_if_missing(true);
        sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap()
    }

    /// Everything that the database says of its tables, columns, indexes and constraints; sorted.
    pub async fn schema(&self) -> Vec<String> {
        let queries: &[&str] = match self.kind {
            Kind::Sqlite => {
                &["SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema"]
            }
            Kind::Postgres => &[
                "SELECT concat_ws(' ', 'column', table_name, ordinal_position, column_name, \
                 data_type, collation_name, is_nullable, column_default) \
                 FROM information_schema.columns WHERE table_schema = 'public'",
                "SELECT concat_ws(' ', 'index', indexname, indexdef) FROM pg_indexes \
                 WHERE schemaname = 'public'",
                "SELECT concat_ws(' ', 'constraint', conname, conrelid::regclass, \
                 pg_get_constraintdef(oid)) FROM pg_constraint \
                 WHERE connamespace = 'public'::regnamespace",
            ],
            Kind::MySql => &[
                "SELECT concat_ws(' ', 'table', table_name, engine, row_format, table_collation) \
                 FROM information_schema.tables WHERE table_schema = DATABASE()",
                "SELECT concat_ws(' ', 'column', table_name, ordinal_position, column_name, \
                 column_type, collation_name, is_nullable, column_default) \
                 FROM information_schema.columns WHERE table_schema = DATABASE()",
                "SELECT concat_ws(' ', 'index', index_name, table_name, seq_in_index, column_name, \
                 non_unique) FROM information_schema.statistics WHERE table_schema = DATABASE()",
                "SELECT concat_ws(' ', 'constraint', constraint_name, table_name, \
                 constraint_type) FROM information_schema.table_constraints \
                 WHERE table_schema = DATABASE()",
                "SELECT concat_ws(' ', 'reference', constraint_name, table_name, \
                 referenced_table_name) FROM information_schema.referential_constraints \
                 WHERE constraint_schema = DATABASE()",
            ],
        };
        let mut found = Vec::new();
        for query in queries {
            found.extend(self.texts(query).await);
        }
        found.sort();
        found
    }
}

/// The URL of a new, empty PostgreSQL database.
pub async fn postgres_database() -> Option<String> {
    let server = server("ONRAMP_TEST_POSTGRES_URL")?;
    Some(new_database::<sqlx::PgConnection>(&server).await)
}

/// The URL of a new, empty MariaDB or MySQL database.
pub async fn mysql_database() -> Option<String> {
    let server = server("ONRAMP_TEST_MYSQL_URL")?;
    Some(new_database::<sqlx::MySqlConnection>(&server).await)
}

/// Where a server is, as scripts/servers says. Without one its stores are left out, unless that is
/// forbidden.
fn server(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let required = std::env::var("ONRAMP_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "{variable} is not set: run the tests by scripts/test, or by scripts/servers"
        );
        eprintln!("left out, because {variable} is not set: run scripts/servers cargo test");
    }
    url
}

pub async fn new_database<C: sqlx::Connection>(server: &str) -> String
where
    for<'c> &'c mut C: sqlx::Executor<'c, Database = C::Database>,
{
    let name = format!("onramp_{}", Uuid::now_v7().simple());
    let mut admin = C::connect(server).await.unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::Executor::execute(&mut admin, raw_sql(create))
        .await
        .unwrap();
    admin.close().await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    format!("{address}/{name}")
}
