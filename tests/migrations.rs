//! From any version, and from any half of a migration, to the schema that this program expects.
//!
//! How the library goes from one version to the next, with data in the tables, is tested where lists
//! of versions can be made up: in `src/store/sql/migrate/tests.rs`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use onramp::prelude::*;
use onramp::store::ErrorKind;
use support::database::{Database, Kind};
use support::opened::Opened;
use support::{Desk, Faults};
use tokio::task::JoinSet;

fn version() -> u32 {
    SqliteStore::schema_version()
}

/// What an undisturbed migration makes.
async fn whole(like: &Database, prefix: &str) -> Vec<String> {
    let database = like.another().await;
    let opened = Opened::new(&database).prefix(prefix).store().await;
    drop(opened.unwrap());
    let schema = database.schema().await;
    assert!(schema.len() > 8, "{schema:#?}");
    schema
}

/// That a store has its whole schema, and works.
async fn works(database: &Database, undisturbed: &[String]) {
    let desk = Desk::new(
        Opened::new(database).store().await.unwrap(),
        Faults::default(),
    );
    assert_eq!(database.schema().await, undisturbed);
    desk.paid("org-1").await;
    desk.engine().run_until_idle().await.unwrap();
    assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
    let versions = "SELECT concat(version, '') FROM onramp_schema ORDER BY version";
    let expected: Vec<_> = (1..=version()).map(|version| version.to_string()).collect();
    assert_eq!(database.texts(versions).await, expected);
}

