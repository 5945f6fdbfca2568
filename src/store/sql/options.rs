//! How a database server is reached: what both server dialects share.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::pool::PoolOptions;

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::body::SqlStore;
use crate::store::sql::claim::ClaimStrategy;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::names::{self, Names};
use crate::store::sql::plan::{MigrationPlan, plan};

/// A connection that was idle for longer is tried before it is used.
const FRESH: Duration = Duration::from_secs(1);

/// How a store reaches its database server. `Debug` leaves the URL out.
///
/// ```
/// use std::time::Duration;
/// use onramp::store::SqlOptions;
///
/// let options = SqlOptions::new("postgres://onboarding:secret@localhost/onboarding")
///     .max_connections(4)
///     .statement_timeout(Duration::from_secs(5));
/// assert!(!format!("{options:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct SqlOptions {
    url: String,
    max_connections: u32,
    acquire_timeout: Duration,
    statement_timeout: Duration,
    lock_timeout: Duration,
    plaintext: bool,
    migrate: bool,
    prefix: String,
    strategy: ClaimStrategy,
}

impl SqlOptions {
    /// The defaults: 10 connections, waited for 5 seconds at most; 10 seconds for a statement, 3
    /// of them for a lock.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(3),
            plaintext: false,
            migrate: true,
            prefix: names::DEFAULT.to_owned(),
            strategy: ClaimStrategy::default(),
        }
    }

    /// How many connections the store opens at most; at least one.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// How long a call waits for a connection.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// How long the server works on one statement.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How long the server waits for a lock. MySQL and MariaDB know whole seconds, at least one.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Whether the schema is brought up to date, as it is by default. Without that, a schema that
    /// is not of exactly this program's version is refused: for hosts that migrate in a step of its
    /// own.
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// What the names of the tables begin with, `onramp_` by default: for several independent sets of
    /// tables in one database. A letter first and `_` last, of a-z, 0-9 and `_`, 24 characters at
    /// most, and none that begins as databases' own names do (`sqlite_`, `pg_`); anything else is
    /// refused by `connect_with`.
    #[must_use]
    pub fn table_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How workers keep out of each other's way when they claim: by locks, unless the database is
    /// spread over several machines. Stores of one database may differ in this.
    #[must_use]
    pub fn claim_by(mut self, strategy: ClaimStrategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Allows a connection to another machine that can be read, or answered, by anyone between. For
    /// networks that are encrypted below, such as a WireGuard tunnel.
    #[must_use]
    pub fn dangerously_allow_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// The URL, as sqlx understands it. The cause of a failure is left out: it can quote the URL.
    pub(super) fn parse<D: Dialect, O: FromStr>(&self) -> Result<O, Error> {
        self.url.parse().map_err(|_| {
            let message = format!("the URL is not one of a {} database", D::NAME);
            Error::new(ErrorKind::Config, message)
        })
    }

    /// Refuses another machine without verified TLS.
    pub(super) fn allow<D: Dialect>(&self, way: &Way) -> Result<(), Error> {
        if self.plaintext || way.verified || way.is_local() {
            return Ok(());
        }
        let verified = D::VERIFIED_TLS;
        let message = format!(
            "the database is on another machine and TLS is not verified: add {verified} to the URL, \
             or allow plaintext in SqlOptions"
        );
        Err(Error::new(ErrorKind::Config, message))
    }

    /// A pool of so many connections for what goes on beside the calls, unless there are too few.
    #[cfg(feature = "postgres")]
    pub(super) fn beside<D: Dialect>(
        &self,
        connections: u32,
        connect: impl Fn(PoolOptions<D::Db>, Duration, Duration) -> sqlx::Pool<D::Db>,
    ) -> Option<sqlx::Pool<D::Db>> {
        let pool = self.pool::<D>(connections);
        let (statement, lock) = (self.statement_timeout, self.lock_timeout);
        (self.max_connections >= connections * 4).then(|| connect(pool, statement, lock))
    }

    /// What the names of all tables begin with.
    #[cfg(feature = "postgres")]
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The settings of the pool. A connection that broke while it was idle is not given out.
    fn pool<D: Dialect>(&self, connections: u32) -> PoolOptions<D::Db> {
        PoolOptions::<D::Db>::new()
            .max_connections(connections)
            .acquire_timeout(self.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|on, about| {
                Box::pin(async move {
                    if about.idle_for > FRESH {
                        on.ping().await?;
                    }
                    Ok(true)
                })
            })
    }
}

impl fmt::Debug for SqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlOptions")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("plaintext", &self.plaintext)
            .field("migrate", &self.migrate)
            .field("prefix", &self.prefix)
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}

/// The way to a server, after all of the URL and the environment was taken into account.
pub(super) struct Way {
    pub(super) host: String,
    pub(super) socket: bool,
    pub(super) verified: bool,
}

impl Way {
    fn is_local(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        self.socket
            || host.starts_with('/')
            || host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// The store, with its schema seen to. `connect` makes a pool of these settings, whose statements
/// take no longer than the first, nor wait for a lock longer than the second.
///
/// Group commits have connections of their own, unless there are too few. There a lock is waited for
/// only briefly, so that one who holds it keeps only itself waiting: alone each has its full time.
pub(super) async fn opened<D: Dialect>(
    options: &SqlOptions,
    connect: impl Fn(PoolOptions<D::Db>, Duration, Duration) -> sqlx::Pool<D::Db> + Send,
) -> Result<SqlStore<D>, Error> {
    let names = Names::with::<D>(&options.prefix)?;
    let lanes = u32::try_from(D::LANES).unwrap_or(u32::MAX);
    let all = options.max_connections;
    let own = all >= lanes * 2;
    let pool = |connections, lock| {
        let pool = options.pool::<D>(connections);
        connect(pool, options.statement_timeout, lock)
    };
    let others = pool(if own { all - lanes } else { all }, options.lock_timeout);
    let lanes = own.then(|| pool(lanes, options.lock_timeout.min(BRIEF)));
    let mut store = SqlStore::opened(lanes, others.clone(), others, names, options.migrate).await?;
    store.strategy = options.strategy;
    Ok(store)
}

/// What a migration would do to the database that `connect` makes a pool of.
pub(super) async fn planned<D: Dialect>(
    options: &SqlOptions,
    connect: impl Fn(PoolOptions<D::Db>, Duration, Duration) -> sqlx::Pool<D::Db> + Send,
) -> Result<MigrationPlan, Error> {
    let names = Names::with::<D>(&options.prefix)?;
    let (statement, lock) = (options.statement_timeout, options.lock_timeout);
    let pool = connect(options.pool::<D>(1), statement, lock);
    let planned = plan::<D>(&pool, names).await;
    pool.close().await;
    planned
}

/// How long a group commit waits for a lock.
const BRIEF: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    fn sent<T: Send>(_: T) {}

    #[test]
    fn connecting_can_be_spawned() {
        #[cfg(feature = "postgres")]
        sent(crate::store::PostgresStore::connect("x"));
        #[cfg(feature = "mysql")]
        sent(crate::store::MySqlStore::connect("x"));
        #[cfg(feature = "sqlite")]
        sent(crate::store::SqliteStore::open("x"));
        #[cfg(feature = "postgres")]
        sent(crate::store::PostgresStore::plan_migration(
            super::SqlOptions::new("x"),
        ));
        #[cfg(feature = "sqlite")]
        sent(crate::store::SqliteStore::plan_migration(
            crate::store::SqliteOptions::new("x"),
        ));
    }
}
