//! What only a database server can get wrong: many connections, cut connections.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod support;

#[path = "support/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use onramp::CommandId;
use onramp::prelude::*;
use onramp::store::{ClaimRequest, Error, ErrorKind, NotAppliedBecause, SqlOptions, WorkerId};
use proxy::Proxy;
use sqlx::{Connection as _, Executor as _, Row as _};
use support::{Company, Desk, Faults, mysql_database, postgres_database};
use tokio::task::JoinSet;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Postgres,
    MySql,
}

/// A new database on a server.
struct Database {
    kind: Kind,
    url: String,
}

impl Database {
    async fn each() -> Vec<Self> {
        let postgres = postgres_database().await;
        let mysql = mysql_database().await;
        let postgres = postgres.map(|url| (Kind::Postgres, url));
        let mysql = mysql.map(|url| (Kind::MySql, url));
        let found = postgres.into_iter().chain(mysql);
        found.map(|(kind, url)| Self { kind, url }).collect()
    }

    fn name(&self) -> &str {
        self.url.rsplit_once('/').unwrap().1
    }

    async fn open(&self, options: SqlOptions) -> Result<Arc<dyn Store>, Error> {
        Ok(match self.kind {
            Kind::Postgres => Arc::new(PostgresStore::connect_with(options).await?),
            Kind::MySql => Arc::new(MySqlStore::connect_with(options).await?),
        })
    }

    async fn store(&self) -> Arc<dyn Store> {
        self.open(SqlOptions::new(&self.url)).await.unwrap()
    }

    async fn desk(&self) -> Arc<Desk> {
        Arc::new(Desk::new(self.store().await, Faults::default()))
    }

    /// The number that a query gives, by a connection of its own.
    async fn number(&self, sql: String) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql);
        match self.kind {
            Kind::Postgres => {
                let mut on = sqlx::PgConnection::connect(&self.url).await.unwrap();
                on.fetch_one(sqlx::query(sql)).await.unwrap().get(0)
            }
            Kind::MySql => {
                let mut on = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                on.fetch_one(sqlx::query(sql)).await.unwrap().get(0)
            }
        }
    }

    /// Cuts every other connection to this database. Gives how many there were.
    async fn cut(&self) -> usize {
        let name = self.name();
        match self.kind {
            Kind::Postgres => {
                let sql = format!(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = '{name}' AND pid <> pg_backend_pid()"
                );
                self.number(sql).await.try_into().unwrap()
            }
            Kind::MySql => {
                let mut on = sqlx::MySqlConnection::connect(&self.url).await.unwrap();
                let ids = format!(
                    "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
                     WHERE db = '{name}' AND id <> CONNECTION_ID()"
                );
                let ids = sqlx::query(sqlx::AssertSqlSafe(ids));
                let ids = on.fetch_all(ids).await.unwrap();
                for row in &ids {
                    let kill = format!("KILL {}", row.get::<i64, _>(0));
                    // It may have gone by itself.
                    let _ = on.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(kill))).await;
                }
                ids.len()
            }
        }
    }

    /// How many transactions are open that do nothing.
    async fn idle_in_transaction(&self) -> i64 {
        let name = self.name();
        let sql = match self.kind {
            Kind::Postgres => format!(
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = '{name}' AND state LIKE 'idle in transaction%'"
            ),
            Kind::MySql => format!(
                "SELECT count(*) FROM information_schema.innodb_trx t \
                 JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
                 WHERE p.db = '{name}' AND p.command = 'Sleep'"
            ),
        };
        self.number(sql).await
    }
}

