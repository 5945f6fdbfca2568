//! From one version to the next, on every database, with data in the tables: with further versions
//! made up here, which do what later ones will do.

#[path = "../../../../tests/support/database.rs"]
mod database;
mod kill;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use self::database::{Database, Kind};
use crate::flow::{Definition, Flow, Step as FlowStep};
use crate::id::{SubjectId, TenantId};
use crate::store::error::ErrorKind;
use crate::store::sql::body::SqlStore;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::names::{DEFAULT, Names};
use crate::store::sql::plan::plan;
use crate::store::sql::{
    MySql, MySqlStore, Postgres, PostgresStore, SqlOptions, Sqlite, SqliteStore,
};
use crate::store::{StoreExt as _, contract::Store as _};

/// The version that this program is of: those made up here follow it.
fn this<D: Dialect>() -> u32 {
    u32::try_from(D::MIGRATIONS.len()).unwrap()
}

/// A further version: a column with a default, a table that refers to another, an index, and what
/// the rows that are there need.
fn one_more(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "ALTER TABLE onramp_onboarding ADD COLUMN region TEXT NOT NULL DEFAULT 'none';
             CREATE TABLE IF NOT EXISTS onramp_note (
                onboarding BLOB NOT NULL PRIMARY KEY REFERENCES onramp_onboarding (id),
                note TEXT NOT NULL -- for operators; not for customers
             ) STRICT;
             CREATE INDEX IF NOT EXISTS onramp_onboarding_region ON onramp_onboarding (region, id);
             UPDATE onramp_onboarding SET region = 'eu;1' WHERE region = 'none';"
        }
        Kind::Postgres => {
            "ALTER TABLE onramp_onboarding
                ADD COLUMN IF NOT EXISTS region TEXT COLLATE \"C\" NOT NULL DEFAULT 'none';
             CREATE TABLE IF NOT EXISTS onramp_note (
                onboarding BYTEA NOT NULL PRIMARY KEY REFERENCES onramp_onboarding (id),
                note TEXT NOT NULL -- for operators; not for customers
             );
             CREATE INDEX IF NOT EXISTS onramp_onboarding_region ON onramp_onboarding (region, id);
             UPDATE onramp_onboarding SET region = 'eu;1' WHERE region = 'none';"
        }
        // Without IF NOT EXISTS where only MariaDB has it.
        Kind::MySql => {
            "ALTER TABLE onramp_onboarding
                ADD COLUMN region VARBINARY(64) NOT NULL DEFAULT 'none';
             CREATE TABLE IF NOT EXISTS onramp_note (
                onboarding BINARY(16) NOT NULL PRIMARY KEY,
                note LONGTEXT NOT NULL, -- for operators; not for customers
                CONSTRAINT onramp_note_of FOREIGN KEY (onboarding) REFERENCES onramp_onboarding (id)
             ) ENGINE = InnoDB;
             CREATE INDEX onramp_onboarding_region ON onramp_onboarding (region, id);
             UPDATE onramp_onboarding SET region = 'eu;1' WHERE region = 'none';"
        }
    }
}

/// The names of a schema of so many versions.
fn names<D: Dialect>(further: &[&'static str]) -> &'static Names {
    let all: Vec<_> = D::MIGRATIONS.iter().chain(further).copied().collect();
    Box::leak(Box::new(Names::of::<D>(DEFAULT, &all)))
}

/// A store as a program of another version opens it.
async fn opened<D: Dialect>(
    store: &SqlStore<D>,
    names: &'static Names,
    migrates: bool,
) -> Result<SqlStore<D>, crate::store::Error> {
    let (writers, readers) = (store.writers.clone(), store.readers.clone());
    // Not `SqlStore::opened`, which closes the pools of a store that is refused.
    match migrates {
        true => super::migrate::<D>(&writers, names).await?,
        false => super::check::<D>(&writers, names).await?,
    }
    Ok(SqlStore::on(None, writers, readers, names))
}

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Company(String);
impl FlowStep for Company {
    const NAME: &'static str = "company";
}
impl crate::flow::Answer<Signup> for Company {}

fn flow() -> Definition<Signup> {
    Signup::steps().ask::<Company>().build().unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_000_000_000).unwrap()
}

/// An onboarding, as `enroll` gives it: made when it is not there.
async fn onboarding<D: Dialect>(store: &SqlStore<D>, subject: &str) -> (String, u64) {
    let tenant = TenantId::new("acme").unwrap();
    let subject = SubjectId::new(subject).unwrap();
    let flow = flow();
    let found = store.enroll(&flow, &tenant, &subject, now()).await.unwrap();
    let key = found.into_state().key().clone();
    let row = store.find(&key).await.unwrap().unwrap();
    (format!("{row:?}"), row.state.revision().get())
}

/// One thing to hold on every database.
macro_rules! on_each {
    ($($test:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            for database in Database::each().await {
                match database.kind {
                    Kind::Sqlite => {
                        let store = SqliteStore::open(&database.url).await.unwrap();
                        each::$test::<Sqlite>(store, &database).await;
                    }
                    Kind::Postgres => {
                        let options = SqlOptions::new(&database.url).max_connections(20);
                        let store = PostgresStore::connect_with(options).await.unwrap();
                        each::$test::<Postgres>(store, &database).await;
                    }
                    Kind::MySql => {
                        let options = SqlOptions::new(&database.url).max_connections(20);
                        let store = MySqlStore::connect_with(options).await.unwrap();
                        each::$test::<MySql>(store, &database).await;
                    }
                }
            }
        }
    )+};
}

