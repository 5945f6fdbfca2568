//! A database that only the harness uses, so that it may be killed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::{Error, SqlOptions};

/// What everything runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Kind {
    /// The name that scripts/servers knows the server by.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// The variable that says where other tests find such a server.
    const fn variable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("ONRAMP_TEST_POSTGRES_URL"),
            Self::MariaDb => Some("ONRAMP_TEST_MYSQL_URL"),
        }
    }
}

/// A database, and the process that keeps its server. Dropped, both are gone.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
    keeper: Option<(Child, PathBuf)>,
}

impl Server {
    /// Starts one; none when no server of that kind is asked for, as with all tests.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let Some(variable) = kind.variable() else {
            let url = folder.path().join("onboarding.db");
            let url = url.to_str().unwrap().to_owned();
            let keeper = None;
            return Some(Self {
                kind,
                url,
                folder,
                keeper,
            });
        };
        if std::env::var(variable).is_err() {
            let required = std::env::var("ONRAMP_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
            assert!(!required, "{variable} is not set: run scripts/test");
            eprintln!("left out, because {variable} is not set: run scripts/test");
            return None;
        }
        // It ends when nobody writes to it any more, so a harness that is killed leaves no server.
        let says = format!("echo $ONRAMP_SERVERS; echo ${variable}; cat");
        let mut keeper = Command::new(script());
        keeper.args(["sh", "-c", &says]);
        // What is set is not started.
        for kind in [Kind::Postgres, Kind::MariaDb] {
            if let Some(variable) = kind.variable() {
                keeper.env(variable, "not started");
            }
        }
        keeper.env_remove(variable);
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        let mut lines = BufReader::new(keeper.stdout.as_mut().unwrap()).lines();
        let mut line = || lines.next().expect("the server starts").unwrap();
        let (home, url) = (PathBuf::from(line()), line());
        Some(Self {
            kind,
            url,
            folder,
            keeper: Some((keeper, home)),
        })
    }

    /// Kills all of the server's processes at once, waits a moment, and starts it again. Whether
    /// there is a server.
    pub(crate) async fn crash(&self, down: Duration) -> bool {
        let Some((_, home)) = &self.keeper else {
            return false;
        };
        for what in ["kill", "start"] {
            let mut control = tokio::process::Command::new(script());
            control.args([what, self.kind.name()]);
            let ended = control.env("ONRAMP_SERVERS", home).status().await.unwrap();
            assert!(ended.success(), "{what} {}: {ended}", self.kind.name());
            if what == "kill" {
                tokio::time::sleep(down).await;
            }
        }
        true
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((keeper, _)) = &mut self.keeper {
            drop(keeper.stdin.take());
            // Until it has cleaned up.
            let _ = keeper.stdout.take().map(|mut out| out.read(&mut [0]));
            let _ = keeper.wait();
        }
    }
}

fn script() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers")
}

/// The store at a URL. Gives up soon, because the server may be down for long.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>, Error> {
    let options = SqlOptions::new(url)
        .acquire_timeout(Duration::from_secs(1))
        .statement_timeout(Duration::from_secs(3))
        .max_connections(8);
    Ok(match url.split(':').next() {
        Some("postgres") => Arc::new(PostgresStore::connect_with(options).await?),
        Some("mysql") => Arc::new(MySqlStore::connect_with(options).await?),
        _ => Arc::new(SqliteStore::open(url).await?),
    })
}
