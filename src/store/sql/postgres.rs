//! PostgreSQL: its dialect, and how a server is reached.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::error::DatabaseError;
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::store::contract::Store as _;
use crate::store::error::Error;
use crate::store::sql::body::SqlStore;
use crate::store::sql::claim::{self, ClaimTexts};
use crate::store::sql::dialect::{Class, Dialect, Speaks};
use crate::store::sql::driver::driver;
use crate::store::sql::fault::Fault;
use crate::store::sql::group::{Batch, Member, Outcome, Texts, fused};
use crate::store::sql::news;
use crate::store::sql::options::{self, SqlOptions, Way};
use crate::store::sql::plan::MigrationPlan;
use crate::store::sql::session::Session;
use crate::store::sql::statements::{Statements, statements};
use crate::store::sql::transact;

/// The dialect of PostgreSQL.
///
/// ```
/// fn is_a_store<S: onramp::store::Store>() {}
/// is_a_store::<onramp::store::sql::SqlStore<onramp::store::sql::Postgres>>();
/// ```
#[derive(Debug)]
pub enum Postgres {}

/// A store in a PostgreSQL database, shared by any number of processes.
///
/// Its tables are found by the connection's `search_path`; all their names begin with `onramp_`.
///
/// ```no_run
/// use onramp::store::PostgresStore;
///
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("DATABASE_URL")?; // postgres://user:password@host/database?sslmode=verify-full
/// let store = PostgresStore::connect(&url).await?;
/// store.close().await;
/// # Ok(())
/// # }
/// ```
pub type PostgresStore = SqlStore<Postgres>;

impl SqlStore<Postgres> {
    /// Connects to a database and brings its schema up to date. Safe when several processes do so
    /// at the same time.
    ///
    /// # Errors
    /// Of kind `Config` when the URL cannot be used, its user is not let in, the database is not
    /// there, or another machine would be reached without verified TLS; `Schema` when the tables
    /// are of a newer version; `Unavailable` when the server cannot be reached.
    ///
    /// ```
    /// use onramp::store::{ErrorKind, PostgresStore};
    ///
    /// # async fn show() {
    /// let url = "postgres://onboarding:secret@db.example.com/onboarding";
    /// let error = PostgresStore::connect(url).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// assert!(error.to_string().contains("sslmode=verify-full"));
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
    /// use onramp::store::{PostgresStore, SqlOptions};
    ///
    /// # async fn show() -> Result<(), onramp::store::Error> {
    /// let options = SqlOptions::new("postgres://onboarding@localhost/onboarding").max_connections(4);
    /// let store = PostgresStore::connect_with(options).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_with(options: SqlOptions) -> Result<Self, Error> {
        let connect = reach(&options)?;
        let beside = options.beside::<Postgres>(news::CONNECTIONS, &connect);
        let mut store = options::opened::<Postgres>(&options, connect).await?;
        store.beside = beside.map(|pool| {
            let channel = format!("{}due", options.prefix());
            let exchange = news::exchange(pool, channel, store.hints());
            std::sync::Arc::new(exchange)
        });
        Ok(store)
    }

    /// What [`connect_with`](Self::connect_with) would do to the database's schema. Changes nothing.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// ```no_run
    /// use onramp::store::{PostgresStore, SqlOptions};
    ///
    /// # async fn show() -> Result<(), onramp::store::Error> {
    /// let options = SqlOptions::new("postgres://onboarding@localhost/onboarding");
    /// let plan = PostgresStore::plan_migration(options).await?;
    /// println!("{plan}");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn plan_migration(options: SqlOptions) -> Result<MigrationPlan, Error> {
        options::planned::<Postgres>(&options, reach(&options)?).await
    }
}

/// How a pool of the given settings connects, and with which timeouts of statements and locks.
fn reach(
    options: &SqlOptions,
) -> Result<
    impl Fn(PoolOptions<sqlx::Postgres>, Duration, Duration) -> sqlx::Pool<sqlx::Postgres> + use<>,
    Error,