on_each![
    an_upgrade_keeps_what_is_stored,
    an_upgrade_that_failed_anywhere_is_finished,
    many_upgrade_at_once,
    programs_of_either_version_refuse_the_other_schema,
    a_plan_begins_at_the_version_that_is_there,
];

mod each {
    use super::*;

    pub(super) async fn an_upgrade_keeps_what_is_stored<D: Dialect>(
        store: SqlStore<D>,
        database: &Database,
    ) {
        let mut stored = Vec::new();
        for n in 0..20 {
            stored.push(onboarding(&store, &format!("org-{n}")).await);
        }
        let before = database.schema().await;
        let upgraded = opened(&store, names::<D>(&[one_more(database.kind)]), true);
        let upgraded = upgraded.await.unwrap();
        let after = database.schema().await;
        assert!(after.len() > before.len(), "{after:#?}");
        for (n, row) in stored.iter().enumerate() {
            assert_eq!(onboarding(&upgraded, &format!("org-{n}")).await, *row);
        }
        let regions = "SELECT DISTINCT region FROM onramp_onboarding";
        assert_eq!(database.texts(regions).await, ["eu;1"]);
        // One that was made later has the default.
        onboarding(&upgraded, "new").await;
        assert_eq!(database.texts(regions).await.len(), 2);

        // The same as from nothing.
        let other = database.another().await;
        fresh::<D>(&other, &[one_more(database.kind)]).await;
        assert_eq!(other.schema().await, after);
    }

    /// What is left where a statement fails is what is left where the process dies before it.
    pub(super) async fn an_upgrade_that_failed_anywhere_is_finished<D: Dialect>(
        store: SqlStore<D>,
        database: &Database,
    ) {
        let row = onboarding(&store, "org-1").await;
        let first = database.schema().await;
        let whole = one_more(database.kind);
        let statements = crate::store::sql::script::statements(whole);
        assert_eq!(statements.len(), 4);
        for done in 0..=statements.len() {
            let mut broken = statements[..done].join(";\n");
            broken.push_str(";\nTHIS IS NO SQL;");
            let broken: &'static str = broken.leak();
            let failed = opened(&store, names::<D>(&[broken]), true).await;
            assert!(failed.is_err(), "{done}");
            // Nothing, or what was done, and either way a version that says so.
            let schema = database.schema().await;
            match D::DDL_COMMITS {
                true => assert!(done == 0 || schema != first),
                false => assert_eq!(schema, first),
            }
            let still = opened(&store, names::<D>(&[]), false).await.unwrap();
            assert_eq!(onboarding(&still, "org-1").await, row);
        }
        let upgraded = opened(&store, names::<D>(&[whole]), true).await.unwrap();
        assert_eq!(onboarding(&upgraded, "org-1").await, row);
        let other = database.another().await;
        fresh::<D>(&other, &[whole]).await;
        assert_eq!(other.schema().await, database.schema().await);
    }

    pub(super) async fn many_upgrade_at_once<D: Dialect>(store: SqlStore<D>, database: &Database) {
        let row = onboarding(&store, "org-1").await;
        let names = names::<D>(&[one_more(database.kind), two_more(database.kind)]);
        let mut upgrading = JoinSet::new();
        for _ in 0..16 {
            let store = store.clone();
            upgrading.spawn(async move { opened(&store, names, true).await });
        }
        for upgraded in upgrading.join_all().await {
            assert_eq!(onboarding(&upgraded.unwrap(), "org-1").await, row);
        }
        let versions = "SELECT concat(version, '') FROM onramp_schema ORDER BY version";
        let expected: Vec<_> = (1..=this::<D>() + 2).map(|n| n.to_string()).collect();
        assert_eq!(database.texts(versions).await, expected);
        let other = database.another().await;
        fresh::<D>(&other, &[one_more(database.kind), two_more(database.kind)]).await;
        assert_eq!(other.schema().await, database.schema().await);
    }

