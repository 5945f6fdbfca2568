//! What a look at one onboarding takes, and at all of them, on SQLite.
//!
//! `scripts/bench funnel` is a quick run; the real size is `scripts/bench funnel --onboardings 1000000`.
//!
//! - `status`: one onboarding by its subject, from call to answer.
//! - `funnel`: all; those created in a tenth of the time; those of one tenant in a hundred.
//! - `stuck`: those waiting longest, of all.
//!
//! The rows are copies of real ones, with identities, tenants and subjects of their own, filled in by
//! SQL; their facts and journals are left out, because nobody here reads them.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use onramp::engine::Engine;
use onramp::flow::Definition;
use onramp::insight::Cohort;
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use sqlx::Executor as _;

#[derive(Parser)]
struct Args {
    /// How many onboardings are stored.
    #[arg(long, default_value_t = 20_000)]
    onboardings: u64,
    /// How many are looked at one by one.
    #[arg(long, default_value_t = 2_000)]
    reads: u64,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

const TENANTS: u64 = 100;

/// When the first one was created; the others follow, a second apart.
const START: i64 = 1_700_000_000;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

macro_rules! fact {
    ($fact:ident $name:literal) => {
        #[derive(Serialize, Deserialize)]
        struct $fact(String);
        impl Step for $fact {
            const NAME: &'static str = $name;
        }
    };
}

fact!(Company "company");
fact!(Branding "branding");
fact!(Paid "payment");
fact!(Dataset "create_dataset");
fact!(Site "build_site");
impl Answer<Signup> for Company {}
impl Answer<Signup> for Branding {}
impl Evidence<Signup> for Paid {}

const NO_ROOM: Problem = Problem::new("no_room", "There is no room for you.");

struct MakeDataset;
impl Task<Signup> for MakeDataset {
    type Needs = Company;
    type Output = Dataset;

    async fn run(&self, _: &TaskContext, company: Company) -> Result<Dataset, TaskError> {
        Ok(Dataset(company.0))
    }

    async fn undo(&self, _: &TaskContext, _: Option<Dataset>) -> Result<(), TaskError> {
        Ok(())
    }
}

struct MakeSite;
impl Task<Signup> for MakeSite {
    type Needs = (Company, Paid);
    type Output = Site;

    async fn run(&self, _: &TaskContext, needs: (Company, Paid)) -> Result<Site, TaskError> {
        match needs.0.0.as_str() {
            "too large" => Err(TaskError::fatal(NO_ROOM, "507")),
            name => Ok(Site(name.to_owned())),
        }
    }

