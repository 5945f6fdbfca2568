//! MySQL and MariaDB: their dialect, and how a server is reached.

use std::time::Duration;

use sqlx::error::{DatabaseError, ErrorKind as SqlKind};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlSslMode};
use sqlx::pool::PoolOptions;

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::body::SqlStore;
use crate::store::sql::claim::{self, ClaimTexts};
use crate::store::sql::dialect::{Class, Dialect, Speaks};
use crate::store::sql::driver::driver;
use crate::store::sql::fault::Fault;
use crate::store::sql::group::{Batch, Locked, Member, Outcome, Texts, parts, tables};
use crate::store::sql::options::{self, SqlOptions, Way};
use crate::store::sql::plan::MigrationPlan;
use crate::store::sql::session::Session;
use crate::store::sql::statements::{Statements, statements};
use crate::store::sql::transact::{self, Work as _};

/// The dialect of MariaDB and MySQL.
///
/// ```
/// fn is_a_store<S: onramp::store::Store>() {}
/// is_a_store::<onramp::store::sql::SqlStore<onramp::store::sql::MySql>>();
/// ```
#[derive(Debug)]
pub enum MySql {}

/// A store in a MariaDB or MySQL database, shared by any number of processes. Needs InnoDB and
/// `SKIP LOCKED`: MariaDB 10.6 or MySQL 8.0, or newer. Tested on MariaDB.
///
/// ```no_run
/// use onramp::store::MySqlStore;
///
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("DATABASE_URL")?; // mysql://user:password@host/database?ssl-mode=VERIFY_IDENTITY
/// let store = MySqlStore::connect(&url).await?;
/// store.close().await;
/// # Ok(())
/// # }
/// ```
pub type MySqlStore = SqlStore<MySql>;

impl SqlStore<MySql> {
    /// Connects to a database and brings its schema up to date. Safe when several processes do so
    /// at the same time.
    ///
    /// # Errors
    /// Of kind `Config` when the URL cannot be used or names no database, its user is not let in,
    /// the database is not there, or another machine would be reached without verified TLS;
    /// `Schema` when the tables are of a newer version; `Unavailable` when the server cannot be
    /// reached.
    ///
    /// ```
    /// use onramp::store::{ErrorKind, MySqlStore};
    ///
    /// # async fn show() {
    /// let url = "mysql://onboarding:secret@db.example.com/onboarding";
    /// let error = MySqlStore::connect(url).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// assert!(error.to_string().contains("ssl-mode=VERIFY_IDENTITY"));
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(show());
    /// ```
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(SqlOptions::new(url)).await
    }

    /// Connects as [`connect`](Self::connect) does, with other settings.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// ```no_run
    /// use onramp::store::{MySqlStore, SqlOptions};
    ///
    /// # async fn show() -> Result<(), onramp::store::Error> {
    /// let options = SqlOptions::new("mysql://onboarding@localhost/onboarding").max_connections(4);
    /// let store = MySqlStore::connect_with(options).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_with(options: SqlOptions) -> Result<Self, Error> {
        options::opened::<MySql>(&options, reach(&options)?).await
    }

    /// What [`connect_with`](Self::connect_with) would do to the database's schema. Changes nothing.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// ```no_run
    /// use onramp::store::{MySqlStore, SqlOptions};
    ///
    /// # async fn show() -> Result<(), onramp::store::Error> {
    /// let options = SqlOptions::new("mysql://onboarding@localhost/onboarding");
    /// let plan = MySqlStore::plan_migration(options).await?;
    /// println!("{plan}");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn plan_migration(options: SqlOptions) -> Result<MigrationPlan, Error> {
        options::planned::<MySql>(&options, reach(&options)?).await
    }
}

/// How a pool of the given settings connects, and with which timeouts of statements and locks.
fn reach(
    options: &SqlOptions,
) -> Result<
    impl Fn(PoolOptions<sqlx::MySql>, Duration, Duration) -> sqlx::Pool<sqlx::MySql> + use<>,
    Error,
