//! What the service owns: its own database, and one database file per workspace.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use onramp::prelude::*;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Platform {
    pub(crate) pool: SqlitePool,
    workspaces: PathBuf,
}

impl Platform {
    /// Opens what is in a folder. The onboardings are in the same file, in tables of their own, so that
    /// an account and its onboarding can be created in one transaction.
    pub(crate) async fn open(data: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let workspaces = data.join("workspaces");
        std::fs::create_dir_all(&workspaces)?;
        let options = SqliteConnectOptions::new()
            .filename(data.join("service.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePool::connect_with(options).await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        Ok(Self { pool, workspaces })
    }

    /// Opens a workspace's database file.
    pub(crate) async fn workspace(
        &self,
        file: &str,
        create: bool,
    ) -> sqlx::Result<SqliteConnection> {
        SqliteConnectOptions::new()
            .filename(self.workspaces.join(file))
            .create_if_missing(create)
            .busy_timeout(Duration::from_secs(10))
            .connect()
            .await
    }

    pub(crate) fn has_workspace(&self, file: &str) -> bool {
        self.workspaces.join(file).is_file()
    }

    pub(crate) fn drop_workspace(&self, file: &str) -> io::Result<()> {
        for file in [file.to_owned(), format!("{file}-journal")] {
            match std::fs::remove_file(self.workspaces.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads a struct from a row, each field from the column of its name; what sqlx's derive would do, which
/// brings a compiler of SQL with it.
macro_rules! columns {
    ($row:ident { $($field:ident),* }) => {
        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $row {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                use sqlx::Row;
                $(let $field = row.try_get(stringify!($field))?;)*
                Ok(Self { $($field),* })
            }
        }
    };
}
pub(crate) use columns;

const NOT_READY: Problem = Problem::new(
    "platform_not_ready",
    "We are not ready for new customers yet. Please come back a little later.",
);

/// Nobody starts before the service itself is ready.
pub(crate) struct PlatformReady(pub(crate) Platform);

impl Gate for PlatformReady {
    const NAME: &'static str = "platform_ready";

    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        let closed = |why: String| GateClosed::new(NOT_READY, why);
        let query = sqlx::query("SELECT id FROM accounts LIMIT 0");
        query
            .execute(&self.0.pool)
            .await
            .map_err(|error| closed(error.to_string()))?;
        match self.0.workspaces.is_dir() {
            true => Ok(()),
            false => Err(closed("the folder of the workspaces is gone".to_owned())),
        }
    }
}

/// Times are seconds since 1970.
const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS accounts (
        id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS links (
        hash TEXT PRIMARY KEY, account TEXT NOT NULL, purpose TEXT NOT NULL, until INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS mails (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, visitor TEXT NOT NULL, at INTEGER NOT NULL,
        subject TEXT NOT NULL, body TEXT NOT NULL, link TEXT);
    CREATE TABLE IF NOT EXISTS faults (
        id INTEGER PRIMARY KEY AUTOINCREMENT, step TEXT NOT NULL, final INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS checkouts (
        id TEXT PRIMARY KEY, customer TEXT NOT NULL, plan TEXT NOT NULL, amount TEXT NOT NULL,
        state TEXT NOT NULL, UNIQUE (customer, plan));
    CREATE TABLE IF NOT EXISTS deliveries (
        id INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, body TEXT NOT NULL,
        forged INTEGER NOT NULL, due INTEGER NOT NULL, answer TEXT);
";
