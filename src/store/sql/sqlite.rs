//! SQLite: its dialect, and how a file is opened.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use sqlx::error::{DatabaseError, ErrorKind as SqlKind};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::body::SqlStore;
use crate::store::sql::claim::{self, ClaimTexts};
use crate::store::sql::dialect::{Class, Dialect, Speaks};
use crate::store::sql::driver::driver;
use crate::store::sql::fault::Fault;
use crate::store::sql::group::{Batch, Outcome, Texts, parts, scripts};
use crate::store::sql::names::{self, Names};
use crate::store::sql::session::Session;
use crate::store::sql::statements::{Statements, statements};
use crate::store::sql::transact::{self, retrying};

/// How long SQLite itself waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Readers do not block each other nor the writer; more than this many only take memory.
const READERS: u32 = 4;

/// The dialect of SQLite 3.
///
/// ```
/// fn is_a_store<S: onramp::store::Store>() {}
/// is_a_store::<onramp::store::sql::SqlStore<onramp::store::sql::Sqlite>>();
/// ```
#[derive(Debug)]
pub enum Sqlite {}

/// A store in a SQLite file.
///
/// Many handles in many processes may share the file, as long as it is on a local disk (SQLite's
/// write-ahead log does not work over a network). Everything that was confirmed survives the loss
/// of the process and of power.
///
/// ```
/// use onramp::store::{SqliteStore, Store};
///
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let store = SqliteStore::open(folder.path().join("onboarding.db")).await?;
/// let shared: std::sync::Arc<dyn Store> = std::sync::Arc::new(store.clone());
/// # drop(shared);
/// store.close().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new()?.block_on(show())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type SqliteStore = SqlStore<Sqlite>;

impl SqlStore<Sqlite> {
    /// Opens a file, creating it when there is none, and brings its schema up to date. Safe when
    /// several processes do so at the same time.
    ///
    /// # Errors
    /// Of kind `Schema` when the file was written by a newer version, `Corrupt` when it is damaged
    /// or no database, `Config` when it cannot be opened at that path or there is no Tokio
    /// runtime, `Unavailable` when another process does not let go of it.
    ///
    /// ```
    /// use onramp::store::{ErrorKind, SqliteStore};
    ///
    /// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let nowhere = folder.path().join("no/such/folder/onboarding.db");
    /// let error = SqliteStore::open(nowhere).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new()?.block_on(show())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(SqliteOptions::new(path)).await
    }

    /// Opens a file that exists and whose schema is up to date. Creates and migrates nothing: for
    /// hosts that migrate in a step of its own.
    ///
    /// # Errors
    /// As [`open`](Self::open); of kind `Schema` also when the schema is older than this program's
    /// or is not there.
    ///
    /// ```
    /// use onramp::store::{ErrorKind, SqliteStore};
    ///
    /// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("onboarding.db");
    /// std::fs::write(&path, "")?; // an empty database
    /// let error = SqliteStore::open_existing(&path).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Schema);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new()?.block_on(show())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn open_existing(path: impl AsRef<Path>) -> Result<Self, Error> {
        let options = SqliteOptions::new(path).create(false).migrate(false);
        Self::open_with(options).await
    }

    /// Opens a file as [`open`](Self::open) does, with other settings.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    ///
    /// ```
    /// use onramp::store::{SqliteOptions, SqliteStore};
    ///
    /// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("service.db");
    /// let store = SqliteStore::open_with(SqliteOptions::new(path).table_prefix("signup_")).await?;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new()?.block_on(show())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn open_with(options: SqliteOptions) -> Result<Self, Error> {
        let names = Names::with::<Sqlite>(&options.prefix)?;
        let (writers, readers) = connect(&options.path, options.create).await?;
        Self::opened(None, writers, readers, names, options.migrate).await
    }
}

/// How a store opens its SQLite file.
///
/// ```
/// use onramp::store::SqliteOptions;
/// let options = SqliteOptions::new("service.db").create(false).table_prefix("signup_");
/// assert!(format!("{options:?}").contains("signup_"));
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    path: PathBuf,
    create: bool,
    migrate: bool,
    prefix: String,
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
    /// tables in one file. A letter first and `_` last, of a-z, 0-9 and `_`, 24 characters at most;
    /// anything else is refused by `open_with`.
    #[must_use]
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

type Pool = sqlx::Pool<sqlx::Sqlite>;

/// One connection that writes and a few that cannot.
///
/// All writes of the process go through the one connection: SQLite has one writer at a time anyway,
/// and waiting here in line is fair where waiting in SQLite is not.
async fn connect(path: &Path, create: bool) -> Result<(Pool, Pool), Error> {
    transact::runtime()?;
    // Absolute, so that SQLite takes ":memory:" and "file:..." for the names of files.
    let path = std::path::absolute(path).map_err(|error| unusable(path).because(error))?;
    // sqlx sets the timeout before it runs any pragma: changing to WAL takes a lock as well.
    let writing = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(create)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    let reading = SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("query_only", "ON");
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
        .connect_lazy_with(reading);
    Ok((writers, readers))
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

/// The primary part of SQLite's result code.
fn code(error: &dyn DatabaseError) -> Option<i32> {
    let extended: i32 = error.code()?.parse().ok()?;
    Some(extended & 0xff)
}

driver!(sqlx::Sqlite, text: try_get);

impl Dialect for Sqlite {}

impl Speaks for Sqlite {
    type Db = sqlx::Sqlite;

    const NAME: &'static str = "SQLite";

    const VERIFIED_TLS: &'static str = "";

    // A transaction that begins by reading cannot always be made to write later: it fails at once
    // when another one has written meanwhile, whatever the timeout.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    const STATEMENTS: Statements = statements! {
        form: dollars,
        now: "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)",
        lock: "",
        upsert: "ON CONFLICT (onboarding, step) DO UPDATE SET" "excluded." "",
        has_schema: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'onramp_schema'"
    };

    const CLAIMS: ClaimTexts = claim::rows::SQLITE;

    const GROUP: Texts = scripts::TEXTS;

    const LANES: usize = 1;

    async fn together(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        batch: &Batch,
    ) -> Result<Vec<Option<Outcome>>, Fault> {
        parts::apply(db, texts, batch, parts::Form::Scripts).await
    }

    const DDL_COMMITS: bool = false;

    const MIGRATIONS: &'static [&'static str] = &[include_str!("migrations/sqlite_1.sql")];

    fn class(error: &dyn DatabaseError) -> Class {
        match (code(error), error.kind()) {
            (_, SqlKind::UniqueViolation) => Class::Taken,
            (Some(BUSY | LOCKED), _) => Class::Busy,
            (Some(FULL | READONLY), _) => Class::Refused,
            (Some(TOOBIG | CONSTRAINT | MISMATCH), _) => Class::Invalid,
            (Some(CORRUPT | NOTADB), _) => Class::Corrupt,
            (Some(ERROR), _) => Class::Schema,
            _ => Class::Other,
        }
    }
}

// https://www.sqlite.org/rescode.html
const ERROR: i32 = 1;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const NOTADB: i32 = 26;