fn company(name: &str) -> Company {
    Company { name: name.into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_commits_at_one_revision_exactly_one_is_stored() {
    for database in Database::each().await {
        let desk = database.desk().await;
        let pending = desk.pending("org-1").await;
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        let _ = desk.onramp.commit(pending.start(clearance)).await.unwrap();
        let mut handles = Vec::new();
        for _ in 0..64 {
            handles.push(desk.open("org-1").await.into_in_progress().unwrap());
        }
        let mut commits = JoinSet::new();
        for (n, running) in handles.into_iter().enumerate() {
            let desk = Arc::clone(&desk);
            commits.spawn(async move {
                let change = running.submit(company(&format!("Acme {n}")));
                match desk.onramp.commit(change).await {
                    Ok(_) => 1,
                    Err(CommitError::Conflict(_)) => 0,
                    Err(other) => panic!("{other:?}"),
                }
            });
        }
        let won: i32 = commits.join_all().await.into_iter().sum();
        assert_eq!(won, 1, "{:?}", database.kind);
        desk.journal_holds("org-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_sent_many_times_at_once_counts_once() {
    for database in Database::each().await {
        let desk = database.desk().await;
        let before = desk.answered("org-1").await.revision();
        let command = CommandId::fresh();
        let mut handles = Vec::new();
        for _ in 0..16 {
            handles.push(desk.open("org-1").await.into_in_progress().unwrap());
        }
        let mut commits = JoinSet::new();
        for running in handles {
            let desk = Arc::clone(&desk);
            commits.spawn(async move {
                let change = running.cancel().identified(command);
                desk.onramp.commit(change).await.unwrap().revision()
            });
        }
        let revisions = commits.join_all().await;
        assert!(
            revisions.iter().all(|r| *r == before.next()),
            "{revisions:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_workers_claim_each_onboarding_once() {
    for database in Database::each().await {
        let desk = database.desk().await;
        for n in 0..40 {
            desk.paid(&format!("org-{n}")).await;
        }
        let mut claims = JoinSet::new();
        for worker in 0..8 {
            let desk = Arc::clone(&desk);
            claims.spawn(async move {
                let worker = WorkerId::new(format!("w{worker}"));
                let flow = desk.onramp.flow().plan().flow().clone();
                let minute = Duration::from_secs(60);
                let mut ids = Vec::new();
                for _ in 0..20 {
                    let claimed = desk
                        .onramp
                        .store()
                        .claim(&ClaimRequest::new(&flow, &worker).max(3).lease(minute))
                        .await;
                    ids.extend(claimed.unwrap().into_iter().map(|lease| lease.id));
                }
                ids
            });
        }
        let mut ids: Vec<_> = claims.join_all().await.into_iter().flatten().collect();
        assert_eq!(ids.len(), 40, "{:?}", database.kind);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 40, "none twice");
    }
}

#[tokio::test]
async fn keys_are_exact() {
    let alike = [
        "a.b",
        "a_b",
        "A.B",
        "a%b",
        "ab",
        "á.b",
        "a\u{301}.b",
        "ß",
        "ss",
        "'",
        "\\",
        "x",
        "x\u{200b}",
    ];
    for padded in ["a.b ", " a.b", "a.b\t", "a.b\u{a0}"] {
        assert!(SubjectId::new(padded).is_err());
    }
    for database in Database::each().await {
        let desk = database.desk().await;
        let mut ids = std::collections::BTreeSet::new();
        for subject in alike {
            ids.insert(desk.pending(subject).await.id());
        }
        assert_eq!(ids.len(), alike.len(), "{:?}", database.kind);
        for subject in alike {
            assert_eq!(
                desk.open(subject).await.into_state().key().subject.as_str(),
                subject
            );
        }
        // Exact also where a rule of ours did not forbid the padding.
        for padded in ["a.b ", "A.B  ", "a.b\u{0}"] {
            let found = match database.kind {
                Kind::Postgres if padded.contains('\0') => continue,
                Kind::Postgres | Kind::MySql => {
                    let sql = format!(
                        "SELECT count(*) FROM onramp_onboarding WHERE subject = '{padded}'"
                    );
                    database.number(sql).await
                }
            };
            assert_eq!(found, 0, "{padded:?}");
        }
    }
}

#[tokio::test]
async fn the_clock_of_the_database_counts_microseconds() {
    for database in Database::each().await {
        let desk = database.desk().await;
        desk.paid("org-1").await;
        let flow = desk.onramp.flow().plan().flow().clone();
        let store = desk.onramp.store();
        let worker = WorkerId::new("w");
        let minute = Duration::from_secs(60);
        let leases = store
            .claim(&ClaimRequest::new(&flow, &worker).max(1).lease(minute))
            .await
            .unwrap();
        // Renewed to the same moment or not: the lease is held.
        for _ in 0..20 {
            assert_eq!(store.renew(&leases, minute).await.unwrap(), leases);
        }
        let due = store.next_due(&[flow]).await.unwrap().unwrap();
        assert!(
            due <= minute && due > minute - Duration::from_secs(5),
            "{due:?}"
        );
        let sql = "SELECT due_at FROM onramp_queue".to_owned();
        let at = chrono_now() + 60_000_000;
        let stored = database.number(sql).await;
        assert!((stored - at).abs() < 5_000_000, "{stored} is far from {at}");
    }
}

fn chrono_now() -> i64 {
    use onramp::{Clock as _, SystemClock};
    SystemClock.now().timestamp_micros()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_harm_nobody_later() {
    for database in Database::each().await {
        let desk = database.desk().await;
        let database = Arc::new(database);
        let end = Instant::now() + Duration::from_secs(2);
        let mut hosts = JoinSet::new();
        for host in 0..4 {
            let desk = Arc::clone(&desk);
            hosts.spawn(async move {
                let (mut steps, mut cut) = (Vec::new(), 0);
                let mut subject = String::new();
                while Instant::now() < end {
                    if steps.len() % 3 == 0 {
                        subject = format!("org-{host}-{}", steps.len());
                    }
                    match step(&desk, &subject).await {
                        Ok(()) => steps.push(subject.clone()),
                        Err(kind) => {
                            let expected = [ErrorKind::Unavailable, ErrorKind::InDoubt];
                            assert!(expected.contains(&kind), "{kind:?}");
                            cut += 1;
                        }
                    }
                }
                (steps, cut)
            });
        }
        let mut cuts = 0;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(40)).await;
            cuts += database.cut().await;
        }
        let (mut done, mut cut) = (0, 0);
        for (subjects, failures) in hosts.join_all().await {
            (done, cut) = (done + subjects.len(), cut + failures);
            for subject in subjects.iter().rev().take(3) {
                desk.journal_holds(subject).await;
            }
        }
        let kind = database.kind;
        println!("{kind:?}: {cuts} cuts, {done} steps, {cut} failed");
        assert!(cuts > 20 && done > 20);
        for _ in 0..20 {
            step(&desk, "org-later").await.unwrap();
        }
        assert_eq!(database.idle_in_transaction().await, 0);
    }
}

/// The next step of an onboarding: it is made, started, answered; then only read.
async fn step(desk: &Desk, subject: &str) -> Result<(), ErrorKind> {
    let subject = SubjectId::new(subject).unwrap();
    let found = desk.onramp.enroll(desk.tenant(), &subject).await;
    match found.map_err(|error| error.kind())? {
        Loaded::Pending(pending) => {
            let clearance = desk.onramp.clear(&pending).await.unwrap();
            let ended = desk.onramp.commit(pending.start(clearance)).await;
            ended.map(drop).map_err(of)
        }
        Loaded::InProgress(running) if running.has::<Company>() => Ok(()),
        Loaded::InProgress(running) => {
            let ended = desk.onramp.commit(running.submit(company("Acme"))).await;
            ended.map(drop).map_err(of)
        }
        other => panic!("{:?}", other.stage()),
    }
}

fn of<F: Flow, S: onramp::lifecycle::Stage>(error: CommitError<F, S>) -> ErrorKind {
    match error {
        CommitError::NotApplied(refused) => match refused.because {
            NotAppliedBecause::Store(error) => error.kind(),
            other => panic!("{other:?}"),
        },
        CommitError::Unknown(_) => ErrorKind::InDoubt,
        CommitError::Conflict(_) => panic!("nobody else writes it"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_futures_leave_no_transaction_open() {
    for database in Database::each().await {
        let desk = database.desk().await;
        let mut finished = 0;
        for delay in 0..150 {
            let pending = desk.pending(&format!("org-{delay}")).await;
            let clearance = desk.onramp.clear(&pending).await.unwrap();
            let change = pending.start(clearance);
            let limit = Duration::from_micros(delay * 40);
            let ended = tokio::time::timeout(limit, desk.onramp.commit(change)).await;
            finished += usize::from(ended.is_ok());
        }
        println!("{:?}: {} of 150 dropped", database.kind, 150 - finished);
        assert!(finished < 150);
        // The last ones go on to their end.
        let patience = Instant::now() + Duration::from_secs(5);
        while database.idle_in_transaction().await > 0 {
            assert!(Instant::now() < patience, "{:?}", database.kind);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // A commit whose future was dropped after it began is made all the same.
        let mut started = 0;
        for delay in 0..150 {
            let subject = format!("org-{delay}");
            desk.journal_holds(&subject).await;
            started += usize::from(desk.open(&subject).await.stage() == StageKind::InProgress);
        }
        assert!(started >= finished, "{started} of {finished}");
    }
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_given_up() {
    for database in Database::each().await {
        let (_, rest) = database.url.split_once('@').unwrap();
        let proxy = Proxy::before(rest.split_once('/').unwrap().0);
        let url = proxy.url(&database.url);
        let store = database.open(SqlOptions::new(url)).await.unwrap();
        let desk = Desk::new(store, Faults::default());
        let pending = desk.pending("org-1").await;
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        proxy.silence(true);
        // From here on time passes by itself whenever nothing else happens.
        tokio::time::pause();
        let ended = desk.onramp.commit(pending.start(clearance)).await;
        // On PostgreSQL a commit is one statement: once it is sent it may be stored.
        let expected = match database.kind {
            Kind::Postgres => ErrorKind::InDoubt,
            Kind::MySql => ErrorKind::Unavailable,
        };
        assert_eq!(ended.map(drop).map_err(of), Err(expected));
        tokio::time::resume();
        proxy.silence(false);
        assert_eq!(step(&desk, "org-1").await, Ok(()));
    }
}

#[tokio::test]
async fn what_cannot_be_connected_to_is_told_without_the_password() {
    for database in Database::each().await {
        let (scheme, rest) = database.url.split_once("://").unwrap();
        let (_, at) = rest.split_once('@').unwrap();
        let (server, _) = at.rsplit_once('/').unwrap();
        let wrong = [
            format!("{scheme}://nobody:canary-7@{at}"),
            format!("{scheme}://onramp:canary-7@{server}/not_there"),
            format!("{scheme}://onramp:canary-7@{server}:x/d"),
            format!("{scheme}://onramp:canary-7@db.example.com/d"),
            "canary-7".to_owned(),
        ];
        for url in wrong {
            let error = database.open(SqlOptions::new(url.as_str())).await.err();
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("canary-7"));
        }
        let closed = format!("{scheme}://onramp:canary-7@127.0.0.1:1/d");
        let options = SqlOptions::new(closed).acquire_timeout(Duration::from_millis(300));
        let error = database.open(options).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(!format!("{error} {error:?}").contains("canary-7"));
    }
}
