//! What a migration would do, for operators who want to see it first.

use std::fmt;

use crate::store::error::Error;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::migrate::{Part, current, parts, refused};
use crate::store::sql::names::Names;

/// What would be done to a database to bring its schema up to date.
///
/// As text it is a script of SQL, which may also be run by hand, by a role that may create tables:
/// the store then finds its schema as it expects it.
///
/// ```
/// use onramp::store::{SqliteOptions, SqliteStore};
///
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("onboarding.db");
/// let plan = SqliteStore::plan_migration(SqliteOptions::new(&path)).await?;
/// assert_eq!((plan.found(), plan.wanted()), (0, SqliteStore::schema_version()));
/// assert!(plan.to_string().contains("CREATE TABLE IF NOT EXISTS onramp_onboarding"));
/// assert!(!path.exists()); // only looked at
///
/// SqliteStore::open(&path).await?.close().await;
/// let plan = SqliteStore::plan_migration(SqliteOptions::new(&path)).await?;
/// assert!(plan.is_empty());
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new()?.block_on(show())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationPlan {
    database: &'static str,
    found: u32,
    wanted: u32,
    /// How the transaction begins, where it is one.
    begin: Option<&'static str>,
    statements: Vec<String>,
}

impl MigrationPlan {
    /// The version that the database has; 0 when it has no schema.
    #[must_use]
    pub fn found(&self) -> u32 {
        self.found
    }

    /// The version that this program reads and writes.
    #[must_use]
    pub fn wanted(&self) -> u32 {
        self.wanted
    }

    /// The statements that would run, in order, with the names of the tables as they would be.
    pub fn statements(&self) -> impl ExactSizeIterator<Item = &str> {
        self.statements.iter().map(String::as_str)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// From the version that was found to that of the names.
    pub(super) fn from<D: Dialect>(names: &'static Names, found: u32) -> Result<Self, Error> {
        let wanted = names.version();
        if found > wanted {
            return Err(refused(found, names));
        }
        let enter = names.statements.insert_schema;
        let mut statements = Vec::new();
        if found < wanted {
            statements.push(names.statements.create_schema.to_owned());
        }
        statements.extend(parts::<D>(names, found).into_iter().map(|part| match part {
            Part::Run(statement) => statement.to_owned(),
            Part::Enter(version) => with_argument(enter, version),
        }));
        Ok(Self {
            database: D::NAME,
            found,
            wanted,
            begin: (!D::DDL_COMMITS).then_some(D::BEGIN),
            statements,
        })
    }
}

impl fmt::Display for MigrationPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (database, found, wanted) = (self.database, self.found, self.wanted);
        write!(f, "-- {database}: schema version {found} found, ")?;
        if self.is_empty() {
            return write!(f, "as wanted: nothing to do");
        }
        let run = self.statements.len();
        write!(f, "version {wanted} wanted: {run} statements to run")?;
        let (begin, commit) = match self.begin {
            Some(begin) => (Some(begin), Some("COMMIT")),
            None => (None, None),
        };
        let statements = begin.into_iter().chain(self.statements()).chain(commit);
        for statement in statements {
            write!(f, "\n\n{statement};")?;
        }
        Ok(())
    }
}

/// What a migration would do to the database of a pool.
pub(super) async fn plan<D: Dialect>(
    pool: &sqlx::Pool<D::Db>,
    names: &'static Names,
) -> Result<MigrationPlan, Error> {
    MigrationPlan::from::<D>(names, current::<D>(pool, names).await?)
}

/// The text with its one argument written out.
fn with_argument(sql: &str, value: u32) -> String {
    let value = value.to_string();
    sql.replace("$1", &value).replace('?', &value)
}
