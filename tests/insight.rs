//! What the onboardings of a flow say together, on every store.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::Definition;
use onramp::insight::{Cohort, Crossing, Funnel, FunnelPart, StepFunnel, Stuck};
use onramp::lifecycle::{ObstacleKind, WaitingFor};
use onramp::prelude::*;
use onramp::testing::VirtualClock;
use onramp::{Clock, Revision};
use serde::{Deserialize, Serialize};
use support::{Desk, Faults, each_store};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A flow without tasks, so that a test is all that happens.
struct Forms;
impl Flow for Forms {
    const NAME: &'static str = "forms";
    const VERSION: u32 = 1;
}

/// The same flow, later.
struct NewForms;
impl Flow for NewForms {
    const NAME: &'static str = "forms";
    const VERSION: u32 = 2;
}

#[derive(Serialize, Deserialize)]
struct Name(String);
impl Step for Name {
    const NAME: &'static str = "name";
}
impl Answer<Forms> for Name {}
impl Answer<NewForms> for Name {}

#[derive(Serialize, Deserialize)]
struct Color(String);
impl Step for Color {
    const NAME: &'static str = "color";
}
impl Answer<Forms> for Color {}
impl Answer<NewForms> for Color {}

#[derive(Serialize, Deserialize)]
struct Paid;
impl Step for Paid {
    const NAME: &'static str = "paid";
}
impl Evidence<Forms> for Paid {}
impl Evidence<NewForms> for Paid {}

fn flow<F: Flow>() -> Definition<F>
where
    Name: Answer<F>,
    Color: Answer<F>,
    Paid: Evidence<F>,
{
    let steps = F::steps().ask::<Name>().ask_optional::<Color>();
    steps.expect::<Paid>().build().unwrap()
}

/// A host with a clock of its own.
struct Host<F> {
    onramp: Onramp<F>,
    clock: VirtualClock,
    tenant: TenantId,
}

/// How far a subject goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Enrolled,
    Started,
    Named,
    Colored,
    Paid,
    Done,
}

impl<F: Flow> Host<F>
where
    Name: Answer<F>,
    Color: Answer<F>,
    Paid: Evidence<F>,
{
    fn new(store: &Arc<dyn Store>) -> Self {
        let clock = VirtualClock::new();
        Self {
            onramp: Onramp::shared(Arc::clone(store), flow()).with_clock(clock.clone()),
            clock,
            tenant: TenantId::new("acme").unwrap(),
        }
    }

    /// Ten minutes for each step.
    async fn goes(&self, subject: &str, until: Until) -> OnboardingId {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let id = pending.id();
        if until < Until::Started {
            return id;
        }
        let clearance = self.onramp.clear(&pending).await.unwrap();
        let mut running = self.onramp.commit(pending.start(clearance)).await.unwrap();
        for step in [Until::Named, Until::Colored, Until::Paid] {
            if until < step {
                return id;
            }
            self.clock.advance(MINUTE * 10);
            let change = match step {
                Until::Named => running.submit(Name("Ann".into())),
                Until::Colored => running.skip::<Color>(),
                _ => running.attest(Paid),
            };
            running = self.onramp.commit(change).await.unwrap();
        }
        if until == Until::Done {
            let _ = self.onramp.commit(running.complete()).await.unwrap();
        }
        id
    }
}

fn entered(part: &FunnelPart) -> Vec<u64> {
    let entered = part.steps.iter().map(|step| step.entered);
    let (first, last) = ([part.enrolled, part.started], [part.completed]);
    first.into_iter().chain(entered).chain(last).collect()
}

