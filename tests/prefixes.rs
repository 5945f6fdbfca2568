//! Several independent sets of tables in one database, told apart by the prefix of their names.

mod support;

use std::sync::Arc;
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::{ClaimRequest, ErrorKind, WorkerId};
use onramp::testing::conformance;
use support::database::{Database, Kind};
use support::opened::Opened;
use support::{Desk, Faults};

const LONGEST: &str = "longest_of_all_prefixes_";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_with_different_prefixes_do_not_see_each_other() {
    for database in Database::each().await {
        // One of them begins like another.
        let mut desks = Vec::new();
        for prefix in ["onramp_", "a_", "a_b_"] {
            let store = Opened::new(&database).prefix(prefix).store().await.unwrap();
            desks.push(Desk::new(store, Faults::default()));
        }
        for n in 0..desks.len() {
            for empty in &desks[n..] {
                let store = empty.onramp.store();
                let flow = empty.onramp.flow().plan().flow();
                let second = Duration::from_secs(1);
                let subject = SubjectId::new("org-1").unwrap();
                let found = empty.onramp.open(empty.tenant(), &subject).await.unwrap();
                assert!(found.is_none());
                assert_eq!(
                    store.next_due(std::slice::from_ref(flow)).await.unwrap(),
                    None
                );
                let worker = WorkerId::new("w");
                let request = ClaimRequest::new(flow, &worker).max(9).lease(second);
                assert_eq!(store.claim(&request).await.unwrap(), []);
                assert_eq!(store.take_outbox(9, second).await.unwrap(), []);
            }
            let desk = &desks[n];
            desk.paid("org-1").await;
            let mut ids = Vec::new();
            for other in &desks[..=n] {
                ids.push(other.open("org-1").await.into_state().id());
                let foreign = desk.onramp.store().load(desk.tenant(), ids[0]).await;
                assert_eq!(foreign.unwrap().is_some(), n == 0);
            }
            ids.dedup();
            assert_eq!(ids.len(), n + 1, "one key, one onboarding in each");
        }
        for (n, desk) in desks.iter().enumerate() {
            desk.engine().run_until_idle().await.unwrap();
            assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
            for later in &desks[n + 1..] {
                assert_eq!(later.open("org-1").await.stage(), StageKind::InProgress);
            }
            desk.journal_holds("org-1").await;
        }
    }
}

/// The names of everything in a database, as the lines of its schema begin.
fn names(schema: &[String]) -> Vec<&str> {
    let words = schema
        .iter()
        .filter_map(|line| line.split([' ', ':']).nth(1));
    let own = words.filter(|name| *name != "PRIMARY");
    own.map(|name| name.strip_prefix("sqlite_autoindex_").unwrap_or(name))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_has_the_prefix_also_the_longest() {
    for database in Database::each().await {
        for prefix in ["a_", LONGEST] {
            let database = database.another().await;
            let opened = Opened::new(&database).prefix(prefix);
            opened.store().await.unwrap();
            let schema = database.schema().await;
            for name in names(&schema) {
                assert!(name.starts_with(prefix), "{name}");
                assert!(name.len() <= 63, "{name}");
            }
            // Tables, indexes, constraints: whatever the database knows by name.
            let kinds: &[&str] = match database.kind {
                Kind::Sqlite => &["table", "index"],
                Kind::Postgres => &["column", "index", "constraint"],
                Kind::MySql => &["table", "index", "constraint"],
            };
            for kind in kinds {
                let is = |line: &&String| line.starts_with(kind);
                assert!(schema.iter().filter(is).count() > 2, "{kind}: {schema:#?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_longest_prefix_a_store_holds() {
    for database in Database::each().await {
        // Beside another one, whose names are nearly the same.
        let nearly = LONGEST.replace("of_all", "of_ali");
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        for prefix in [LONGEST, &nearly] {
            stores.push(Opened::new(&database).prefix(prefix).store().await.unwrap());
        }
        for store in stores {
            assert_eq!(conformance::check(store).await, []);
        }
    }
}

#[tokio::test]
async fn another_prefix_is_refused() {
    for database in Database::each().await {
        let longer = format!("x{LONGEST}");
        for bad in [
            "", "_", "1_", "onramp", "On_", "a b_", "a;_", "a'_", "a\"_", "a`_", "ü_", "a\0_",
            "sqlite_", "pg_", &longer,
        ] {
            let opened = Opened::new(&database).prefix(bad);
            let errors = [
                opened.store().await.err().unwrap(),
                opened.plan().await.unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::Config, "{bad:?}");
                assert!(error.to_string().contains("the table prefix"), "{error}");
            }
        }
        assert_eq!(database.schema().await, Vec::<String>::new());
    }
}
