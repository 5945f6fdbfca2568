//! SQLite: its dialect, and how a file is opened.

use std::path::Path;

use sqlx::error::{DatabaseError, ErrorKind as SqlKind};

use crate::store::error::Error;
use crate::store::sql::body::SqlStore;
use crate::store::sql::claim::{self, ClaimTexts};
use crate::store::sql::dialect::{Class, Dialect, Speaks};
use crate::store::sql::driver::driver;
use crate::store::sql::fault::Fault;
use crate::store::sql::file::{self, SqliteOptions};
use crate::store::sql::group::{Batch, Locked, Member, Outcome, Texts, parts, single};
use crate::store::sql::names::Names;
use crate::store::sql::plan::MigrationPlan;
use crate::store::sql::session::Session;
use crate::store::sql::statements::{Statements, statements};
use crate::store::sql::transact::Work as _;

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
        let (writers, readers) = file::connect(&options.path, options.create).await?;
        Self::opened(None, writers, readers, names, options.migrate).await
    }

    /// What [`open_with`](Self::open_with) would do to the schema of a file. Changes nothing, and
    /// does not create the file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    ///
    /// ```
    /// use onramp::store::{SqliteOptions, SqliteStore};
    ///
    /// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("onboarding.db");
    /// let plan = SqliteStore::plan_migration(SqliteOptions::new(&path)).await?;
    /// println!("{plan}");
    /// assert!(!path.exists());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new()?.block_on(show())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn plan_migration(options: SqliteOptions) -> Result<MigrationPlan, Error> {
        file::planned(&options).await
    }
}

/// The primary part of SQLite's result code.
pub(super) fn code(error: &dyn DatabaseError) -> Option<i32> {
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
        hold: "",
        upsert: "ON CONFLICT (onboarding, step) DO UPDATE SET" "excluded." "",
        is: " = ",
        wanted: "",
        has_schema: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'onramp_schema'"
    };

    const CLAIMS: ClaimTexts = claim::rows::SQLITE;

    const GROUP: Texts = single::TEXTS;

    const LANES: usize = 1;

    async fn together(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        batch: &Batch,
    ) -> Result<Vec<Option<Outcome>>, Fault> {
        parts::together(db, texts, batch, parts::Form::Scripts).await
    }

    async fn joined(
        db: &mut Session<'_, Self>,
        _: &'static Texts,
        member: Member,
    ) -> Result<Outcome, Fault> {
        // Whatever it looks at is locked, so what it then writes cannot fail half-way.
        Locked(member).run(db).await
    }

    const DDL_COMMITS: bool = false;

    const MIGRATIONS: &'static [&'static str] = &[include_str!("migrations/sqlite_1.sql")];

    // One writer at a time, and a migration is one transaction.
    fn is_there(_: &dyn DatabaseError) -> bool {
        false
    }

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
pub(super) const CANTOPEN: i32 = 14;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const NOTADB: i32 = 26;