> {
    transact::runtime()?;
    let to: MySqlConnectOptions = options.parse::<MySql, _>()?;
    options.allow::<MySql>(&way(&to))?;
    if to.get_database().is_none() {
        let message = "the URL names no database: add its name after the host and '/'";
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(
        move |pool: PoolOptions<_>, statement: Duration, lock: Duration| {
            pool.after_connect(move |on, _| {
                Box::pin(async move {
                    sqlx::query(ISOLATION).execute(&mut *on).await?;
                    sqlx::query(SESSION)
                        .bind(i64::try_from(lock.as_secs()).unwrap_or(i64::MAX).max(1))
                        .execute(&mut *on)
                        .await?;
                    let millis = i64::try_from(statement.as_millis()).unwrap_or(i64::MAX);
                    // MariaDB has the first, MySQL the second.
                    if !maybe(on, "SET SESSION max_statement_time = ? / 1000", millis).await? {
                        maybe(on, "SET SESSION max_execution_time = ?", millis).await?;
                    }
                    // On a Galera cluster: read what another node has just confirmed.
                    maybe(on, "SET SESSION wsrep_sync_wait = ?", 1).await?;
                    let read_only: bool = sqlx::query_scalar("SELECT @@GLOBAL.read_only")
                        .fetch_one(on)
                        .await?;
                    if read_only {
                        // A replica, which may lag behind what was confirmed: that something is
                        // not there yet must not be taken for an answer. The pool tries again.
                        let message = "the server is read-only".to_owned();
                        return Err(sqlx::Error::Protocol(message));
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(to.clone())
        },
    )
}

/// So that what is read after a compare-and-swap failed is what it failed on.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Strict, so that nothing is cut off to fit.
const SESSION: &str = "SET SESSION autocommit = 1, \
    SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    SESSION innodb_lock_wait_timeout = ?";

/// Sets a variable that not every server has. Gives whether it has it.
async fn maybe(
    on: &mut MySqlConnection,
    sql: &'static str,
    value: i64,
) -> Result<bool, sqlx::Error> {
    match sqlx::query(sql).bind(value).execute(on).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if number(&*error) == UNKNOWN_VARIABLE => Ok(false),
        Err(error) => Err(error),
    }
}

fn way(to: &MySqlConnectOptions) -> Way {
    Way {
        host: to.get_host().to_owned(),
        socket: to.get_socket().is_some(),
        verified: matches!(to.get_ssl_mode(), MySqlSslMode::VerifyIdentity),
    }
}

// Keys are columns of bytes, which sqlx gives as text only when it is not asked to check.
driver!(sqlx::MySql, text: try_get_unchecked);

impl Dialect for MySql {}

impl Speaks for MySql {
    type Db = sqlx::MySql;

    const NAME: &'static str = "MySQL";

    const VERIFIED_TLS: &'static str = "ssl-mode=VERIFY_IDENTITY";

    const BEGIN: &'static str = "START TRANSACTION";

    // Not by UNIX_TIMESTAMP, which ends in 2038.
    const STATEMENTS: Statements = statements! {
        form: questions,
        now: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
        lock: " FOR UPDATE SKIP LOCKED",
        hold: " FOR UPDATE",
        upsert: "ON DUPLICATE KEY UPDATE" "VALUES(" ")",
        is: " = ",
        wanted: "",
        has_schema: "SELECT 1 FROM information_schema.tables \
            WHERE table_schema = DATABASE() AND table_name = 'onramp_schema'"
    };

    const CLAIMS: ClaimTexts = claim::rows::MYSQL;

    const GROUP: Texts = tables::TEXTS;

    const LANES: usize = 2;

    async fn together(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        batch: &Batch,
    ) -> Result<Vec<Option<Outcome>>, Fault> {
        parts::together(db, texts, batch, parts::Form::Statements).await
    }

    async fn joined(
        db: &mut Session<'_, Self>,
        _: &'static Texts,
        member: Member,
    ) -> Result<Outcome, Fault> {
        // Whatever it looks at is locked, so what it then writes cannot fail half-way.
        Locked(member).run(db).await
    }

    const DDL_COMMITS: bool = true;

    const MIGRATIONS: &'static [&'static str] = &[include_str!("migrations/mysql_1.sql")];

    // A table, a column, an index, a foreign key. MySQL has no IF NOT EXISTS for the last three.
    fn is_there(error: &dyn DatabaseError) -> bool {
        matches!(number(error), 1050 | 1060 | 1061 | 1826)
    }

    fn class(error: &dyn DatabaseError) -> Class {
        match error.kind() {
            SqlKind::UniqueViolation => Class::Taken,
            SqlKind::ForeignKeyViolation | SqlKind::NotNullViolation | SqlKind::CheckViolation => {
                Class::Invalid
            }
            _ => class(number(error)),
        }
    }
}

fn number(error: &dyn DatabaseError) -> u16 {
    error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map_or(0, MySqlDatabaseError::number)
}

const UNKNOWN_VARIABLE: u16 = 1193;

// https://mariadb.com/kb/en/mariadb-error-code-reference/
fn class(number: u16) -> Class {
    match number {
        // Changed since it was read; lock timeout; deadlock, also between nodes of a cluster and
        // then at COMMIT; table just created.
        1020 | 1205 | 1213 | 1412 => Class::Busy,
        // No room; no right; read-only.
        1021 | 1114 | 1142 | 1143 | 1290 | 1792 | 1836 => Class::Refused,
        // Too large for a packet, out of range, of the wrong kind, too long.
        1153 | 1264 | 1366 | 1406 => Class::Invalid,
        1034 | 1194 | 1195 | 1712 => Class::Corrupt,
        1054 | 1136 | 1146 | 1364 => Class::Schema,
        1044 | 1045 | 1049 | 1698 => Class::Config,
        // Shut down; killed; idle for too long; not a member of its cluster now.
        1053 | 1079 | 1927 | 4031 | 1047 => Class::Gone,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> bool {
        let options = SqlOptions::new(url);
        let to: MySqlConnectOptions = options.parse::<MySql, _>().unwrap();
        options.allow::<MySql>(&way(&to)).is_err()
    }

    #[test]
    fn another_machine_needs_verified_tls() {
        for url in [
            "mysql://u@localhost/d",
            "mysql://u@127.0.0.1/d?ssl-mode=DISABLED",
            "mysql://u@[::1]/d",
            "mysql://u@localhost/d?socket=/run/mysqld/mysqld.sock",
            "mysql://u:p@db.example.com/d?ssl-mode=VERIFY_IDENTITY",
            "mysql://u:p@db.example.com/d?sslmode=verify_identity",
        ] {
            assert!(!refused(url), "{url}");
        }
        for url in [
            "mysql://u:p@db.example.com/d",
            "mysql://u:p@db.example.com/d?ssl-mode=REQUIRED",
            "mysql://u:p@db.example.com/d?ssl-mode=VERIFY_CA",
            "mysql://u@192.168.0.7/d",
            "mysql://u@localhost.example.com/d",
            "mysql://u@[fe80::1]/d",
        ] {
            assert!(refused(url), "{url}");
        }
    }

    #[test]
    fn only_a_closed_list_is_definite() {
        for definite in [1020, 1205, 1213, 1114, 1290] {
            assert!(class(definite).is_definite(), "{definite}");
        }
        for doubtful in [0, 1047, 1053, 1180, 1317, 1927, 1969, 2013, 4031] {
            assert!(!class(doubtful).is_definite(), "{doubtful}");
        }
    }

    #[test]
    fn the_statements_have_question_marks() {
        let statements = MySql::STATEMENTS;
        assert_eq!(
            statements.remove_fact,
            "DELETE FROM onramp_fact WHERE onboarding = ? AND step = ?"
        );
        assert_eq!(statements.advance_onboarding.matches('?').count(), 10);
        assert!(!statements.advance_onboarding.contains('$'));
    }
}
