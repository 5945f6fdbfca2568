//! What the example's service owns: a database of slugs, and one database file per workspace.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use onramp::prelude::*;
use onramp::{SubjectId, TenantId};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Row};
use uuid::Uuid;

pub(crate) struct Platform {
    slugs: SqlitePool,
    workspaces: PathBuf,
}

impl Platform {
    pub(crate) async fn open(data: &Path) -> Result<Arc<Self>, Box<dyn std::error::Error>> {
        let workspaces = data.join("workspaces");
        std::fs::create_dir_all(&workspaces).map_err(|error| {
            let data = data.display();
            format!("cannot use the folder {data}: {error}; name another with --data DIR")
        })?;
        let options = SqliteConnectOptions::new()
            .filename(data.join("platform.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::from_secs(10));
        let slugs = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS slugs (
                 slug TEXT NOT NULL PRIMARY KEY,
                 owner TEXT NOT NULL UNIQUE,
                 tenant TEXT NOT NULL,
                 subject TEXT NOT NULL,
                 UNIQUE (tenant, subject))",
        )
        .execute(&slugs)
        .await?;
        Ok(Arc::new(Self { slugs, workspaces }))
    }

    /// The slug that a reservation holds.
    pub(crate) async fn slug_of(&self, owner: Uuid) -> sqlx::Result<Option<String>> {
        let query = sqlx::query("SELECT slug FROM slugs WHERE owner = $1").bind(owner.to_string());
        let row = query.fetch_optional(&self.slugs).await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    /// The slug that a subject holds.
    pub(crate) async fn slug_for(&self, cx: &TaskContext) -> sqlx::Result<Option<String>> {
        let query = sqlx::query("SELECT slug FROM slugs WHERE tenant = $1 AND subject = $2")
            .bind(cx.tenant().as_str())
            .bind(cx.subject().as_str());
        let row = query.fetch_optional(&self.slugs).await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    /// Reserves a slug, unless somebody has it.
    pub(crate) async fn reserve(
        &self,
        slug: &str,
        owner: Uuid,
        (tenant, subject): (&TenantId, &SubjectId),
    ) -> sqlx::Result<bool> {
        let query = sqlx::query("INSERT OR IGNORE INTO slugs VALUES ($1, $2, $3, $4)")
            .bind(slug)
            .bind(owner.to_string())
            .bind(tenant.as_str())
            .bind(subject.as_str());
        Ok(query.execute(&self.slugs).await?.rows_affected() == 1)
    }

    pub(crate) async fn free(&self, owner: Uuid) -> sqlx::Result<()> {
        let query = sqlx::query("DELETE FROM slugs WHERE owner = $1").bind(owner.to_string());
        query.execute(&self.slugs).await?;
        Ok(())
    }

    /// Opens a workspace's database file.
    pub(crate) async fn workspace(
        &self,
        file: &str,
        create: bool,
    ) -> sqlx::Result<SqliteConnection> {
        SqliteConnectOptions::new()
            .filename(self.workspaces.join(file))
            .create_if_missing(create)
            .busy_timeout(Duration::from_secs(10))
            .connect()
            .await
    }

    pub(crate) fn has_workspace(&self, file: &str) -> bool {
        self.workspaces.join(file).is_file()
    }

    pub(crate) fn drop_workspace(&self, file: &str) -> io::Result<()> {
        for file in [file.to_owned(), format!("{file}-journal")] {
            match std::fs::remove_file(self.workspaces.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

const NOT_READY: Problem = Problem::new(
    "platform_not_ready",
    "We are not ready for new customers yet. Please come back a little later.",
);

/// Nobody starts before the service itself is ready.
pub(crate) struct PlatformReady(pub(crate) Arc<Platform>);

impl Gate for PlatformReady {
    const NAME: &'static str = "platform_ready";

    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        let query = sqlx::query("SELECT slug FROM slugs LIMIT 0");
        match query.execute(&self.0.slugs).await {
            Ok(_) => Ok(()),
            Err(error) => Err(GateClosed::new(NOT_READY, error.to_string())),
        }
    }
}