    async fn undo(&self, _: &TaskContext, _: Option<Site>) -> Result<(), TaskError> {
        Ok(())
    }
}

fn flow() -> Definition<Signup> {
    let steps = Signup::steps().ask::<Company>().ask_optional::<Branding>();
    let steps = steps.run(MakeDataset).expect::<Paid>().run(MakeSite);
    steps.build().unwrap()
}

/// What is stored of one onboarding, with marks where it says whose it is.
struct Template {
    revision: i64,
    stage: String,
    state: String,
}

/// One for each of ten: one enrolled, two started, one answered, one waiting for a payment, one failed,
/// four completed.
async fn templates() -> Vec<Template> {
    let onramp = Onramp::new(MemoryStore::new(), flow());
    let engine = Engine::builder(Arc::clone(onramp.store()));
    let engine = engine.flow(onramp.flow()).build();
    let tenant = TenantId::new("THE-TENANT").unwrap();
    let mut all = Vec::new();
    for n in 0..10 {
        let subject = SubjectId::new(format!("THE-SUBJECT-{n}")).unwrap();
        let pending = onramp.enroll(&tenant, &subject).await.unwrap();
        let pending = pending.into_pending().unwrap();
        if n > 0 {
            let clearance = onramp.clear(&pending).await.unwrap();
            let mut running = onramp.commit(pending.start(clearance)).await.unwrap();
            let name = if n == 5 { "too large" } else { "Acme" };
            if n > 2 {
                let answer = running.submit(Company(name.to_owned()));
                running = onramp.commit(answer).await.unwrap();
            }
            if n > 3 {
                running = onramp.commit(running.skip::<Branding>()).await.unwrap();
            }
            if n > 4 {
                let _ = onramp
                    .commit(running.attest(Paid("1".into())))
                    .await
                    .unwrap();
            }
            engine.run_until_idle().await.unwrap();
        }
        let found = onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let (id, stage) = (found.id().to_string(), found.stage().to_string());
        let state = found.into_state();
        let revision = i64::try_from(state.revision().get()).unwrap();
        let text = serde_json::to_string(&state).unwrap();
        let state = text
            .replace(&id, "THE-ID")
            .replace(subject.as_str(), "THE-SUBJECT");
        all.push(Template {
            revision,
            stage,
            state,
        });
    }
    all
}

async fn fill(path: &Path, many: u64) {
    let url = format!("sqlite://{}", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let mut on = pool.acquire().await.unwrap();
    on.execute("PRAGMA synchronous = OFF").await.unwrap();
    on.execute("CREATE TEMP TABLE template (n INTEGER PRIMARY KEY, revision, stage, state)")
        .await
        .unwrap();
    for (n, template) in templates().await.into_iter().enumerate() {
        sqlx::query("INSERT INTO template VALUES ($1, $2, $3, $4)")
            .bind(i64::try_from(n).unwrap())
            .bind(template.revision)
            .bind(template.stage)
            .bind(template.state)
            .execute(&mut *on)
            .await
            .unwrap();
    }
    for from in (0..many).step_by(100_000) {
        let to = many.min(from + 100_000);
        // A UUID version 7 of its second.
        let sql = "WITH RECURSIVE s (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < $2), \
            i (n, tenant, subject, ms) AS (SELECT n, 't-' || (n % $3), 's-' || n, ($4 + n) * 1000 FROM s), \
            k (n, tenant, subject, id) AS (SELECT n, tenant, subject, \
              printf('%08x-%04x-7000-8000-%012x', ms >> 16, ms & 65535, n) FROM i) \
            INSERT INTO onramp_onboarding (id, tenant, flow, subject, active, revision, stage, fence, \
              state, head, created_at, updated_at) \
            SELECT unhex(k.id, '-'), k.tenant, 'signup', k.subject, 1, t.revision, t.stage, 0, \
              replace(replace(replace(t.state, 'THE-ID', k.id), 'THE-TENANT', k.tenant), \
                'THE-SUBJECT', k.subject), randomblob(32), 0, 0 \
            FROM k JOIN template t ON t.n = k.n % 10 ORDER BY k.n";
        sqlx::query(sql)
            .bind(i64::try_from(from).unwrap())
            .bind(i64::try_from(to).unwrap())
            .bind(i64::try_from(TENANTS).unwrap())
            .bind(START)
            .execute(&mut *on)
            .await
            .unwrap();
    }
    on.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    drop(on);
    pool.close().await;
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("onboarding.db");
    let store = SqliteStore::open(&path).await.unwrap();
    fill(&path, args.onboardings).await;
    let onramp = Onramp::new(store, flow());
    let many = args.onboardings;

    let mut times = Vec::new();
    for n in 0..args.reads {
        // All over the table.
        let n = n.wrapping_mul(7_919_777) % many;
        let tenant = TenantId::new(format!("t-{}", n % TENANTS)).unwrap();
        let subject = SubjectId::new(format!("s-{n}")).unwrap();
        let begun = Instant::now();
        let found = onramp.open(&tenant, &subject).await.unwrap();
        times.push(begun.elapsed());
        assert!(found.is_some());
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!(
        "status of one in {many}: p50 {:.3} ms, p99 {:.3} ms",
        millis(at(50)),
        millis(at(99))
    );

    let at = |n: u64| -> DateTime<Utc> {
        let seconds = TimeDelta::seconds(i64::try_from(n).unwrap());
        DateTime::from_timestamp(START, 0).unwrap() + seconds
    };
    let tenth = Cohort::created_between(at(many / 2), at(many / 2 + many / 10));
    let one = TenantId::new("t-7").unwrap();
    let cohorts = [
        ("all", Cohort::everyone(), many),
        ("a tenth by time", tenth, many / 10),
        (
            "one tenant",
            Cohort::everyone().tenant(&one),
            many / TENANTS,
        ),
    ];
    for (what, cohort, expected) in cohorts {
        let (begun, before) = (Instant::now(), peak());
        let funnel = onramp.funnel(&cohort).await.unwrap();
        let took = begun.elapsed();
        assert_eq!((funnel.total.enrolled, funnel.unreadable), (expected, 0));
        println!(
            "funnel of {what}, {expected} of {many}: {:.2} s, {:.0} onboardings a second, memory +{} MiB",
            took.as_secs_f64(),
            expected as f64 / took.as_secs_f64(),
            peak().saturating_sub(before)
        );
        if what == "all" {
            let [a, b, .., z] = funnel.total.steps.as_slice() else {
                unreachable!("five steps")
            };
            assert_eq!((a.entered, b.entered), (many * 9 / 10, many * 7 / 10));
            assert_eq!((z.failed, z.completed), (many / 10, many * 4 / 10));
        }
    }

    let (begun, before) = (Instant::now(), peak());
    let stuck = onramp.stuck(Duration::ZERO, 100).await.unwrap();
    println!(
        "stuck, the first {} of {many}: {:.2} s, memory +{} MiB",
        stuck.len(),
        begun.elapsed().as_secs_f64(),
        peak().saturating_sub(before)
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The most memory that this process ever had, in MiB; 0 where that is not told.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}
