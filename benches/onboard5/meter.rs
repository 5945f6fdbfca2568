//! How many bytes a database has written to its log.

#![expect(clippy::panic, reason = "a benchmark may panic")]

use sqlx::Row as _;

pub(crate) enum Meter {
    Postgres(sqlx::PgPool),
    MariaDb(sqlx::MySqlPool),
    /// SQLite writes in this process.
    Process,
}

impl Meter {
    pub(crate) async fn new(store: &str) -> Self {
        match store {
            "postgres" => Self::Postgres(sqlx::PgPool::connect(&url(store)).await.unwrap()),
            "mariadb" => Self::MariaDb(sqlx::MySqlPool::connect(&url(store)).await.unwrap()),
            _ => Self::Process,
        }
    }

    pub(crate) async fn written(&self) -> u64 {
        match self {
            Self::Postgres(pool) => {
                let row = sqlx::query("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
                    .fetch_one(pool)
                    .await
                    .unwrap();
                u64::try_from(row.get::<i64, _>(0)).unwrap()
            }
            Self::MariaDb(pool) => {
                let row = sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'")
                    .fetch_one(pool)
                    .await
                    .unwrap();
                row.get_unchecked::<String, _>(1).parse().unwrap()
            }
            Self::Process => {
                let io = std::fs::read_to_string("/proc/self/io").unwrap();
                let line = io.lines().find(|line| line.starts_with("wchar:")).unwrap();
                line["wchar:".len()..].trim().parse().unwrap()
            }
        }
    }
}

/// The URL of a test server.
pub(crate) fn url(store: &str) -> String {
    let name = match store {
        "postgres" => "ONRAMP_TEST_POSTGRES_URL",
        _ => "ONRAMP_TEST_MYSQL_URL",
    };
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/bench onboard5"))
}
