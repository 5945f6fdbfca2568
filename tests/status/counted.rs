//! What a status costs: statements, counted where sqlx tells of them.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once};

use onramp::admission::Admission;
use onramp::prelude::*;
use onramp::status::NextAction;
use onramp::store::{SqlOptions, SqliteOptions};
use onramp::{Clock, SystemClock};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::database::{Database, Kind};
use crate::support::{Company, Workspace};

/// Statements on tables with this prefix, which this test alone uses.
const PREFIX: &str = "counted_";

static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Listening;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        write!(self.0, "{value:?} ").unwrap();
    }
}

impl Subscriber for Listening {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        if text.0.contains(PREFIX) {
            STATEMENTS.lock().unwrap().push(text.0);
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn statements() -> Vec<String> {
    std::mem::take(&mut *STATEMENTS.lock().unwrap())
}

async fn store(database: &Database) -> std::sync::Arc<dyn Store> {
    let server = || SqlOptions::new(&database.url).table_prefix(PREFIX);
    match database.kind {
        Kind::Sqlite => {
            let file = SqliteOptions::new(database.path()).table_prefix(PREFIX);
            std::sync::Arc::new(SqliteStore::open_with(file).await.unwrap())
        }
        Kind::Postgres => std::sync::Arc::new(PostgresStore::connect_with(server()).await.unwrap()),
        Kind::MySql => std::sync::Arc::new(MySqlStore::connect_with(server()).await.unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_and_an_admission_are_one_query_each_on_every_database() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listening).unwrap());
    for database in Database::each().await {
        let kind = database.kind;
        let flow = Workspace::steps().ask::<Company>().build().unwrap();
        let onramp = Onramp::shared(store(&database).await, flow);
        let tenant = TenantId::new("acme").unwrap();
        let subject = SubjectId::new("org-1").unwrap();
        let _ = onramp.enroll(&tenant, &subject).await.unwrap();
        // What goes on beside the calls ends first.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert!(!statements().is_empty(), "{kind:?}: nothing is counted");

        let status = onramp.status(&tenant, &subject).await.unwrap().unwrap();
        let counted = statements();
        assert_eq!(counted.len(), 1, "{kind:?}: {counted:#?}");
        assert_eq!(status.next_action, NextAction::Start);

        let (plan, now) = (onramp.flow().plan(), SystemClock.now());
        let by_store = onramp.store().status(plan, &tenant, &subject, now).await;
        let counted = statements();
        assert_eq!(counted.len(), 1, "{kind:?}: {counted:#?}");
        assert_eq!(by_store.unwrap().unwrap(), status);

        let admission = onramp.admit(&tenant, &subject).await;
        let counted = statements();
        assert_eq!(counted.len(), 1, "{kind:?}: {counted:#?}");
        assert!(matches!(admission, Admission::Onboard(NextAction::Start)));

        let other = TenantId::new("other").unwrap();
        assert_eq!(onramp.status(&other, &subject).await.unwrap(), None);
    }
}
