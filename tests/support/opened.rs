//! The store, or the migration plan, of a test database.

use std::sync::Arc;

use onramp::prelude::*;
use onramp::store::{Error, MigrationPlan, SqlOptions, SqliteOptions};

use super::database::{Database, Kind};

/// How a database is opened.
#[derive(Clone, Copy)]
pub struct Opened<'d> {
    pub database: &'d Database,
    pub prefix: &'d str,
    pub migrate: bool,
}

impl<'d> Opened<'d> {
    pub fn new(database: &'d Database) -> Self {
        Self {
            database,
            prefix: "onramp_",
            migrate: true,
        }
    }

    pub fn prefix(self, prefix: &'d str) -> Self {
        Self { prefix, ..self }
    }

    /// Migrates nothing: a schema of another version is refused.
    pub fn as_it_is(self) -> Self {
        let migrate = false;
        Self { migrate, ..self }
    }

    fn file(self) -> SqliteOptions {
        SqliteOptions::new(self.database.path())
            .table_prefix(self.prefix)
            .migrate(self.migrate)
    }

    fn server(self) -> SqlOptions {
        SqlOptions::new(&self.database.url)
            .table_prefix(self.prefix)
            .migrate(self.migrate)
            .max_connections(3)
    }

    pub async fn store(self) -> Result<Arc<dyn Store>, Error> {
        Ok(match self.database.kind {
            Kind::Sqlite => Arc::new(SqliteStore::open_with(self.file()).await?),
            Kind::Postgres => Arc::new(PostgresStore::connect_with(self.server()).await?),
            Kind::MySql => Arc::new(MySqlStore::connect_with(self.server()).await?),
        })
    }

    /// Opens the store, and closes it again: then nothing of it is left.
    pub async fn and_closed(self) -> Result<(), Error> {
        match self.database.kind {
            Kind::Sqlite => SqliteStore::open_with(self.file()).await?.close().await,
            Kind::Postgres => {
                let store = PostgresStore::connect_with(self.server()).await?;
                store.close().await;
            }
            Kind::MySql => MySqlStore::connect_with(self.server()).await?.close().await,
        }
        Ok(())
    }

    pub async fn plan(self) -> Result<MigrationPlan, Error> {
        match self.database.kind {
            Kind::Sqlite => SqliteStore::plan_migration(self.file()).await,
            Kind::Postgres => PostgresStore::plan_migration(self.server()).await,
            Kind::MySql => MySqlStore::plan_migration(self.server()).await,
        }
    }
}