> {
    transact::runtime()?;
    let to: PgConnectOptions = options.parse::<Postgres, _>()?;
    options.allow::<Postgres>(&way(&to))?;
    Ok(move |pool: PoolOptions<_>, statement, lock| {
        let (statement, lock) = (millis(statement), millis(lock));
        pool.after_connect(move |on, _| {
            let (statement, lock) = (statement.clone(), lock.clone());
            Box::pin(async move {
                let session = sqlx::query::<sqlx::Postgres>(SESSION)
                    .bind(statement)
                    .bind(lock);
                let standby: bool = session.fetch_one(&mut *on).await?.try_get(0)?;
                if standby {
                    // It may lag behind what was confirmed: that something is not there yet
                    // must not be taken for an answer. The pool tries again for its time.
                    let message = "the server is a standby".to_owned();
                    return Err(sqlx::Error::Protocol(message));
                }
                sqlx::query(PLANS).execute(on).await?;
                Ok(())
            })
        })
        .connect_lazy_with(to.clone())
    })
}

/// A transaction whose process has gone is ended; a statement by itself sees what is committed when it
/// begins; and what was confirmed survives the loss of power
/// also where the server's default is another.
const SESSION: &str = "SELECT pg_is_in_recovery(), set_config('statement_timeout', $1, false), \
    set_config('lock_timeout', $2, false), \
    set_config('idle_in_transaction_session_timeout', '60s', false), \
    set_config('default_transaction_isolation', 'read committed', false), \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

/// Every statement looks rows up by an index. Without this a plan made while the tables were small
/// would be kept while they grow; and a page would be all that there is, sorted, because a bitmap of
/// rows has no order. Only what the server knows is set.
const PLANS: &str = "SELECT set_config(name, \
        CASE name WHEN 'plan_cache_mode' THEN 'force_generic_plan' ELSE 'off' END, false) \
    FROM pg_settings WHERE name IN \
        ('enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin', \
         'plan_cache_mode')";

/// Each in a subquery of its own, so that whatever is known of the tables it is looked up by its index.
const WANTED: &str = "SELECT o.id, o.revision, o.head, o.state, (i.it ->> 0)::bigint \
    FROM json_array_elements($1::json) i (it), LATERAL \
        (SELECT id, revision, head, state FROM onramp_onboarding \
        WHERE tenant IS NOT DISTINCT FROM i.it ->> 1 AND id = decode(i.it ->> 2, 'hex') OFFSET 0) o \
    UNION ALL SELECT o.id, o.revision, o.head, o.state, (i.it ->> 0)::bigint \
    FROM json_array_elements($2::json) i (it), LATERAL \
        (SELECT id, revision, head, state FROM onramp_onboarding \
        WHERE tenant = i.it ->> 1 AND flow = i.it ->> 2 AND subject = i.it ->> 3 AND active = 1 \
        OFFSET 0) o";

fn millis(timeout: Duration) -> String {
    format!("{}ms", timeout.as_millis().clamp(1, 2_000_000_000))
}

fn way(to: &PgConnectOptions) -> Way {
    Way {
        host: to.get_host().to_owned(),
        socket: to.get_socket().is_some(),
        verified: matches!(to.get_ssl_mode(), PgSslMode::VerifyFull),
    }
}

driver!(sqlx::Postgres, text: try_get);

impl Dialect for Postgres {}

impl Speaks for Postgres {
    type Db = sqlx::Postgres;

    const NAME: &'static str = "PostgreSQL";

    const VERIFIED_TLS: &'static str = "sslmode=verify-full";

    const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED";

    // `statement_timestamp`, because an index cannot be searched by the volatile `clock_timestamp`.
    const STATEMENTS: Statements = statements! {
        form: dollars,
        now: "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint",
        lock: " FOR UPDATE SKIP LOCKED",
        hold: " FOR UPDATE OF o",
        upsert: "ON CONFLICT (onboarding, step) DO UPDATE SET" "excluded." "",
        is: " IS NOT DISTINCT FROM ",
        wanted: WANTED,
        has_schema: "SELECT 1 WHERE to_regclass('onramp_schema') IS NOT NULL"
    };