/// The files of a folder, and what is in them.
fn files(database: &Database) -> Vec<(PathBuf, u64)> {
    let folder = database.path();
    let entries = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let mut hasher = DefaultHasher::new();
            std::fs::read(&path).unwrap().hash(&mut hasher);
            (path, hasher.finish())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_changes_nothing_and_prints_what_is_done() {
    for database in Database::each().await {
        let kind = database.kind;
        for prefix in ["onramp_", "acme_"] {
            let opened = Opened::new(&database).prefix(prefix);
            let before = match kind {
                Kind::Sqlite => files(&database),
                _ => Vec::new(),
            };
            let plan = opened.plan().await.unwrap();
            assert_eq!(opened.plan().await.unwrap(), plan);
            match kind {
                Kind::Sqlite => assert_eq!(files(&database), before),
                _ => assert!(!database.schema().await.join(" ").contains(prefix)),
            }
            assert!(!plan.is_empty());
            assert_eq!((plan.found(), plan.wanted()), (0, version()));
            for table in [
                "schema",
                "onboarding",
                "fact",
                "journal",
                "queue",
                "slot",
                "outbox",
            ] {
                let create = format!("CREATE TABLE IF NOT EXISTS {prefix}{table} (");
                let creating = plan.statements().filter(|sql| sql.starts_with(&create));
                assert_eq!(creating.count(), 1, "{kind:?}: {create}");
            }
            let text = plan.to_string();
            let wanted = format!("schema version 0 found, version {} wanted", version());
            assert!(text.contains(&wanted), "{text}");
            assert!(plan.statements().all(|statement| text.contains(statement)));

            // Run by hand, it is what the store would have done.
            database.run(&text).await;
            opened.as_it_is().and_closed().await.unwrap();
            let plan = opened.plan().await.unwrap();
            assert!(plan.is_empty() && plan.statements().len() == 0);
            let text = plan.to_string();
            let wanted = format!("version {} found, as wanted: nothing to do", version());
            assert!(text.ends_with(&wanted), "{text}");
        }
        let other = database.another().await;
        for prefix in ["onramp_", "acme_"] {
            Opened::new(&other).prefix(prefix).store().await.unwrap();
        }
        assert_eq!(database.schema().await, other.schema().await, "{kind:?}");
    }
}

#[tokio::test]
async fn a_dry_run_leaves_a_file_as_it_is() {
    let database = Database::sqlite();
    let path = database.path();
    // Not a database yet; a database of somebody else's, without a log; one of ours.
    std::fs::write(&path, "").unwrap();
    for found in [0, 0, version()] {
        let before = files(&database);
        let plan = Opened::new(&database).plan().await.unwrap();
        assert_eq!(plan.found(), found);
        assert_eq!(files(&database), before);
        match std::fs::read(&path).unwrap().is_empty() {
            true => database.run("CREATE TABLE theirs (a)").await,
            false => {
                let store = SqliteStore::open(&path).await.unwrap();
                store.close().await;
            }
        }
    }
    let nowhere = onramp::store::SqliteOptions::new(path.join("no/such/folder"));
    let error = SqliteStore::plan_migration(nowhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let absent = onramp::store::SqliteOptions::new(path.with_file_name("absent")).create(false);
    let error = SqliteStore::plan_migration(absent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    std::fs::write(&path, "this is a text file and no database\n".repeat(40)).unwrap();
    let error = Opened::new(&database).plan().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// A crash in the middle, by hand: the first statements only, each committed. Where migrations are
/// one transaction that is more than a crash can leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_half_of_a_migration_is_there_it_is_finished() {
    for database in Database::each().await {
        let undisturbed = whole(&database, "onramp_").await;
        let plan = Opened::new(&database).plan().await.unwrap();
        let enters = |sql: &&str| sql.starts_with("INSERT INTO onramp_schema");
        let makes: Vec<_> = plan.statements().filter(|sql| !enters(sql)).collect();
        let entered = plan.statements().len() - makes.len();
        assert_eq!(entered, version() as usize);
        for done in 0..=makes.len() {
            let database = database.another().await;
            for statement in &makes[..done] {
                database.run(statement).await;
            }
            let halfway = Opened::new(&database).as_it_is().store().await;
            if let Some(error) = halfway.err() {
                // The file is not there when nothing was done.
                let expected = [ErrorKind::Schema, ErrorKind::Config];
                assert!(expected.contains(&error.kind()), "{error:?}");
            } else {
                panic!("a schema without its version was taken");
            }
            works(&database, &undisturbed).await;
        }
        let entered = database.another().await;
        entered
            .run(&plan.statements().collect::<Vec<_>>().join(";"))
            .await;
        Opened::new(&entered).as_it_is().store().await.unwrap();
        works(&entered, &undisturbed).await;
    }
}

/// A crash in the middle as it is: the connection is gone, and with it the transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_was_cut_off_leaves_nothing() {
    for database in Database::each().await {
        if database.kind == Kind::MySql {
            continue;
        }
        let undisturbed = whole(&database, "onramp_").await;
        let plan = Opened::new(&database).plan().await.unwrap();
        let statements: Vec<_> = plan.statements().collect();
        for done in 1..=statements.len() {
            let cut = format!("BEGIN; {}", statements[..done].join(";"));
            database.run(&cut).await;
            assert_eq!(database.schema().await, Vec::<String>::new());
        }
        works(&database, &undisturbed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_migrators_make_one_schema() {
    for like in Database::each().await {
        let undisturbed = whole(&like, "onramp_").await;
        for many in [2, 2, 2, 16, 16] {
            let database = Arc::new(like.another().await);
            let mut migrators = JoinSet::new();
            for _ in 0..many {
                let database = Arc::clone(&database);
                migrators.spawn(async move { Opened::new(&database).store().await.map(drop) });
            }
            for migrated in migrators.join_all().await {
                migrated.unwrap();
            }
            works(&database, &undisturbed).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_is_refused_by_name() {
    for database in Database::each().await {
        let opened = Opened::new(&database);
        database.run("CREATE TABLE theirs (a INTEGER)").await;
        let missing = opened.as_it_is().store().await.err().unwrap();
        assert_eq!(missing.kind(), ErrorKind::Schema, "{missing:?}");
        let text = missing.to_string();
        let expected = format!("version {} (found version 0)", version());
        assert!(text.contains(&expected), "{text}");
        opened.store().await.unwrap();
        opened.as_it_is().store().await.unwrap();

        let newer = "INSERT INTO onramp_schema (version, applied_at) VALUES (77, 0)";
        database.run(newer).await;
        for refused in [
            opened.store().await.err().unwrap(),
            opened.as_it_is().store().await.err().unwrap(),
            opened.plan().await.unwrap_err(),
        ] {
            assert_eq!(refused.kind(), ErrorKind::Schema, "{refused:?}");
            let text = refused.to_string();
            let expected = format!("newer than version {} (found version 77)", version());
            assert!(text.contains(&expected), "{text}");
        }
    }
}

fn migrate(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples/migrate");
    assert!(
        binary.is_file(),
        "{binary:?} is not built: run `cargo build --example migrate` first"
    );
    Command::new(binary).args(arguments).output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_shows_and_migrates() {
    for database in Database::each().await {
        let url = database.url.as_str();
        let said = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
        let dry = migrate(&["--dry-run", "--prefix", "acme_", url]);
        assert!(dry.status.success(), "{dry:?}");
        assert!(said(&dry).contains("CREATE TABLE IF NOT EXISTS acme_queue"));
        let opened = Opened::new(&database).prefix("acme_").as_it_is();
        assert!(opened.store().await.is_err(), "a dry run has migrated");
        let done = migrate(&["--prefix", "acme_", url]);
        assert!(done.status.success(), "{done:?}");
        opened.store().await.unwrap();
        let again = migrate(&["--prefix", "acme_", url]);
        assert!(said(&again).contains("nothing to do"), "{again:?}");
    }
    let wrong = migrate(&["postgres://onramp:canary-7@db.example.com/onramp"]);
    assert_eq!(wrong.status.code(), Some(1));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        told.starts_with("migrate: ") && !told.contains("canary-7"),
        "{told}"
    );
}

#[tokio::test]
async fn every_database_tells_its_schema() {
    // Otherwise all that was compared above would be nothing with nothing.
    for database in Database::each().await {
        let mut told = BTreeSet::new();
        for change in [
            "CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY)",
            "ALTER TABLE t ADD COLUMN b INTEGER",
            "CREATE INDEX t_b ON t (b)",
            "CREATE UNIQUE INDEX t_ab ON t (a, b)",
        ] {
            database.run(change).await;
            assert!(told.insert(database.schema().await), "{change}");
        }
    }
}
