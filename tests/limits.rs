//! What is over a limit is refused before any database sees it, in words that say which and by how
//! much; and what a database holds that is no text is told as damage.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use onramp::flow::{EncodedFact, MAX_FACT_BYTES, MAX_FACT_DEPTH, Unstorable};
use onramp::lifecycle::InvalidFact;
use onramp::prelude::*;
use onramp::store::{ClaimRequest, ErrorKind, NotAppliedBecause, WorkerId};
use onramp::{FlowName, Key};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::database::{Database, Kind};
use support::opened::Opened;
use support::{Company, Desk, Faults, each_store};

struct Import;
impl Flow for Import {
    const NAME: &'static str = "import";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Sheet(Value);
impl Step for Sheet {
    const NAME: &'static str = "sheet";
}
impl Answer<Import> for Sheet {}

#[derive(Serialize, Deserialize)]
struct Parsed(Value);
impl Step for Parsed {
    const NAME: &'static str = "parse";
}

/// Gives what it was told to, and counts.
#[derive(Clone, Default)]
struct Parse {
    gives: Value,
    ran: Arc<AtomicU32>,
    undone: Arc<AtomicU32>,
}
impl Task<Import> for Parse {
    type Needs = Sheet;
    type Output = Parsed;

    async fn run(&self, _: &TaskContext, _: Sheet) -> Result<Parsed, TaskError> {
        self.ran.fetch_add(1, SeqCst);
        Ok(Parsed(self.gives.clone()))
    }