fn step<'f>(funnel: &'f Funnel, name: &str) -> &'f StepFunnel {
    let mut steps = funnel.total.steps.iter();
    steps.find(|step| step.step == *name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_funnel_tells_how_far_everybody_came_and_how_long_it_took() {
    for store in each_store().await {
        let host = Host::<Forms>::new(&store);
        for (subject, until) in [
            ("enrolled", Until::Enrolled),
            ("started", Until::Started),
            ("named", Until::Named),
            ("colored", Until::Colored),
            ("paid", Until::Paid),
            ("done", Until::Done),
        ] {
            host.goes(subject, until).await;
        }
        let funnel = host.onramp.funnel(&Cohort::everyone()).await.unwrap();
        assert_eq!(entered(&funnel.total), [6, 5, 5, 4, 3, 1]);
        assert_eq!(funnel.total.completion_rate, Some(1.0 / 6.0));
        let (name, color, paid) = (
            step(&funnel, "name"),
            step(&funnel, "color"),
            step(&funnel, "paid"),
        );
        assert_eq!((name.completed, name.open, name.timed), (4, 1, 4));
        assert_eq!((color.skipped, color.open, color.completed), (3, 1, 0));
        assert_eq!((paid.completed, paid.open), (2, 1));
        let ten = MINUTE * 10;
        for step in [name, color, paid] {
            let (p50, p90) = (step.p50.unwrap(), step.p90.unwrap());
            assert!(p50.abs_diff(ten) <= ten / 64 && p50 == p90, "{p50:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_not_answered_for_long_is_abandoned_and_stuck() {
    for store in each_store().await {
        let host = Host::<Forms>::new(&store);
        host.goes("cancelled", Until::Enrolled).await;
        let subject = SubjectId::new("cancelled").unwrap();
        let found = host.onramp.open(&host.tenant, &subject).await.unwrap();
        let cancelled = found.unwrap().into_pending().unwrap().cancel();
        let _ = host.onramp.commit(cancelled).await.unwrap();
        host.goes("enrolled", Until::Enrolled).await;
        host.clock.advance(MINUTE);
        let started = host.goes("started", Until::Started).await;
        host.clock.advance(DAY);
        let colored = host.goes("colored", Until::Colored).await;
        host.goes("done", Until::Done).await;
        host.clock.advance(DAY * 3);
        host.goes("fresh", Until::Started).await;

        let everyone = Cohort::everyone().abandoned_after(DAY * 2);
        let funnel = host.onramp.funnel(&everyone).await.unwrap();
        let (name, paid) = (step(&funnel, "name"), step(&funnel, "paid"));
        assert_eq!((name.abandoned, name.open), (1, 1));
        // It waits for a third party: nobody has left.
        assert_eq!((paid.abandoned, paid.open), (0, 1));

        let stuck = host.onramp.stuck(DAY * 2, 10).await.unwrap();
        let subjects: Vec<_> = stuck.iter().map(|s| s.key.subject.as_str()).collect();
        assert_eq!(subjects, ["enrolled", "started", "colored"]);
        assert_eq!((stuck[1].id, stuck[2].id), (started, colored));
        let waits: Vec<_> = stuck.iter().map(|s| s.waits_for.on).collect();
        let (host_, subject, third) = (
            WaitingFor::Host,
            WaitingFor::Subject,
            WaitingFor::ThirdParty,
        );
        assert_eq!(waits, [host_, subject, third]);
        assert_eq!(stuck[0].waits_for.kind, ObstacleKind::NotStarted);
        let begun = host.clock.now() - TimeDelta::days(3) - TimeDelta::minutes(30);
        assert_eq!(
            stuck[2].since, begun,
            "since the step before it was settled"
        );

        // Whatever the limit is, those waiting longest are told.
        let two = host.onramp.stuck(DAY * 2, 2).await.unwrap();
        assert_eq!(two, stuck[..2]);
        assert_eq!(host.onramp.stuck(DAY * 2, 0).await.unwrap(), []);
        assert_eq!(host.onramp.stuck(DAY * 9, 10).await.unwrap(), []);
        let csv = Stuck::to_csv(&stuck);
        assert!(csv.lines().nth(2).unwrap().ends_with(",name,subject,open,"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cohorts_that_follow_one_another_hold_everybody_once() {
    for store in each_store().await {
        let host = Host::<Forms>::new(&store);
        let start = host.clock.now();
        for n in 0..7 {
            host.goes(&format!("s-{n}"), Until::Enrolled).await;
            host.clock.advance(Duration::from_millis(500));
        }
        let at = |millis| start + TimeDelta::milliseconds(millis);
        let count = async |from: DateTime<Utc>, until| {
            let cohort = Cohort::created_between(from, until);
            host.onramp.funnel(&cohort).await.unwrap().total.enrolled
        };
        // The end is not in it, the beginning is.
        assert_eq!(count(at(0), at(1_000)).await, 2);
        assert_eq!(count(at(1_000), at(1_001)).await, 1);
        assert_eq!(count(at(1_001), at(10_000)).await, 4);
        assert_eq!(
            count(at(10_000), at(0)).await,
            0,
            "it ends before it begins"
        );
        let nobody = Cohort::created_between(at(-9), at(0));
        let funnel = host.onramp.funnel(&nobody).await.unwrap();
        assert_eq!(
            (funnel.total.enrolled, funnel.total.completion_rate),
            (0, None)
        );
        assert_eq!(
            funnel.total.steps.len(),
            3,
            "the steps are there all the same"
        );
        assert_eq!(funnel.total.steps[0].p50, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_and_versions_are_counted_apart() {
    for store in each_store().await {
        let old = Host::<Forms>::new(&store);
        let mut new = Host::<NewForms>::new(&store);
        old.goes("one", Until::Done).await;
        old.goes("two", Until::Named).await;
        new.goes("three", Until::Done).await;
        new.tenant = TenantId::new("other").unwrap();
        new.goes("four", Until::Started).await;

        let funnel = new.onramp.funnel(&Cohort::everyone()).await.unwrap();
        assert_eq!(entered(&funnel.total), [4, 4, 4, 3, 2, 2]);
        let versions = funnel.versions.iter();
        let versions: Vec<_> = versions.map(|part| (part.version, entered(part))).collect();
        assert_eq!(versions[0], (Some(1), vec![2, 2, 2, 2, 1, 1]));
        assert_eq!(versions[1], (Some(2), vec![2, 2, 2, 1, 1, 1]));

        let acme = Cohort::everyone().tenant(&old.tenant);
        let theirs = new.onramp.funnel(&acme).await.unwrap();
        assert_eq!(theirs.total.enrolled, 3);
        let theirs = new.onramp.funnel(&acme.version(2)).await.unwrap();
        assert_eq!((theirs.total.enrolled, theirs.versions.len()), (1, 1));
        let nobody = TenantId::new("nobody").unwrap();
        let nobodys = Cohort::everyone().tenant(&nobody);
        let none = new.onramp.funnel(&nobodys).await.unwrap();
        assert_eq!(none.total.enrolled, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_counts_where_it_failed_and_what_was_taken_back_as_that() {
    for store in each_store().await {
        let faults = Faults {
            fatal: 1,
            ..Faults::default()
        };
        let desk = Desk::new(store, faults);
        desk.paid("fails").await;
        desk.engine().run_until_idle().await.unwrap();
        desk.paid("done").await;
        desk.engine().run_until_idle().await.unwrap();
        let _ = desk.answered("cancelled").await;
        desk.engine().run_until_idle().await.unwrap();
        let running = desk.open("cancelled").await.into_in_progress().unwrap();
        let _ = desk.onramp.commit(running.cancel()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();

        let funnel = desk.onramp.funnel(&Cohort::everyone()).await.unwrap();
        assert_eq!(entered(&funnel.total), [3, 3, 3, 3, 2, 2, 1]);
        assert_eq!(funnel.total.failed, 2);
        let (dataset, site) = (step(&funnel, "create_dataset"), step(&funnel, "build_site"));
        assert_eq!((site.completed, site.failed), (1, 1));
        // The one that failed later was undone here; the other was cancelled at the furthest that is
        // known of it.
        assert_eq!((dataset.completed, dataset.taken_back), (1, 1));
        assert_eq!(dataset.failed, 1);
        assert!(dataset.p50.unwrap() < DAY);

        let failed = desk.open("fails").await.into_failed().unwrap();
        let _ = desk.onramp.commit(failed.retry()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();
        let funnel = desk.onramp.funnel(&Cohort::everyone()).await.unwrap();
        let dataset = step(&funnel, "create_dataset");
        assert_eq!((funnel.total.completed, dataset.completed), (2, 2));
        assert_eq!(dataset.timed, 1, "when its turn came again is not known");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_of_the_hosts_is_counted_by_stage() {
    for store in each_store().await {
        let host = Host::<Forms>::new(&store);
        for (subject, until) in [
            ("called-1", Until::Enrolled),
            ("called-2", Until::Done),
            ("called-3", Until::Named),
            ("other", Until::Done),
        ] {
            host.goes(subject, until).await;
        }
        let called = ["called-1", "called-2", "called-3"];
        let marks = Crossing::by("called", |state| {
            called.contains(&state.key().subject.as_str())
        })
        .and("moved", |state| state.revision() > Revision::new(1));
        let crossed = host
            .onramp
            .cross(&Cohort::everyone(), &marks)
            .await
            .unwrap();
        let [called, moved] = crossed.as_slice() else {
            unreachable!("two marks")
        };
        assert_eq!((called.with.all(), called.with.not_completed()), (3, 2));
        assert_eq!((called.with.pending, called.with.in_progress), (1, 1));
        assert_eq!((called.without.completed, called.without.all()), (1, 1));
        assert_eq!((moved.with.all(), moved.without.pending), (3, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_page_is_counted_whole() {
    for store in each_store().await.into_iter().take(2) {
        let host = Host::<Forms>::new(&store);
        for n in 0..1_050 {
            let until = if n % 2 == 0 {
                Until::Enrolled
            } else {
                Until::Started
            };
            host.goes(&format!("s-{n}"), until).await;
        }
        let funnel = host.onramp.funnel(&Cohort::everyone()).await.unwrap();
        assert_eq!(entered(&funnel.total), [1_050, 525, 525, 0, 0, 0]);
        host.clock.advance(DAY);
        let stuck = host.onramp.stuck(MINUTE, 600).await.unwrap();
        assert_eq!(stuck.len(), 600);
        assert!(stuck.is_sorted_by_key(|stuck| stuck.since));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_before_has_stored_is_counted_and_what_is_broken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("onboarding.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).await.unwrap());
    let host = Host::<Forms>::new(&store);
    let old = host.goes("old", Until::Colored).await;
    let broken = host.goes("broken", Until::Named).await;
    host.goes("whole", Until::Named).await;

    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let change = async |sql: &'static str, id: OnboardingId| {
        let query = sqlx::query(sql).bind(id.as_uuid().as_bytes().to_vec());
        assert_eq!(query.execute(&pool).await.unwrap().rows_affected(), 1);
    };
    let without = "UPDATE onramp_onboarding SET state = \
        json_remove(state, '$.steps.name.at', '$.steps.color.at') WHERE id = $1";
    change(without, old).await;
    let torn = "UPDATE onramp_onboarding SET state = substr(state, 1, 40) WHERE id = $1";
    change(torn, broken).await;

    let funnel = host.onramp.funnel(&Cohort::everyone()).await.unwrap();
    assert_eq!((funnel.unreadable, funnel.total.enrolled), (1, 2));
    let name = step(&funnel, "name");
    assert_eq!((name.completed, name.timed), (2, 1));
    // It goes on, and what is settled from now on has its time.
    let subject = SubjectId::new("old").unwrap();
    let found = host.onramp.open(&host.tenant, &subject).await.unwrap();
    let running = found.unwrap().into_in_progress().unwrap();
    let running = host.onramp.commit(running.attest(Paid)).await.unwrap();
    let state = running.into_state();
    assert_eq!(state.step("name").unwrap().settled_at(), None);
    assert!(state.step("paid").unwrap().settled_at().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_funnel_is_told_as_json_and_csv() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let host = Host::<Forms>::new(&store);
    host.goes("one", Until::Done).await;
    let funnel = host.onramp.funnel(&Cohort::everyone()).await.unwrap();
    let csv = funnel.to_csv();
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 3 + 3 + 1, "a head, the total, one version");
    assert!(lines[0].starts_with("version,enrolled,started,finished,"));
    assert!(
        lines[1].starts_with("all,1,1,1,0,name,answer,1,1,"),
        "{csv}"
    );
    assert!(lines[4].starts_with("1,1,1,1,0,name,answer,"));
    let json = serde_json::to_value(&funnel).unwrap();
    assert_eq!(json["total"]["completion_rate"], 1.0);
    assert_eq!(json["total"]["version"], serde_json::Value::Null);
    let seconds = json["versions"][0]["steps"][0]["p50_seconds"].as_f64();
    assert!((seconds.unwrap() - 600.0).abs() <= 600.0 / 64.0);
}
