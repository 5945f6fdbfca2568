//! What provisions a workspace. Each task can be run again after a crash: it finds what it has made
//! before by its effect key, or by what it is built on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use onramp::fields::{Slug, SlugPolicy};
use onramp::prelude::*;
use sha2::{Digest, Sha256};
use sqlx::{Connection, Row};
use uuid::Uuid;

use crate::kill;
use crate::platform::Platform;
use crate::signup::{Fault, FaultKind, Signups};
use crate::workspace::{
    ApiKey, Branding, BusinessInfo, Database, PaymentConfirmed, ReservedSlug, Settings, Tables,
    Workspace,
};

const STORAGE: Problem = Problem::new(
    "storage_unavailable",
    "Our storage is busy. We keep trying; please come back in a few minutes.",
);
const NO_SLUG: Problem = Problem::new(
    "no_free_name",
    "We could not find a free address for your workspace. Please contact support.",
);
const INCOMPLETE: Problem = Problem::new(
    "workspace_incomplete",
    "A part of your workspace is missing. We are building it again.",
);
const REFUSED: Problem = Problem::new(
    "provider_refused",
    "Our provider refused to set this up. Please contact support.",
);

const TABLES: [&str; 7] = [
    "members",
    "projects",
    "documents",
    "invoices",
    "api_keys",
    "settings",
    "audit",
];

type On = (Arc<Platform>, Faults);

fn storage(error: sqlx::Error) -> TaskError {
    TaskError::retryable(STORAGE, error)
}

fn patience() -> RetryPolicy {
    RetryPolicy::new(6)
        .base(Duration::from_millis(40))
        .cap(Duration::from_millis(400))
}

/// Reserves a slug that nobody else has.
pub(crate) struct ReserveSlug(pub(crate) On);

impl Task<Workspace> for ReserveSlug {
    type Needs = BusinessInfo;
    type Output = ReservedSlug;

    async fn run(&self, cx: &TaskContext, info: BusinessInfo) -> Result<ReservedSlug, TaskError> {
        let (platform, faults) = &self.0;
        kill::point("reserve_slug.before_effect");
        faults.strike(cx)?;
        let owner = cx.effect_key();
        let slug = match platform.slug_of(owner).await.map_err(storage)? {
            // An attempt before this one got as far as here.
            Some(slug) => Slug::try_from(slug).map_err(|e| TaskError::fatal(NO_SLUG, e))?,
            None => reserve(platform, cx, info.company_name.as_str()).await?,
        };
        kill::point("reserve_slug.after_effect");
        Ok(ReservedSlug { slug })
    }

    async fn undo(&self, cx: &TaskContext, _: Option<ReservedSlug>) -> Result<(), TaskError> {
        kill::point("reserve_slug.before_undo");
        self.0.0.free(cx.effect_key()).await.map_err(storage)
    }

