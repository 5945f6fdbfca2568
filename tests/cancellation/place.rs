//! A database with a store on it that has one connection, and what must hold of it whatever was dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::lifecycle::Happened;
use onramp::prelude::*;
use onramp::store::{OutboxMessage, SqlOptions, Unverified};
use onramp::vault::{LocalKeys, Vault};
use onramp::{FlowName, Revision, SecretName};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::support::database::{Database, Kind};
use crate::support::{Company, Desk, Faults, Paid, Workspace};

pub(crate) static API_KEY: SecretName = SecretName::from_static("api_key");

pub(crate) const OLD: &str =
    "old = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
pub(crate) const NEW: &str = "new = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=";

/// A store, by its type.
pub(crate) enum Opened {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
    MySql(MySqlStore),
}

/// What was delivered, by onboarding: topics by the messages' identities.
#[derive(Default)]
pub(crate) struct Post(Mutex<BTreeMap<OnboardingId, BTreeMap<uuid::Uuid, String>>>);

#[async_trait::async_trait]
impl Notifier for Post {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let mut told = self.0.lock().unwrap();
        let of = told.entry(message.onboarding).or_default();
        of.insert(message.id, message.topic.clone());
        Ok(())
    }
}

pub(crate) struct Place {
    pub(crate) database: Database,
    pub(crate) opened: Opened,
    pub(crate) desk: Desk,
    pub(crate) vault: Vault,
    pub(crate) post: Arc<Post>,
}

impl Place {
    pub(crate) async fn each() -> Vec<Self> {
        let mut places = Vec::new();
        for database in Database::each().await {
            places.push(Self::on(database).await);
        }
        places
    }

    async fn on(database: Database) -> Self {
        let options = || SqlOptions::new(&database.url).max_connections(1);
        let (opened, store): (_, Arc<dyn Store>) = match database.kind {
            Kind::Sqlite => {
                let store = SqliteStore::open(database.path()).await.unwrap();
                (Opened::Sqlite(store.clone()), Arc::new(store))
            }
            Kind::Postgres => {
                let store = PostgresStore::connect_with(options()).await.unwrap();
                (Opened::Postgres(store.clone()), Arc::new(store))
            }
            Kind::MySql => {
                let store = MySqlStore::connect_with(options()).await.unwrap();
                (Opened::MySql(store.clone()), Arc::new(store))
            }
        };
        Self {
            vault: Vault::new(Arc::clone(&store), LocalKeys::parse(OLD).unwrap()),
            desk: Desk::new(store, Faults::default()),
            database,
            opened,
            post: Arc::default(),
        }
    }

    pub(crate) fn onramp(&self) -> &Onramp<Workspace> {
        &self.desk.onramp
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        self.desk.onramp.store()
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        self.desk.tenant()
    }

    pub(crate) fn flow(&self) -> FlowName {
        self.onramp().flow().plan().flow().clone()
    }

    /// Started, with nothing given.
    pub(crate) async fn started(&self, subject: &str) -> Onboarding<Workspace, InProgress> {
        let pending = self.desk.pending(subject).await;
        let clearance = self.onramp().clear(&pending).await.unwrap();
        self.onramp()
            .commit(pending.start(clearance))
            .await
            .unwrap()
    }

    /// With a secret.
    pub(crate) async fn secretive(&self, subject: &str) -> OnboardingId {
        let id = self.desk.answered(subject).await.id();
        let kept = self
            .vault
            .keep(self.tenant(), id, &API_KEY, "sk-1".to_owned().into());
        kept.await.unwrap();
        id
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::builder(Arc::clone(self.store()))
            .notifier(Arc::clone(&self.post))
            // A dropped one leaves its messages hidden for so long.
            .timeout(Duration::from_millis(100))
            .poll(Duration::from_millis(5))
            .build()
    }

    /// The store answers and writes, and what it has of a subject is as its journal says.
    pub(crate) async fn is_well(&self, subject: &str) {
        let patience = Duration::from_secs(20);
        let well = tokio::time::timeout(patience, async {
            let name = SubjectId::new(subject).unwrap();
            for listed in self.store().of_subject(self.tenant(), &name).await.unwrap() {
                let verified = self.onramp().verify_journal(self.tenant(), listed.id).await;
                // Or it has just been deleted after all.
                let well = matches!(verified, Ok(_) | Err(Unverified::Absent));
                assert!(well, "{subject}: {verified:?}");
            }
            let _ = self.desk.enrolled(&format!("after {subject}")).await;
        });
        assert!(
            well.await.is_ok(),
            "after {subject} the store does not answer"
        );
    }

