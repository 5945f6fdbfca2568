//! What is stored, damaged anywhere: whoever reads it gets it, or is told that it is corrupt, and whatever
//! belongs to others is read as before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use onramp::flow::Draft;
use onramp::prelude::*;
use onramp::store::{Error, ErrorKind, FactRecord, JournalEntry, Row, ScanRequest, Unverified};
use onramp::vault::{LocalKeys, Secret, Vault};
use onramp::{Clock as _, Reason, Revision, SecretName, SystemClock};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

use super::dice::{Dice, Hunt};
use super::flows::lived_by;
use super::mutate;
use crate::support::{Company, Desk, Faults};

const API_KEY: SecretName = SecretName::from_static("api_key");

/// What is in a fact and must not be in an error.
pub(super) const CANARY: &str = "canary7";

/// Subjects, each in another state.
const SUBJECTS: [&str; 9] = [
    "pending",
    "drafted",
    "answered",
    "waiting",
    "completed",
    "failed",
    "undoing",
    "parked",
    "secretive",
];

pub(super) fn company() -> Company {
    Company {
        name: format!("Acme {CANARY}"),
    }
}

/// A file with an onboarding in each state, and hands to damage it.
pub(super) struct Damaged {
    pub(super) desk: Desk,
    pub(super) raw: SqliteConnection,
    vault: Vault,
    _folder: tempfile::TempDir,
}

/// One value, somewhere in the file.
pub(super) struct Cell {
    table: String,
    place: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.place)
    }
}

impl Damaged {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onboarding.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).await.unwrap());
        let keys = "k1 = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
        let vault = Vault::new(Arc::clone(&store), LocalKeys::parse(keys).unwrap());
        let desk = Desk::new(store, Faults::default());
        let raw = connect(&path).await;
        let mut damaged = Self {
            desk,
            raw,
            vault,
            _folder: folder,
        };
        damaged.fill().await;
        for table in damaged.tables().await {
            let keep = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
            damaged.run(keep).await.unwrap();
        }
        damaged
    }

    async fn fill(&self) {
        let desk = &self.desk;
        let onramp = &desk.onramp;
        let draft = Draft::<Company>::new().with("name", CANARY).unwrap();
        let _ = desk.pending("pending").await;
        let drafted = desk.pending("drafted").await;
        let _ = onramp.commit(drafted.draft(&draft)).await.unwrap();
        for subject in ["waiting", "parked"] {
            let _ = self.running(subject).await;
        }
        desk.paid("completed").await;
        desk.engine().run_until_idle().await.unwrap();
        desk.faults.lock().unwrap().fatal = 1;
        desk.paid("failed").await;
        desk.engine().run_until_idle().await.unwrap();
        let running = desk.open("parked").await.into_in_progress().unwrap();
        let reason = Reason::new("ticket-1").unwrap();
        let _ = onramp.commit(running.park(reason, "ann")).await.unwrap();
        let secretive = self.running("secretive").await;
        let (tenant, id) = (desk.tenant().clone(), secretive.id());
        let secret = Secret::from(CANARY.to_owned());
        self.vault
            .keep(&tenant, id, &API_KEY, secret)
            .await
            .unwrap();
        let undoing = self.running("undoing").await;
        let undoing = onramp.commit(undoing.cancel::<InProgress>()).await.unwrap();
        assert!(undoing.stage().undoing.is_some());
        let _ = self.running("answered").await;
    }

    async fn running(&self, subject: &str) -> Onboarding<crate::support::Workspace, InProgress> {
        let pending = self.desk.pending(subject).await;
        let clearance = self.desk.onramp.clear(&pending).await.unwrap();
        let running = self
            .desk
            .onramp
            .commit(pending.start(clearance))
            .await
            .unwrap();
        self.desk
            .onramp
            .commit(running.submit(company()))
            .await
            .unwrap()
    }

    async fn tables(&mut self) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'onramp%' \
                   AND name NOT LIKE '%schema%'";
        let rows = sqlx::query(sql).fetch_all(&mut self.raw).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn run(&mut self, sql: String) -> Result<u64, sqlx::Error> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut self.raw)
            .await?;
        Ok(done.rows_affected())
    }

    /// Puts everything back as it was.
    async fn mend(&mut self, cell: &Cell) {
        let table = &cell.table;
        let mend = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
        self.run(mend).await.unwrap();
    }
}