    async fn verify(&self, cx: &TaskContext, made: ReservedSlug) -> Result<(), TaskError> {
        let found = self.0.0.slug_of(cx.effect_key()).await.map_err(storage)?;
        match found.as_deref() == Some(made.slug.as_str()) {
            true => Ok(()),
            false => Err(TaskError::fatal(INCOMPLETE, "the reservation is gone")),
        }
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

async fn reserve(platform: &Platform, cx: &TaskContext, name: &str) -> Result<Slug, TaskError> {
    let policy = SlugPolicy::default();
    let owner = cx.effect_key();
    for round in 0..16 {
        let slug = policy.candidate(name, owner.as_u128(), round);
        let subject = (cx.tenant(), cx.subject());
        let reserved = platform.reserve(slug.as_str(), owner, subject).await;
        if reserved.map_err(storage)? {
            return Ok(slug);
        }
    }
    Err(TaskError::fatal(NO_SLUG, "sixteen candidates were taken"))
}

/// Creates the workspace's own database file.
pub(crate) struct CreateWorkspace(pub(crate) On);

impl Task<Workspace> for CreateWorkspace {
    type Needs = ReservedSlug;
    type Output = Database;

    async fn run(&self, cx: &TaskContext, reserved: ReservedSlug) -> Result<Database, TaskError> {
        let (platform, faults) = &self.0;
        kill::point("create_workspace.before_effect");
        faults.strike(cx)?;
        let file = format!("{}.db", reserved.slug);
        let database = platform.workspace(&file, true).await.map_err(storage)?;
        database.close().await.map_err(storage)?;
        kill::point("create_workspace.after_effect");
        Ok(Database { file })
    }

    async fn undo(&self, cx: &TaskContext, made: Option<Database>) -> Result<(), TaskError> {
        kill::point("create_workspace.before_undo");
        let platform = &self.0.0;
        let file = match made {
            Some(made) => Some(made.file),
            // An attempt never reported: the file, if there is one, is named after the slug.
            None => {
                let slug = platform.slug_for(cx).await.map_err(storage)?;
                slug.map(|slug| format!("{slug}.db"))
            }
        };
        let dropped = file.map_or(Ok(()), |file| platform.drop_workspace(&file));
        dropped.map_err(|error| TaskError::retryable(STORAGE, error))
    }

    async fn verify(&self, _: &TaskContext, made: Database) -> Result<(), TaskError> {
        match self.0.0.has_workspace(&made.file) {
            true => Ok(()),
            false => Err(TaskError::fatal(INCOMPLETE, "the database file is gone")),
        }
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// Creates the workspace's tables, all or none. They go with the file when that is undone.
pub(crate) struct CreateTables(pub(crate) On);

impl Task<Workspace> for CreateTables {
    type Needs = Database;
    type Output = Tables;

    async fn run(&self, cx: &TaskContext, database: Database) -> Result<Tables, TaskError> {
        let (platform, faults) = &self.0;
        kill::point("create_tables.before_effect");
        faults.strike(cx)?;
        let opened = platform.workspace(&database.file, false).await;
        let mut database = opened.map_err(storage)?;
        let mut sql = String::from("BEGIN IMMEDIATE;");
        for table in TABLES {
            sql +=
                &format!("CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, value TEXT);");
        }
        sql += "COMMIT;";
        // Only our own constants are in the text.
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        script.execute(&mut database).await.map_err(storage)?;
        database.close().await.map_err(storage)?;
        kill::point("create_tables.after_effect");
        let tables = TABLES.map(str::to_owned).to_vec();
        Ok(Tables { tables })
    }

    /// Desired against observed: every table has to be there before anyone is told "ready".
    async fn verify(&self, cx: &TaskContext, made: Tables) -> Result<(), TaskError> {
        let platform = &self.0.0;
        let slug = platform.slug_for(cx).await.map_err(storage)?;
        let file = format!("{}.db", slug.unwrap_or_default());
        if !platform.has_workspace(&file) {
            return Err(TaskError::fatal(INCOMPLETE, "the database file is gone"));
        }
        let opened = platform.workspace(&file, false).await;
        let mut database = opened.map_err(storage)?;
        let query = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'");
        let rows = query.fetch_all(&mut database).await.map_err(storage)?;
        let found: Vec<String> = rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()
            .map_err(storage)?;
        match made.tables.iter().find(|table| !found.contains(table)) {
            None => Ok(()),
            Some(missing) => Err(TaskError::fatal(
                INCOMPLETE,
                format!("table {missing} is missing"),
            )),
        }
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// Loads the workspace's settings from what the customer and billing have said.
pub(crate) struct LoadSettings(pub(crate) On);

impl Task<Workspace> for LoadSettings {
    type Needs = (
        BusinessInfo,
        Option<Branding>,
        PaymentConfirmed,
        Database,
        Tables,
    );
    type Output = Settings;

    async fn run(
        &self,
        cx: &TaskContext,
        (info, branding, paid, database, _): Self::Needs,
    ) -> Result<Settings, TaskError> {
        let (platform, faults) = &self.0;
        kill::point("load_settings.before_effect");
        faults.strike(cx)?;
        let text = |value| serde_json::to_value(value).unwrap_or_default().to_string();
        let mut settings = vec![
            ("company_name", info.company_name.to_string()),
            ("currency", info.currency.to_string()),
            ("timezone", info.timezone.to_string()),
            ("region", text(serde_json::json!(info.region))),
            ("plan", text(serde_json::json!(paid.plan))),
            ("invoice", paid.invoice),
        ];
        if let Some(branding) = branding {
            settings.push(("primary_color", branding.primary_color));
            settings.extend(branding.logo_url.map(|url| ("logo_url", url.0)));
        }
        let opened = platform.workspace(&database.file, false).await;
        let mut database = opened.map_err(storage)?;
        let mut writing = database
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(storage)?;
        for (key, value) in &settings {
            let query = sqlx::query("INSERT OR REPLACE INTO settings VALUES ($1, $2)");
            let query = query.bind(*key).bind(value);
            query.execute(&mut *writing).await.map_err(storage)?;
        }
        writing.commit().await.map_err(storage)?;
        database.close().await.map_err(storage)?;
        kill::point("load_settings.after_effect");
        Ok(Settings {
            loaded: settings.len(),
        })
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// Issues an API key. Only its hash is kept; another attempt issues another key in its place.
pub(crate) struct IssueApiKey(pub(crate) On);

impl Task<Workspace> for IssueApiKey {
    type Needs = (Database, Tables);
    type Output = ApiKey;

    async fn run(
        &self,
        cx: &TaskContext,
        (database, _): (Database, Tables),
    ) -> Result<ApiKey, TaskError> {
        let (platform, faults) = &self.0;
        kill::point("issue_api_key.before_effect");
        faults.strike(cx)?;
        // Twice 122 random bits. A service would hand the key to the customer here, once.
        let key = format!("key_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let hash = Sha256::digest(key);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let opened = platform.workspace(&database.file, false).await;
        let mut database = opened.map_err(storage)?;
        let query = sqlx::query("INSERT OR REPLACE INTO api_keys VALUES ($1, $2)");
        let query = query.bind(cx.effect_key().to_string()).bind(&hash);
        query.execute(&mut database).await.map_err(storage)?;
        database.close().await.map_err(storage)?;
        kill::point("issue_api_key.after_effect");
        Ok(ApiKey {
            fingerprint: hash.chars().take(12).collect(),
        })
    }

    fn retry(&self) -> RetryPolicy {
        patience()
    }
}

/// Keeps the panics that the sign-ups ask for off the screen; the engine takes each for a failed
/// attempt. All others are shown as ever.
pub(crate) fn hush_staged_panics() {
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("staged") {
            shown(info);
        }
    }));
}

/// The failures that the sign-ups ask for.
#[derive(Clone)]
pub(crate) struct Faults(Arc<BTreeMap<(TenantId, SubjectId), Fault>>);

impl Faults {
    pub(crate) fn of(signups: &Signups) -> Self {
        let faults = signups.accepted.iter().filter_map(|signup| {
            let key = (signup.tenant.clone(), signup.subject.clone());
            Some((key, signup.fault.clone()?))
        });
        Self(Arc::new(faults.collect()))
    }

    /// Fails, where this subject's line asks for it at this step and attempt.
    #[expect(clippy::panic, reason = "a panic is what such a line asks for")]
    fn strike(&self, cx: &TaskContext) -> Result<(), TaskError> {
        let key = (cx.tenant().clone(), cx.subject().clone());
        let Some(fault) = self.0.get(&key) else {
            return Ok(());
        };
        let step = serde_json::json!(fault.step);
        if step != cx.step().as_str() || cx.attempt() > fault.times {
            return Ok(());
        }
        match fault.kind {
            FaultKind::Transient => Err(TaskError::retryable(STORAGE, "staged")),
            FaultKind::Final => Err(TaskError::fatal(REFUSED, "staged")),
            FaultKind::Panic => panic!("staged"),
        }
    }
}