    pub(super) async fn programs_of_either_version_refuse_the_other_schema<D: Dialect>(
        store: SqlStore<D>,
        database: &Database,
    ) {
        let (one, two) = (names::<D>(&[]), names::<D>(&[one_more(database.kind)]));
        let (old, new) = (this::<D>(), this::<D>() + 1);
        let refused = async |names, migrates| {
            let error = opened(&store, names, migrates).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Schema);
            error.to_string()
        };
        let older = refused(two, false).await;
        let expected = format!("older than version {new} (found version {old})");
        assert!(older.contains(&expected), "{older}");
        opened(&store, two, true).await.unwrap();
        for migrates in [true, false] {
            let newer = refused(one, migrates).await;
            let expected = format!("newer than version {old} (found version {new})");
            assert!(newer.contains(&expected), "{newer}");
        }
        opened(&store, two, false).await.unwrap();
    }

    pub(super) async fn a_plan_begins_at_the_version_that_is_there<D: Dialect>(
        store: SqlStore<D>,
        database: &Database,
    ) {
        let further = [one_more(database.kind), two_more(database.kind)];
        let names = names::<D>(&further);
        let before = database.schema().await;
        let planned = plan::<D>(&store.writers, names).await.unwrap();
        assert_eq!(database.schema().await, before);
        let versions = (this::<D>(), this::<D>() + 2);
        assert_eq!((planned.found(), planned.wanted()), versions);
        let made = further
            .iter()
            .map(|text| crate::store::sql::script::statements(text).len());
        // Besides, the table of versions is made sure of, and two versions are entered.
        assert_eq!(planned.statements().len(), 1 + made.sum::<usize>() + 2);
        database.run(&planned.to_string()).await;
        opened(&store, names, false).await.unwrap();
        let planned = plan::<D>(&store.writers, names).await.unwrap();
        assert!(planned.is_empty());
    }
}

/// One more version, so that there is one between.
fn two_more(kind: Kind) -> &'static str {
    match kind {
        Kind::MySql => "ALTER TABLE onramp_note ADD COLUMN by_whom VARBINARY(255)",
        Kind::Postgres => "ALTER TABLE onramp_note ADD COLUMN IF NOT EXISTS by_whom TEXT",
        Kind::Sqlite => "ALTER TABLE onramp_note ADD COLUMN by_whom TEXT",
    }
}

/// Brings an empty database to the newest version at once.
async fn fresh<D: Dialect>(database: &Database, further: &[&'static str]) {
    let names = names::<D>(further);
    match database.kind {
        Kind::Sqlite => {
            let (writers, _) = crate::store::sql::file::connect(&database.path(), true)
                .await
                .unwrap();
            super::migrate::<Sqlite>(&writers, names).await.unwrap();
        }
        Kind::Postgres => {
            let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
            super::migrate::<Postgres>(&pool, names).await.unwrap();
        }
        Kind::MySql => {
            let pool = sqlx::MySqlPool::connect(&database.url).await.unwrap();
            super::migrate::<MySql>(&pool, names).await.unwrap();
        }
    }
}

/// IF NOT EXISTS looks before it waits, so that a table of another migrator can be met all the same:
/// here by a statement that does not look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_transaction_what_is_there_already_begins_it_again() {
    for database in Database::each().await {
        if database.kind != Kind::Postgres {
            continue;
        }
        let names = names::<Postgres>(&["CREATE TABLE onramp_note (note TEXT)"]);
        let store = PostgresStore::connect(&database.url).await.unwrap();
        database.run("CREATE TABLE onramp_note (other TEXT)").await;
        let upgrading = tokio::spawn({
            let store = store.clone();
            async move { opened(&store, names, true).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        database.run("DROP TABLE onramp_note").await;
        upgrading.await.unwrap().unwrap();
        assert!(database.schema().await.join(" ").contains("note text"));

        // One that stays is told, after a while.
        let forget = "DELETE FROM onramp_schema WHERE version > ";
        database
            .run(&format!("{forget}{}", this::<Postgres>()))
            .await;
        let stuck = opened(&store, names, true).await.unwrap_err();
        assert_eq!(stuck.kind(), ErrorKind::Unavailable, "{stuck:?}");
    }
}