    const CLAIMS: ClaimTexts = claim::postgres::TEXTS;

    const GROUP: Texts = fused::TEXTS;

    const LANES: usize = 2;

    async fn together(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        batch: &Batch,
    ) -> Result<Vec<Option<Outcome>>, Fault> {
        fused::together(db, texts, batch).await
    }

    async fn joined(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        member: Member,
    ) -> Result<Outcome, Fault> {
        fused::joined(db, texts, member).await
    }

    const DDL_COMMITS: bool = false;

    const MIGRATIONS: &'static [&'static str] = &[include_str!("migrations/postgres_1.sql")];

    // A table, a column, an index or a type that another migrator has just made: IF NOT EXISTS looks
    // before it waits. (That it has made a row of the catalogue is `Taken`.)
    fn is_there(error: &dyn DatabaseError) -> bool {
        let code = error.code().unwrap_or_default();
        ["42P07", "42701", "42710"].contains(&&*code)
    }

    fn class(error: &dyn DatabaseError) -> Class {
        let code = error.code().unwrap_or_default();
        class(&code)
    }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
fn class(code: &str) -> Class {
    match code {
        "23505" => Class::Taken,
        // Serialization, deadlock, lock timeout.
        "40001" | "40P01" | "55P03" => Class::Busy,
        // No room on disk; read-only; no right.
        "53100" | "25006" | "42501" => Class::Refused,
        "XX001" | "XX002" => Class::Corrupt,
        "42P01" | "42703" | "42804" | "42883" | "3F000" => Class::Schema,
        "28000" | "28P01" | "3D000" => Class::Config,
        // Shut down, crashed, starting; idle for too long.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Class::Gone,
        _ if code.starts_with("08") => Class::Gone,
        _ if code.starts_with("22") || code.starts_with("23") || code.starts_with("54") => {
            Class::Invalid
        }
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> bool {
        let options = SqlOptions::new(url);
        let to: PgConnectOptions = options.parse::<Postgres, _>().unwrap();
        options.allow::<Postgres>(&way(&to)).is_err()
    }

    #[test]
    fn another_machine_needs_verified_tls() {
        for url in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1/d",
            "postgres://u@127.9.9.9:6000/d?sslmode=disable",
            "postgres://u@[::1]/d",
            "postgres://u@%2Frun%2Fpostgresql/d",
            "postgres:///d?host=/run/postgresql&user=u",
            "postgres://u:p@db.example.com/d?sslmode=verify-full",
            "postgres://u@10.0.0.7/d?ssl-mode=VERIFY-FULL",
        ] {
            assert!(!refused(url), "{url}");
        }
        for url in [
            "postgres://u:p@db.example.com/d",
            "postgres://u:p@db.example.com/d?sslmode=require",
            "postgres://u:p@db.example.com/d?sslmode=verify-ca",
            "postgres://u:p@db.example.com/d?sslmode=prefer",
            "postgres://u@10.0.0.7/d",
            "postgres://u@localhost.example.com/d",
            "postgres://u@127.0.0.1.example.com/d",
            "postgres://u@localhost/d?host=db.example.com",
            "postgres://u@localhost/d?hostaddr=10.0.0.7",
            "postgres://u@[2001:db8::1]/d",
        ] {
            assert!(refused(url), "{url}");
        }
        let options =
            SqlOptions::new("postgres://u:p@db.example.com/d").dangerously_allow_plaintext();
        let to: PgConnectOptions = options.parse::<Postgres, _>().unwrap();
        options.allow::<Postgres>(&way(&to)).unwrap();
    }

    #[test]
    fn only_a_closed_list_is_definite() {
        for definite in [
            "23505", "40001", "40P01", "55P03", "25006", "53100", "23503",
        ] {
            assert!(class(definite).is_definite(), "{definite}");
        }
        for doubtful in [
            "57P01", "57P02", "57014", "08006", "08P01", "40003", "XX000", "42P07", "42710", "",
        ] {
            assert!(!class(doubtful).is_definite(), "{doubtful}");
        }
    }
}
