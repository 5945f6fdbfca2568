//! Stores that are opened, migrated and closed, by whoever does not wait for the end of it.

use std::path::PathBuf;

use onramp::prelude::*;
use onramp::store::{Error, MigrationPlan, SqlOptions, SqliteOptions};

use super::drops::{Case, cases};
use super::place::{Opened, Place};

impl Place {
    fn file(&self) -> Option<PathBuf> {
        matches!(self.opened, Opened::Sqlite(_)).then(|| self.database.path())
    }

    /// The tables of a store that is not there yet.
    fn new_prefix(&self, who: &str) -> String {
        let number: String = who.chars().filter(char::is_ascii_digit).collect();
        let letter = if who.contains("plan") { 'p' } else { 'c' };
        format!("{letter}{number}_")
    }

    fn options(&self, prefix: &str) -> SqlOptions {
        SqlOptions::new(&self.database.url)
            .table_prefix(prefix)
            .max_connections(1)
    }

    /// Opened, with a schema that has to be made first, and closed.
    async fn connected(&self, prefix: &str) -> Result<(), Error> {
        match &self.opened {
            Opened::Sqlite(_) => {
                let options = SqliteOptions::new(self.database.path()).table_prefix(prefix);
                SqliteStore::open_with(options).await?.close().await;
            }
            Opened::Postgres(_) => {
                let store = PostgresStore::connect_with(self.options(prefix)).await?;
                store.close().await;
            }
            Opened::MySql(_) => {
                let store = MySqlStore::connect_with(self.options(prefix)).await?;
                store.close().await;
            }
        }
        Ok(())
    }

    async fn planned(&self, prefix: &str) -> Result<MigrationPlan, Error> {
        match &self.opened {
            Opened::Sqlite(_) => {
                let options = SqliteOptions::new(self.database.path()).table_prefix(prefix);
                SqliteStore::plan_migration(options).await
            }
            Opened::Postgres(_) => PostgresStore::plan_migration(self.options(prefix)).await,
            Opened::MySql(_) => MySqlStore::plan_migration(self.options(prefix)).await,
        }
    }

    /// Dropped half-way, it can be opened by the next one.
    async fn connects_after(&self, prefix: &str) {
        self.connected(prefix).await.unwrap();
    }

    async fn as_it_is(&self) -> Result<(), Error> {
        let url = &self.database.url;
        match &self.opened {
            Opened::Sqlite(_) => SqliteStore::open(url).await?.close().await,
            Opened::Postgres(_) => {
                let store = PostgresStore::connect(url).await?;
                store.close().await;
            }
            Opened::MySql(_) => MySqlStore::connect(url).await?.close().await,
        }
        Ok(())
    }

    async fn existing(&self) -> Result<(), Error> {
        if let Some(file) = self.file() {
            SqliteStore::open_existing(file).await?.close().await;
        }
        Ok(())
    }
}

/// Of each database its own: on a place of SQLite those of SQLite run, and so on.
pub(crate) const OPENING: &[Case] = cases! {
    "src/store/sql/sqlite.rs open" (at, who) {} at.as_it_is();
    "src/store/sql/sqlite.rs open_existing" (at, who) {} at.existing();
    "src/store/sql/sqlite.rs open_with" (at, who) {
        let prefix = at.new_prefix(who);
        // The one before was dropped here.
        if let Some(before) = prefix[1..prefix.len() - 1].parse::<u64>().ok().and_then(|n| n.checked_sub(1)) {
            at.connects_after(&format!("c{before}_")).await;
        }
    } at.connected(&prefix);
    "src/store/sql/sqlite.rs plan_migration" (at, who) { let prefix = at.new_prefix(who); } at.planned(&prefix);
};