    async fn undo(&self, _: &TaskContext, made: Option<Parsed>) -> Result<(), TaskError> {
        assert!(made.is_none(), "it was never stored");
        self.undone.fetch_add(1, SeqCst);
        Ok(())
    }
}

async fn started(
    store: Arc<dyn Store>,
    parse: Parse,
) -> (Onramp<Import>, Onboarding<Import, InProgress>) {
    let flow = Import::steps().ask::<Sheet>().run(parse).build().unwrap();
    let onramp = Onramp::shared(store, flow);
    let (tenant, subject) = ids();
    let found = onramp.enroll(&tenant, &subject).await.unwrap();
    let pending = found.into_pending().unwrap();
    let clearance = onramp.clear(&pending).await.unwrap();
    let running = onramp.commit(pending.start(clearance)).await.unwrap();
    (onramp, running)
}

fn ids() -> (TenantId, SubjectId) {
    let subject = SubjectId::new("org-1").unwrap();
    (TenantId::new("acme").unwrap(), subject)
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

/// Each way to be over a limit.
fn over() -> [(Value, Unstorable); 3] {
    let (bytes, levels) = (MAX_FACT_BYTES + 1, MAX_FACT_DEPTH + 1);
    let large = Unstorable::TooLarge {
        bytes,
        limit: 262_144,
    };
    [
        (json!("x".repeat(bytes - 2)), large),
        (nested(levels), Unstorable::TooDeep { levels, limit: 32 }),
        (json!({"a": ["b\0"]}), Unstorable::Nul),
    ]
}

#[tokio::test]
async fn an_answer_over_a_limit_is_given_back() {
    for store in each_store().await {
        let (onramp, mut running) = started(store, Parse::default()).await;
        let revision = running.revision();
        for (value, expected) in over() {
            let Err(CommitError::NotApplied(not)) =
                onramp.commit(running.submit(Sheet(value))).await
            else {
                panic!("{expected} was taken");
            };
            let NotAppliedBecause::Invalid(InvalidFact::Encoding(error)) = &not.because else {
                panic!("{}", not.because);
            };
            assert_eq!(error.unstorable(), Some(&expected));
            assert!(error.to_string().ends_with(&expected.to_string()));
            running = not.onboarding;
        }
        assert_eq!(running.revision(), revision);
        let facts = onramp.store().facts(&ids().0, running.id()).await.unwrap();
        assert!(facts.is_empty());
        // Exactly at the limits it is taken.
        let fits = json!([nested(MAX_FACT_DEPTH - 1), ""]);
        let room = MAX_FACT_BYTES - fits.to_string().len();
        let fits = json!([nested(MAX_FACT_DEPTH - 1), "x".repeat(room)]);
        assert_eq!(fits.to_string().len(), MAX_FACT_BYTES);
        let running = onramp.commit(running.submit(Sheet(fits))).await.unwrap();
        assert_eq!(running.revision(), revision.next());
    }
}

#[tokio::test]
async fn the_messages_say_what_how_much_and_the_limit() {
    let said: Vec<_> = over()
        .into_iter()
        .map(|(value, _)| EncodedFact::encode(&Sheet(value)).unwrap_err().to_string())
        .collect();
    let expected = [
        "fact of step \"sheet\" is 262145 bytes of JSON: at most 262144 are stored",
        "fact of step \"sheet\" is nested 33 levels deep: at most 32 are stored",
        "fact of step \"sheet\" contains a NUL character: remove it",
    ];
    assert_eq!(said, expected);
}

/// A worker cannot give it back: another attempt would make the same.
#[tokio::test]
async fn a_task_whose_result_is_over_a_limit_fails_and_is_undone_once() {
    for (gives, _) in over() {
        let parse = Parse {
            gives,
            ..Parse::default()
        };
        let (onramp, running) = started(Arc::new(MemoryStore::new()), parse.clone()).await;
        let _ = onramp.commit(running.submit(Sheet(json!(1)))).await;
        let engine = Engine::builder(Arc::clone(onramp.store()))
            .flow(onramp.flow())
            .build();
        let working = tokio::time::timeout(Duration::from_secs(20), engine.run_until_idle());
        working.await.unwrap().unwrap();
        let (tenant, subject) = ids();
        let found = onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let state = found.into_state();
        let failure = &state.failed().unwrap().failure;
        assert_eq!(failure.code(), "result_not_storable");
        assert_eq!((parse.ran.load(SeqCst), parse.undone.load(SeqCst)), (1, 1));
    }
}

/// A store that was closed can ask no database.
#[tokio::test]
async fn names_are_refused_before_any_database_is_asked() {
    let database = Database::sqlite();
    let store = SqliteStore::open(database.path()).await.unwrap();
    store.close().await;
    let (tenant, subject) = ids();
    let worker = WorkerId::new("w");
    for (name, expected) in [
        ("import", ErrorKind::Unavailable),
        ("import ", ErrorKind::Invalid),
        ("Import", ErrorKind::Invalid),
        ("im\0port", ErrorKind::Invalid),
        ("", ErrorKind::Invalid),
    ] {
        let flow = FlowName::from_text(name);
        let key = Key {
            tenant: tenant.clone(),
            flow: flow.clone(),
            subject: subject.clone(),
        };
        let errors = [
            store.find(&key).await.unwrap_err(),
            store
                .next_due(std::slice::from_ref(&flow))
                .await
                .unwrap_err(),
            store
                .claim(&ClaimRequest::new(&flow, &worker))
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), expected, "{name:?}: {error:?}");
        }
    }
    let flow = FlowName::from_static("import");
    for name in ["a\0b", "a\nb", &"x".repeat(129)] {
        let claimed = store
            .claim(&ClaimRequest::new(&flow, &WorkerId::new(name)))
            .await;
        assert_eq!(claimed.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

/// PostgreSQL cannot hold such bytes.
#[tokio::test]
async fn bytes_that_are_no_text_are_damage_of_that_one() {
    for database in Database::each().await {
        let (state, payload, by) = match database.kind {
            Kind::Postgres => continue,
            Kind::Sqlite => (
                "CAST(x'22ff22' AS TEXT)",
                "CAST(x'22ff22' AS TEXT)",
                "CAST(x'ff' AS TEXT)",
            ),
            // Its columns of text refuse such bytes; those of keys and names are bytes.
            Kind::MySql => ("'\"'", "'\"'", "x'ff'"),
        };
        let desk = Desk::new(
            Opened::new(&database).store().await.unwrap(),
            Faults::default(),
        );
        let (bad, good) = (desk.answered("bad").await.id(), desk.answered("good").await);
        let of_bad = "(SELECT id FROM onramp_onboarding WHERE subject = 'bad')";
        for change in [
            format!("UPDATE onramp_fact SET payload = {payload} WHERE onboarding = {of_bad}"),
            format!("UPDATE onramp_journal SET given_by = {by} WHERE onboarding = {of_bad}"),
            format!("UPDATE onramp_onboarding SET state = {state} WHERE subject = 'bad'"),
        ] {
            database.run(&change).await;
        }
        let store = desk.onramp.store();
        let (tenant, start) = (desk.tenant(), onramp::Revision::new(0));
        let errors = [
            store.load(tenant, bad).await.unwrap_err(),
            store.facts(tenant, bad).await.unwrap_err(),
            store.journal(tenant, bad, start, 9).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
            assert!(error.to_string().contains(&bad.to_string()), "{error}");
        }
        let fine = store.facts(tenant, good.id()).await.unwrap();
        assert_eq!(fine[0].fact.decode::<Company>().unwrap().name, "Acme");
    }
}