    /// No transaction is open that does nothing.
    pub(crate) async fn is_at_rest(&self, after: &str) {
        let name = self.database.url.rsplit_once('/').unwrap().1;
        let sql = match self.database.kind {
            Kind::Sqlite => return self.sqlite_is_free(after).await,
            Kind::Postgres => format!(
                "SELECT query FROM pg_stat_activity \
                 WHERE datname = '{name}' AND state LIKE 'idle in transaction%'"
            ),
            Kind::MySql => format!(
                "SELECT CONCAT(t.trx_started, ' ', COALESCE(t.trx_query, '')) \
                 FROM information_schema.innodb_trx t \
                 JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
                 WHERE p.db = '{name}' AND p.command = 'Sleep'"
            ),
        };
        let begun = Instant::now();
        loop {
            let open = self.database.texts(&sql).await;
            if open.is_empty() {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "after {after}: {open:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Another process may write, and nobody reads what is old.
    async fn sqlite_is_free(&self, after: &str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&self.database.url)
            .busy_timeout(Duration::from_secs(10));
        let mut raw = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        for sql in ["BEGIN IMMEDIATE", "ROLLBACK"] {
            let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut raw).await;
            assert!(ran.is_ok(), "after {after}: {ran:?}");
        }
        raw.close().await.unwrap();
    }

    /// Whatever was begun can be ended: all work is done, every message is delivered, every journal holds.
    pub(crate) async fn is_wholly_well(&self) {
        let hour = Duration::from_secs(60);
        let all = async {
            self.desk.engine().run_until_idle().await.unwrap();
            self.relay().run_until_idle().await.unwrap();
        };
        tokio::time::timeout(hour, all).await.unwrap();
        let mut after = None;
        let mut seen = 0;
        loop {
            let page = self.store().list(after, 200).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for listed in page.iter().filter(|listed| listed.key.flow == self.flow()) {
                self.is_told_of(listed.id, listed.key.tenant.clone()).await;
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen} onboardings");
    }

    /// Every message that its journal asks for was delivered, and no other.
    async fn is_told_of(&self, id: OnboardingId, tenant: TenantId) {
        let verified = self.onramp().verify_journal(&tenant, id).await;
        assert!(verified.is_ok(), "{verified:?}");
        let journal = self
            .store()
            .journal(&tenant, id, Revision::new(0), 999)
            .await;
        let mut due = BTreeSet::new();
        for entry in journal.unwrap() {
            for event in entry.decode().unwrap() {
                let told = matches!(
                    event.happened,
                    Happened::Started
                        | Happened::Completed
                        | Happened::Reopened { .. }
                        | Happened::Failed { .. }
                        | Happened::Retried
                );
                if told {
                    let topic = event.happened.name();
                    let name = format!("{}#{topic}", entry.revision);
                    due.insert(uuid::Uuid::new_v5(&id.as_uuid(), name.as_bytes()));
                }
            }
        }
        let told = self.post.0.lock().unwrap().get(&id).cloned();
        let told: BTreeSet<_> = told.unwrap_or_default().into_keys().collect();
        assert_eq!(told, due, "of {id}");
    }
}

pub(crate) fn company() -> Company {
    Company {
        name: "Acme".into(),
    }
}

pub(crate) fn paid() -> Paid {
    Paid {
        invoice: "inv-1".into(),
    }
}

pub(crate) fn subject(text: &str) -> SubjectId {
    SubjectId::new(text).unwrap()
}

/// In a transaction of the host's, which is rolled back when it was not waited for, and committed otherwise.
macro_rules! in_a_transaction {
    ($place:ident, $joined:ident => $work:expr) => {
        match &$place.opened {
            Opened::Sqlite(store) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(&$place.database.url)
                    .busy_timeout(Duration::from_secs(10));
                let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
                let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
                let mut $joined = store.join(&mut transaction);
                $work;
                transaction.commit().await.unwrap();
            }
            Opened::Postgres(store) => {
                let pool = sqlx::PgPool::connect(&$place.database.url).await.unwrap();
                let mut transaction = pool.begin().await.unwrap();
                let mut $joined = store.join(&mut transaction);
                $work;
                transaction.commit().await.unwrap();
            }
            Opened::MySql(store) => {
                let pool = sqlx::MySqlPool::connect(&$place.database.url)
                    .await
                    .unwrap();
                let mut transaction = pool.begin().await.unwrap();
                let mut $joined = store.join(&mut transaction);
                $work;
                transaction.commit().await.unwrap();
            }
        }
    };
}

impl Place {
    pub(crate) async fn enrolled_in(&self, who: &str) {
        let name = subject(who);
        in_a_transaction!(self, joined => {
            self.onramp().enroll_in(&mut joined, self.tenant(), &name).await.unwrap()
        });
    }

    pub(crate) async fn committed_in(&self, running: Onboarding<Workspace, InProgress>) {
        in_a_transaction!(self, joined => {
            self.onramp().commit_in(&mut joined, running.submit(company())).await.unwrap()
        });
    }
}