pub(super) async fn connect(path: &std::path::Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Changes one value in one of these tables. None when the database itself refuses what it would become.
pub(super) async fn damage(
    dice: &mut Dice,
    on: &mut SqliteConnection,
    tables: &[String],
    of: &str,
) -> Option<Cell> {
    let table = dice.pick(tables).clone();
    let columns = format!("SELECT name, pk FROM pragma_table_info('{table}')");
    let columns = sqlx::query(AssertSqlSafe(columns))
        .fetch_all(&mut *on)
        .await
        .unwrap();
    let names: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
    let keys: Vec<String> = columns
        .iter()
        .filter(|row| row.get::<i64, _>(1) > 0)
        .map(|row| row.get(0))
        .collect();
    let column = dice.pick(&names).clone();
    let literals = keys.iter().map(|key| format!("'{key} = ' || quote({key})"));
    let place = literals.collect::<Vec<_>>().join(" || ' AND ' || ");
    let rows = format!(
        "SELECT {place}, typeof({column}), CAST({column} AS BLOB) FROM {table} WHERE {of} ORDER BY 1"
    );
    let rows = sqlx::query(AssertSqlSafe(rows))
        .fetch_all(&mut *on)
        .await
        .unwrap();
    if rows.is_empty() {
        return None;
    }
    let row = dice.pick(&rows);
    // Not a second time where a name is damaged already: it cannot be named any more.
    let place: String = row.try_get(0).ok()?;
    let kind: String = row.get(1);
    let was: Vec<u8> = row.get::<Option<Vec<u8>>, _>(2).unwrap_or_default();
    let is = match kind.as_str() {
        "integer" => {
            let odd = [
                i64::MIN,
                -1,
                0,
                1,
                i64::from(u32::MAX) + 1,
                i64::MAX,
                dice.number() as i64,
            ];
            dice.pick(&odd).to_string()
        }
        "blob" => format!("x'{}'", hex(&mutate::bytes(dice, &was))),
        _ => {
            let was = String::from_utf8(was).unwrap();
            let is = match was.starts_with(['{', '[']) {
                true => mutate::json(dice, &was).into_bytes(),
                false => mutate::bytes(dice, was.as_bytes()),
            };
            format!("CAST(x'{}' AS TEXT)", hex(&is))
        }
    };
    let update = format!("UPDATE {table} SET {column} = {is} WHERE {place}");
    let done = sqlx::raw_sql(AssertSqlSafe(update)).execute(on).await;
    // Two rows of one key, say, which no fault of a disk makes either.
    done.ok()?;
    let place = format!("{column} = {is} where {place}");
    Some(Cell { table, place })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives what was read, or holds that the error is one of damage which quotes nothing.
fn told<T>(cell: &Cell, read: Result<T, Error>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{cell}: {error:?}");
            let all = format!("{error} {error:?}");
            assert!(!all.contains(CANARY), "{cell}: {all}");
            None
        }
    }
}

/// Everything that is stored of an onboarding.
type Whole = (
    Option<Row>,
    Vec<JournalEntry>,
    Vec<(String, String, [u8; 16])>,
);

fn plain(facts: Vec<FactRecord>) -> Vec<(String, String, [u8; 16])> {
    let plain = |fact: FactRecord| {
        let (step, json) = (fact.fact.step().to_string(), fact.fact.json().to_owned());
        (step, json, fact.salt)
    };
    let mut plain: Vec<_> = facts.into_iter().map(plain).collect();
    plain.sort();
    plain
}

impl Damaged {
    /// Reads an onboarding. Gives what it is, if it can be read wholly.
    async fn read(&self, cell: &Cell, id: OnboardingId) -> Option<Whole> {
        let (store, tenant) = (self.desk.onramp.store(), self.desk.tenant());
        let row = told(cell, store.load(tenant, id).await);
        let journal = told(cell, store.journal(tenant, id, Revision::new(0), 99).await);
        let facts = told(cell, store.facts(tenant, id).await);
        for entry in journal.iter().flatten() {
            told(cell, entry.decode());
        }
        Some((row?, journal?, plain(facts?)))
    }

