//! How a SQLite file is opened.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::fault::Fault;
use crate::store::sql::names::{self, Names};
use crate::store::sql::plan::{MigrationPlan, plan};
use crate::store::sql::sqlite::{CANTOPEN, Sqlite, code};
use crate::store::sql::transact::{self, retrying};

/// How long SQLite itself waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Pages of the write-ahead log before it is copied back, ten times the default: every commit
/// rewrites a few pages that the ones after it rewrite again.
const CHECKPOINT: &str = "10000";

/// Readers do not block each other nor the writer; more than this many only take memory.
const READERS: u32 = 4;

/// What a reader keeps of the file, in KiB, a quarter of the default: what all of them read is in the
/// operating system's cache, once.
const READ_CACHE: &str = "-512";

/// How a store opens its SQLite file.
///
/// ```
/// use onramp::store::SqliteOptions;
/// let options = SqliteOptions::new("service.db").create(false).table_prefix("signup_");
/// assert!(format!("{options:?}").contains("signup_"));
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) create: bool,
    pub(super) migrate: bool,
    pub(super) prefix: String,
}

impl SqliteOptions {
    /// The defaults: the file is created when there is none, and its schema brought up to date.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            create: true,
            migrate: true,
            prefix: names::DEFAULT.to_owned(),
        }
    }

    /// Whether a file that is not there is created.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether the schema is brought up to date. Without that, a schema that is not of exactly this
    /// program's version is refused.
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// What the names of the tables begin with, `onramp_` by default: for several independent sets of
    /// tables in one file. A letter first and `_` last, of a-z, 0-9 and `_`, 24 characters at most,
    /// and none that begins as databases' own names do (`sqlite_`, `pg_`); anything else is refused by
    /// `open_with`.
    #[must_use]
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

pub(super) type Pool = sqlx::Pool<sqlx::Sqlite>;

/// One connection that writes and a few that cannot.
///
/// All writes of the process go through the one connection: SQLite has one writer at a time anyway,
/// and waiting here in line is fair where waiting in SQLite is not.
pub(super) async fn connect(path: &Path, create: bool) -> Result<(Pool, Pool), Error> {
    transact::runtime()?;
    let path = absolute(path)?;
    // sqlx sets the timeout before it runs any pragma: changing to WAL takes a lock as well.
    let writing = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(create)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT)
        // What is erased is overwritten, not only let go of.
        .pragma("secure_delete", "ON")
        .foreign_keys(true);
    let writers = retrying::<Sqlite, _, _>(|_| {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        let writing = writing.clone();
        // In a box, so that the compiler sees that it may move between threads.
        let connecting: Pin<Box<dyn Future<Output = Result<_, Fault>> + Send>> =
            Box::pin(async move { Ok(pool.connect_with(writing).await?) });
        connecting
    })
    .await
    .map_err(|fault| opening(&path, fault))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .connect_lazy_with(reading(&path));
    Ok((writers, readers))
}

/// What opening a file would do to its schema.
pub(super) async fn planned(options: &SqliteOptions) -> Result<MigrationPlan, Error> {
    let names = Names::with::<Sqlite>(&options.prefix)?;
    transact::runtime()?;
    let path = absolute(&options.path)?;
    if options.create && is_new(&path)? {
        return MigrationPlan::from::<Sqlite>(names, 0);
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(reading(&path));
    let planned = match pool.acquire().await {
        Ok(on) => {
            drop(on);
            plan::<Sqlite>(&pool, names).await
        }
        Err(error) => Err(opening(&path, error.into())),
    };
    pool.close().await;
    planned
}

/// How a file that exists is opened to be read.
fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("query_only", "ON")
        .pragma("cache_size", READ_CACHE)
}

/// Absolute, so that SQLite takes ":memory:" and "file:..." for the names of files.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| unusable(path).because(error))
}

/// Whether the file is not there and could be, in its folder.
fn is_new(path: &Path) -> Result<bool, Error> {
    let exists = path.try_exists();
    if exists.map_err(|error| unusable(path).because(error))? {
        return Ok(false);
    }
    match path.parent().is_some_and(Path::is_dir) {
        true => Ok(true),
        false => Err(unusable(path)),
    }
}

fn opening(path: &Path, fault: Fault) -> Error {
    match fault {
        Fault::Sql(error) if primary_code(&error) == Some(CANTOPEN) => {
            unusable(path).because(error)
        }
        other => other.told::<Sqlite>(),
    }
}

fn unusable(path: &Path) -> Error {
    let message = format!("cannot open the file {path:?}: is the folder there and writable?");
    Error::new(ErrorKind::Config, message)
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error().and_then(code)
}
