//! The database that a URL names.

use std::sync::Arc;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use std::time::Duration;

use crate::cli::args::General;
use crate::cli::problem::Problem;
use crate::store::{Error, MigrationPlan, Store};

/// Changing a large table takes its time.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const MIGRATION: Duration = Duration::from_secs(60 * 60);

/// An operator looks beside a service that needs its connections.
const CONNECTIONS: u32 = 2;

/// Which database, and how it is reached.
pub(super) struct Place {
    kind: Kind,
    url: String,
    prefix: String,
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        expect(dead_code, reason = "a file is on no other machine")
    )]
    plaintext: bool,
    connections: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

impl Kind {
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "sqlite" => Self::Sqlite,
            "postgres" | "postgresql" => Self::Postgres,
            "mysql" | "mariadb" => Self::MySql,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// A driver that was left out when the program was built.
    #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
    fn missing(self) -> Problem {
        let feature = self.name();
        let message = format!("this program was built without the driver for {feature}");
        Problem::new("config", message).hint(format!("build it with --features cli,{feature}"))
    }
}

/// What a migration does, or would do.
pub(super) struct Migration {
    pub(super) database: &'static str,
    pub(super) found: u32,
    pub(super) wanted: u32,
    pub(super) statements: Vec<String>,
    /// All of it as SQL, with what begins and ends it.
    pub(super) script: String,
}

impl Place {
    pub(super) fn new(general: &General) -> Result<Self, Problem> {
        let url = general.url.as_deref().filter(|url| !url.is_empty());
        let url = url.ok_or_else(|| {
            Problem::usage("which database?").hint(
                "name it with --url or in ONRAMP_URL: sqlite://PATH, postgres://, mysql:// or mariadb://",
            )
        })?;
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let kind = scheme.and_then(Kind::of).ok_or_else(|| {
            // What has no scheme that is known may be anything, a password too: it is not repeated.
            Problem::usage("the URL does not begin with the name of a database that is known")
                .hint("write sqlite://PATH, postgres://, postgresql://, mysql:// or mariadb://")
        })?;
        if kind == Kind::Sqlite && url.contains('?') {
            let message = "a URL of SQLite has no parameters here: leave out what begins with '?'";
            return Err(Problem::usage(message));
        }
        Ok(Self {
            kind,
            url: url.to_owned(),
            prefix: general.prefix.clone(),
            plaintext: general.dangerously_allow_plaintext,
            connections: CONNECTIONS,
        })
    }

    /// The same with more connections, for what works in parallel.
    pub(super) fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// Opens the store as it is: nothing is created or migrated.
    pub(super) async fn open(&self) -> Result<Opened, Problem> {
        let opened = match self.kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => {
                let options = self.file().create(false).migrate(false);
                let store = crate::store::SqliteStore::open_with(options).await;
                Opened::Sqlite(store.map_err(|error| self.told(error))?)
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres => {
                let options = self.server().migrate(false);
                let store = crate::store::PostgresStore::connect_with(options).await;
                Opened::Postgres(store.map_err(|error| self.told(error))?)
            }
            #[cfg(feature = "mysql")]
            Kind::MySql => {
                let options = self.server().migrate(false);
                let store = crate::store::MySqlStore::connect_with(options).await;
                Opened::MySql(store.map_err(|error| self.told(error))?)
            }
            #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
            other => return Err(other.missing()),
        };
        Ok(opened)
    }

    /// What a migration would do; and does, unless it is only looked at.
    pub(super) async fn migrate(&self, dry_run: bool) -> Result<Migration, Problem> {
        let plan = match self.kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => crate::store::SqliteStore::plan_migration(self.file()).await,
            #[cfg(feature = "postgres")]
            Kind::Postgres => crate::store::PostgresStore::plan_migration(self.server()).await,
            #[cfg(feature = "mysql")]
            Kind::MySql => crate::store::MySqlStore::plan_migration(self.server()).await,
            #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
            other => return Err(other.missing()),
        };
        let plan = plan.map_err(|error| self.told(error))?;
        if !dry_run && !plan.is_empty() {
            self.run_migration().await?;
        }
        Ok(self.shown(&plan))
    }

    async fn run_migration(&self) -> Result<(), Problem> {
        let opened = match self.kind {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => {
                let store = crate::store::SqliteStore::open_with(self.file()).await;
                store.map(Opened::Sqlite)
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres => {
                let options = self.server().statement_timeout(MIGRATION);
                let store = crate::store::PostgresStore::connect_with(options).await;
                store.map(Opened::Postgres)
            }
            #[cfg(feature = "mysql")]
            Kind::MySql => {
                let options = self.server().statement_timeout(MIGRATION);
                let store = crate::store::MySqlStore::connect_with(options).await;
                store.map(Opened::MySql)
            }
            #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
            other => return Err(other.missing()),
        };
        opened.map_err(|error| self.told(error))?.close().await;
        Ok(())
    }

    fn shown(&self, plan: &MigrationPlan) -> Migration {
        Migration {
            database: self.kind.name(),
            found: plan.found(),
            wanted: plan.wanted(),
            statements: plan.statements().map(str::to_owned).collect(),
            script: plan.to_string(),
        }
    }

    /// With what an operator can do about it.
    fn told(&self, error: Error) -> Problem {
        let text = error.to_string();
        let problem = Problem::from(error);
        if text.contains("TLS is not verified") {
            return problem.hint(
                "where the network itself is encrypted, --dangerously-allow-plaintext allows it",
            );
        }
        match (problem.code(), self.kind) {
            ("config", Kind::Sqlite) => {
                problem.hint("is the path right? `migrate` creates a file that is not there")
            }
            _ => problem,
        }
    }

    #[cfg(feature = "sqlite")]
    fn file(&self) -> crate::store::SqliteOptions {
        let path = self.url.split_once("://").map_or("", |(_, path)| path);
        crate::store::SqliteOptions::new(path).table_prefix(&self.prefix)
    }

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn server(&self) -> crate::store::SqlOptions {
        let options = crate::store::SqlOptions::new(&self.url)
            .table_prefix(&self.prefix)
            .max_connections(self.connections);
        match self.plaintext {
            true => options.dangerously_allow_plaintext(),
            false => options,
        }
    }
}

/// An open store, of whatever kind.
pub(super) enum Opened {
    #[cfg(feature = "sqlite")]
    Sqlite(crate::store::SqliteStore),
    #[cfg(feature = "postgres")]
    Postgres(crate::store::PostgresStore),
    #[cfg(feature = "mysql")]
    MySql(crate::store::MySqlStore),
}

impl Opened {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref store) => Arc::new(store.clone()),
            #[cfg(feature = "postgres")]
            Self::Postgres(ref store) => Arc::new(store.clone()),
            #[cfg(feature = "mysql")]
            Self::MySql(ref store) => Arc::new(store.clone()),
        }
    }

    pub(super) async fn close(self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.close().await,
            #[cfg(feature = "mysql")]
            Self::MySql(store) => store.close().await,
        }
    }
}