    /// Reads an onboarding in every other way there is, and lives by it.
    async fn use_it(&self, cell: &Cell, subject: &str, id: OnboardingId) {
        let (onramp, tenant) = (&self.desk.onramp, self.desk.tenant());
        let store = onramp.store();
        let name = SubjectId::new(subject).unwrap();
        let row = told(cell, store.load(tenant, id).await).flatten();
        let found = told(cell, onramp.open(tenant, &name).await).flatten();
        told(cell, store.of_subject(tenant, &name).await);
        told(cell, store.progress(tenant, id).await);
        told(cell, onramp.fact::<Company>(tenant, id).await);
        told(cell, onramp.draft::<Company>(tenant, id).await);
        told(cell, onramp.status(tenant, &name).await);
        told(cell, onramp.explain(tenant, id).await);
        told(cell, store.export_subject(tenant, &name).await);
        let _ = onramp.admit(tenant, &name).await;
        if let Err(Unverified::Store(error)) = onramp.verify_journal(tenant, id).await {
            told::<()>(cell, Err(error));
        }
        if let Err(why) = self.vault.open(tenant, id, &API_KEY).await {
            let all = format!("{why} {why:?}");
            assert!(!all.contains(CANARY), "{cell}: {all}");
        }
        let states = row.map(|row| row.state).into_iter();
        for state in states.chain(found.map(Loaded::into_state)) {
            for plan in [onramp.flow().plan(), &super::flows::plan()] {
                lived_by(&state, plan, SystemClock.now());
            }
        }
    }

    /// Reads what is asked of all onboardings together.
    async fn read_all(&self, cell: &Cell) {
        let onramp = &self.desk.onramp;
        let store = onramp.store();
        let flow = onramp.flow().plan().flow();
        told(cell, store.list(None, 99).await);
        told(cell, store.scan(&ScanRequest::new(flow).limit(99)).await);
        told(cell, store.next_due(std::slice::from_ref(flow)).await);
        told(cell, store.next_outbox().await);
        told(cell, store.dead_outbox(99).await);
        told(cell, store.outbox_lag().await);
        let day = Duration::from_secs(86_400);
        told(cell, onramp.doctor(day).await);
        told(cell, onramp.stuck(Duration::ZERO, 99).await);
        told(
            cell,
            onramp.funnel(&onramp::insight::Cohort::everyone()).await,
        );
        if let Ok(rewrapped) = self.vault.rewrap_all().await {
            assert!(rewrapped.failed.len() <= SUBJECTS.len());
        }
    }
}

#[test]
fn damage_is_told_of_the_one_it_is_in_and_panics_nobody() {
    let hunt = Hunt::named("damage_is_told_of_the_one_it_is_in_and_panics_nobody");
    let mut damaged = hunt.runtime.block_on(Damaged::new());
    let (tables, known) = hunt.runtime.block_on(async {
        let tables = damaged.tables().await;
        let tables: Vec<_> = tables
            .into_iter()
            .filter(|table| table.starts_with("onramp_"))
            .collect();
        let none = Cell {
            table: String::new(),
            place: String::new(),
        };
        let mut known = BTreeMap::new();
        for subject in SUBJECTS {
            let id = damaged.desk.open(subject).await.id();
            let whole = damaged.read(&none, id).await.unwrap();
            known.insert(subject, (id, whole));
        }
        (tables, known)
    });
    let mut corrupt = 0;
    hunt.run(async |dice: &mut Dice| {
        let Some(cell) = damage(dice, &mut damaged.raw, &tables, "TRUE").await else {
            return;
        };
        let mut changed = Vec::new();
        for (subject, (id, whole)) in &known {
            if damaged.read(&cell, *id).await.as_ref() != Some(whole) {
                changed.push(*subject);
            }
        }
        let looked_at = changed.first().copied();
        let looked_at = looked_at.unwrap_or_else(|| SUBJECTS[dice.below(SUBJECTS.len())]);
        damaged.use_it(&cell, looked_at, known[looked_at].0).await;
        damaged.read_all(&cell).await;
        assert!(changed.len() <= 1, "{cell} is in {changed:?}");
        corrupt += changed.len();
        damaged.mend(&cell).await;
    });
    println!("{corrupt} of them were damage to be told of");
}
