//! What provisions a workspace. Each task can be run again after a crash: it finds what it has made
//! before, by names that are the same in every attempt.

use std::time::Duration;

use onramp::SecretName;
use onramp::fields::SlugPolicy;
use onramp::prelude::*;
use onramp::vault::{KeyPrefix, Vault};
use sqlx::Connection;
use std::sync::Arc;

use crate::faults;
use crate::platform::Platform;
use crate::workspace::{
    Address, BusinessInfo, Database, Issued, PaymentConfirmed, Settings, Tables, Workspace,
};

/// Under which name the vault keeps the key.
pub(crate) static API_KEY: SecretName = SecretName::from_static("api_key");

const STORAGE: Problem = Problem::new(
    "storage_unavailable",
    "Our storage is busy. We try again in a moment, by ourselves.",
);
const INCOMPLETE: Problem = Problem::new(
    "workspace_incomplete",
    "A part of your workspace is missing. We are building it again.",
);

const TABLES: [&str; 8] = [
    "members",
    "projects",
    "documents",
    "comments",
    "invoices",
    "webhooks",
    "settings",
    "audit",
];

/// What tasks work with.
pub(crate) struct Tools {
    pub(crate) platform: Platform,
    pub(crate) vault: Vault,
    pub(crate) prefix: KeyPrefix,
    /// How long each piece of work takes at least, so that people can watch.
    pub(crate) pace: Duration,
}

impl Tools {
    async fn work(&self, cx: &TaskContext) -> Result<(), TaskError> {
        tokio::time::sleep(self.pace).await;
        faults::strike(&self.platform, cx).await
    }
}

fn storage(error: sqlx::Error) -> TaskError {
    TaskError::retryable(STORAGE, error)
}

fn patience() -> RetryPolicy {
    RetryPolicy::new(6)
        .base(Duration::from_secs(2))
        .cap(Duration::from_secs(5))
}

/// Finds a name for the workspace's address. Taking it is the store's: in the commit that keeps the fact.
pub(crate) struct ReserveAddress(pub(crate) Arc<Tools>);

impl Task<Workspace> for ReserveAddress {
    type Needs = BusinessInfo;
    type Output = Address;

    async fn run(&self, cx: &TaskContext, info: BusinessInfo) -> Result<Address, TaskError> {
        self.0.work(cx).await?;
        // An attempt whose name was taken is repeated: then it is another name.
        let round = cx.attempt().saturating_sub(1);
        let seed = cx.effect_key().as_u128();
        let slug = SlugPolicy::default().candidate(info.company.as_str(), seed, round);
        Ok(Address { slug })
    }

    fn retry(&self) -> RetryPolicy {
        patience().base(Duration::from_millis(50))
    }
}

/// Creates the workspace's own database file.
pub(crate) struct CreateDatabase(pub(crate) Arc<Tools>);

impl CreateDatabase {
    /// Known before there is a fact, so an attempt that never reported can be undone, too.
    fn file(cx: &TaskContext) -> String {
        format!("{}.db", cx.effect_key().simple())
    }
}

impl Task<Workspace> for CreateDatabase {
    type Needs = Address;
    type Output = Database;

    async fn run(&self, cx: &TaskContext, address: Address) -> Result<Database, TaskError> {
        self.0.work(cx).await?;
        let file = Self::file(cx);
        let opened = self.0.platform.workspace(&file, true).await;
        let mut database = opened.map_err(storage)?;
        let query = sqlx::query("CREATE TABLE IF NOT EXISTS address (slug TEXT PRIMARY KEY)");
        query.execute(&mut database).await.map_err(storage)?;
        let query = sqlx::query("INSERT OR IGNORE INTO address VALUES ($1)");
        let query = query.bind(address.slug.as_str());
        query.execute(&mut database).await.map_err(storage)?;
        database.close().await.map_err(storage)?;
        Ok(Database { file })
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Database>) -> Result<(), TaskError> {
        tokio::time::sleep(self.0.pace).await;
        let dropped = self.0.platform.drop_workspace(&Self::file(cx));
        dropped.map_err(|error| TaskError::retryable(STORAGE, error))
    }

