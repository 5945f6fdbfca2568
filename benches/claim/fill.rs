//! Databases full of onboardings, made by SQL: only what a claim touches is filled in.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// A database of its own.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) store: &'static str,
    pub(crate) url: String,
}

pub(crate) enum On {
    Postgres(sqlx::PgConnection),
    MySql(sqlx::MySqlConnection),
    Sqlite(sqlx::SqliteConnection),
}

impl Database {
    /// A new one, without tables.
    pub(crate) async fn new(store: &'static str, folder: &std::path::Path) -> Self {
        let name = format!("claim_{}", uuid::Uuid::now_v7().simple());
        let server = match store {
            "postgres" => std::env::var("ONRAMP_TEST_POSTGRES_URL").unwrap(),
            "mariadb" => std::env::var("ONRAMP_TEST_MYSQL_URL").unwrap(),
            _ => {
                let url = folder.join(name).to_str().unwrap().to_owned();
                return Self { store, url };
            }
        };
        let mut admin = Self { store, url: server }.connect().await;
        admin.run(format!("CREATE DATABASE {name}")).await;
        let Self { url, .. } = admin.1;
        let (address, _) = url.rsplit_once('/').unwrap();
        let url = format!("{address}/{name}");
        Self { store, url }
    }

    pub(crate) async fn connect(&self) -> Session {
        let on = match self.store {
            "postgres" => On::Postgres(sqlx::PgConnection::connect(&self.url).await.unwrap()),
            "mariadb" => On::MySql(sqlx::MySqlConnection::connect(&self.url).await.unwrap()),
            _ => {
                let url = format!("sqlite://{}", self.url);
                On::Sqlite(sqlx::SqliteConnection::connect(&url).await.unwrap())
            }
        };
        Session(on, self.clone())
    }
}

/// A connection to a [`Database`].
pub(crate) struct Session(On, Database);

impl Session {
    pub(crate) async fn run(&mut self, sql: String) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.0 {
            On::Postgres(on) => drop(on.execute(sql).await.unwrap()),
            On::MySql(on) => drop(on.execute(sql).await.unwrap()),
            On::Sqlite(on) => drop(on.execute(sql).await.unwrap()),
        }
    }

    /// Faster, and nothing that a claim would notice.
    pub(crate) async fn careless(&mut self) {
        let sql = match self.1.store {
            "postgres" => "SET synchronous_commit = off",
            "mariadb" => {
                "SET SESSION foreign_key_checks = 0, SESSION unique_checks = 0; \
                 SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
            }
            _ => "PRAGMA synchronous = OFF; PRAGMA busy_timeout = 10000",
        };
        self.run(sql.to_owned()).await;
    }

    /// Onboardings from a number on that are in no queue: finished ones, or those to be queued later.
    pub(crate) async fn rest(&mut self, from: u64, many: u64, tenants: u64) {
        for (from, many) in chunks(from, many) {
            let (n, id, series) = self.words(from, many);
            let text = self.text();
            let filler = "x".repeat(200);
            self.run(format!(
                "INSERT INTO onramp_onboarding (id, tenant, flow, subject, active, revision, stage, \
                 fence, state, head, created_at, updated_at) \
                 SELECT {id}, {tenant}, 'bench', {subject}, 1, 1, 'completed', 1, '{{\"filler\":\"{filler}\"}}', {id}, 0, 0 \
                 FROM {series}",
                tenant = text(&format!("{n} % {tenants}"), "t-"),
                subject = text(n, "s-"),
            ))
            .await;
        }
    }

    /// Queues such onboardings, `apart` microseconds after one another, the last one due now.
    pub(crate) async fn queue(&mut self, from: u64, many: u64, tenants: u64, apart: u64) {
        let end = from + many;
        for (from, many) in chunks(from, many) {
            let (n, id, series) = self.words(from, many);
            let text = self.text();
            let now = match self.1.store {
                "postgres" => "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint",
                "mariadb" => "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
                _ => "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)",
            };
            self.run(format!(
                "INSERT INTO onramp_queue (onboarding, tenant, flow, due_at, fence, leased, lease_us, \
                 attempt) SELECT {id}, {tenant}, 'bench', {now} - ({end} - {n}) * {apart}, 1, 0, 0, 0 \
                 FROM {series}",
                tenant = text(&format!("{n} % {tenants}"), "t-"),
            ))
            .await;
        }
    }

    pub(crate) async fn settle(&mut self) {
        match self.1.store {
            "postgres" => {
                self.run("VACUUM ANALYZE".to_owned()).await;
                self.run("CHECKPOINT".to_owned()).await;
            }
            "mariadb" => {
                let tables = "ANALYZE TABLE onramp_onboarding, onramp_queue";
                self.run(tables.to_owned()).await;
            }
            _ => self.run("PRAGMA wal_checkpoint(TRUNCATE)".to_owned()).await,
        }
    }

    /// Begins a transaction that goes on seeing what is there now, until the session ends.
    pub(crate) async fn snapshot(&mut self) {
        let sql = match self.1.store {
            "postgres" => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT max(due_at) FROM onramp_queue"
            }
            "mariadb" => {
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 START TRANSACTION WITH CONSISTENT SNAPSHOT; SELECT max(due_at) FROM onramp_queue"
            }
            _ => "BEGIN; SELECT max(due_at) FROM onramp_queue",
        };
        self.run(sql.to_owned()).await;
    }

    /// The number, the identity made of it, and where numbers come from.
    fn words(&self, from: u64, many: u64) -> (&'static str, &'static str, String) {
        let to = from + many - 1;
        match self.1.store {
            "postgres" => (
                "n",
                "decode(lpad(to_hex(n), 32, '0'), 'hex')",
                format!("generate_series({from}, {to}) n"),
            ),
            "mariadb" => (
                "seq",
                "UNHEX(LPAD(HEX(seq), 32, '0'))",
                format!("seq_{from}_to_{to}"),
            ),
            _ => (
                "n",
                "unhex(printf('%032x', n))",
                format!(
                    "(WITH RECURSIVE s (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s \
                     WHERE n < {to}) SELECT n FROM s)"
                ),
            ),
        }
    }

    /// How a number becomes a text.
    fn text(&self) -> fn(&str, &str) -> String {
        match self.1.store {
            "mariadb" => |number, prefix| format!("CONCAT('{prefix}', {number})"),
            _ => |number, prefix| format!("'{prefix}' || ({number})"),
        }
    }
}

fn chunks(from: u64, many: u64) -> impl Iterator<Item = (u64, u64)> {
    const LARGEST: u64 = 100_000;
    let starts = (0..many).step_by(LARGEST as usize);
    starts.map(move |at| (from + at, LARGEST.min(many - at)))
}