    async fn verify(&self, _: &TaskContext, made: Database) -> Result<(), TaskError> {
        match self.0.platform.has_workspace(&made.file) {
            true => Ok(()),
            false => Err(TaskError::fatal(INCOMPLETE, "the database file is gone")),
        }
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// Creates the workspace's tables, one after the other. They go with the file when that is undone.
pub(crate) struct CreateTables(pub(crate) Arc<Tools>);

impl Task<Workspace> for CreateTables {
    type Needs = Database;
    type Output = Tables;

    async fn run(
        &self,
        cx: &TaskContext,
        Database { file }: Database,
    ) -> Result<Tables, TaskError> {
        let of = u32::try_from(TABLES.len()).unwrap_or(u32::MAX);
        let opened = self.0.platform.workspace(&file, false).await;
        let mut database = opened.map_err(storage)?;
        for (done, table) in (0..).zip(TABLES) {
            cx.progress(done, of, "Creating tables");
            // Staged failures strike in the middle: what is there already must do no harm.
            match done {
                4 => self.0.work(cx).await?,
                _ => tokio::time::sleep(self.0.pace).await,
            }
            let sql =
                format!("CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, value TEXT)");
            // Only our own constants are in the text.
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            query.execute(&mut database).await.map_err(storage)?;
        }
        cx.progress(of, of, "Creating tables");
        database.close().await.map_err(storage)?;
        let tables = TABLES.map(str::to_owned).to_vec();
        Ok(Tables { file, tables })
    }

    /// Desired against observed: every table has to be there before anyone is told "ready".
    async fn verify(&self, _: &TaskContext, made: Tables) -> Result<(), TaskError> {
        let query = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let found = names_in(&self.0.platform, &made.file, query).await?;
        match made.tables.iter().find(|table| !found.contains(table)) {
            None => Ok(()),
            Some(missing) => {
                let why = format!("table {missing} is missing");
                Err(TaskError::fatal(INCOMPLETE, why))
            }
        }
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// Writes what the customer and billing have said into the workspace.
pub(crate) struct LoadSettings(pub(crate) Arc<Tools>);

impl Task<Workspace> for LoadSettings {
    type Needs = (BusinessInfo, PaymentConfirmed, Database, Tables);
    type Output = Settings;

    async fn run(
        &self,
        cx: &TaskContext,
        (info, paid, database, _): Self::Needs,
    ) -> Result<Settings, TaskError> {
        self.0.work(cx).await?;
        let settings = [
            ("company", info.company.to_string()),
            ("contact", info.contact),
            ("currency", info.currency.to_string()),
            ("time_zone", info.time_zone.to_string()),
            ("region", info.region.to_string()),
            ("plan", paid.plan.token().to_owned()),
            ("invoice", paid.invoice),
        ];
        let file = database.file;
        let opened = self.0.platform.workspace(&file, false).await;
        let mut database = opened.map_err(storage)?;
        let begun = database.begin_with("BEGIN IMMEDIATE").await;
        let mut writing = begun.map_err(storage)?;
        for (key, value) in &settings {
            let query = sqlx::query("INSERT OR REPLACE INTO settings VALUES ($1, $2)");
            let query = query.bind(*key).bind(value);
            query.execute(&mut *writing).await.map_err(storage)?;
        }
        writing.commit().await.map_err(storage)?;
        database.close().await.map_err(storage)?;
        let loaded = settings.len();
        Ok(Settings { file, loaded })
    }

    async fn verify(&self, _: &TaskContext, made: Settings) -> Result<(), TaskError> {
        let query = "SELECT key FROM settings";
        let found = names_in(&self.0.platform, &made.file, query).await?.len();
        match found == made.loaded {
            true => Ok(()),
            false => {
                let why = format!("{found} of {} settings are there", made.loaded);
                Err(TaskError::fatal(INCOMPLETE, why))
            }
        }
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// The first column of what a query finds in a workspace that was built.
async fn names_in(
    platform: &Platform,
    file: &str,
    query: &'static str,
) -> Result<Vec<String>, TaskError> {
    if !platform.has_workspace(file) {
        return Err(TaskError::fatal(INCOMPLETE, "the database file is gone"));
    }
    let mut database = platform.workspace(file, false).await.map_err(storage)?;
    let query = sqlx::query_scalar(query).fetch_all(&mut database);
    let found = query.await.map_err(storage)?;
    database.close().await.map_err(storage)?;
    Ok(found)
}

/// Issues an API key. The vault keeps it, sealed, before anybody knows it; another attempt gets the same.
pub(crate) struct IssueApiKey(pub(crate) Arc<Tools>);

impl Task<Workspace> for IssueApiKey {
    type Needs = Settings;
    type Output = Issued;

    async fn run(&self, cx: &TaskContext, _: Settings) -> Result<Issued, TaskError> {
        self.0.work(cx).await?;
        let Tools { vault, prefix, .. } = &*self.0;
        let key = vault
            .issue(cx.tenant(), cx.onboarding(), &API_KEY, prefix)
            .await;
        let key = key.map_err(|error| TaskError::retryable(STORAGE, error))?;
        let (hash, fingerprint) = (key.hash(), key.fingerprint());
        Ok(Issued { hash, fingerprint })
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Issued>) -> Result<(), TaskError> {
        let burnt = self
            .0
            .vault
            .burn(cx.tenant(), cx.onboarding(), &API_KEY)
            .await;
        burnt.map_err(|error| TaskError::retryable(STORAGE, error))
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}
