//! Flows that change while people are half-way: steps added, removed, moved, renamed and retyped; who
//! gets what; what is told before; and the way back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use onramp::engine::Engine;
use onramp::flow::{Cohort, NoUpcast, Plan};
use onramp::lifecycle::Rejected;
use onramp::prelude::*;
use onramp::store::{ErrorKind, NotAppliedBecause};
use onramp::testing::check_lock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::each_store;
use tokio_util::sync::CancellationToken;

/// The program as it was.
mod v1 {
    use super::*;

    pub(super) struct Signup;
    impl Flow for Signup {
        const NAME: &'static str = "signup";
        const VERSION: u32 = 1;
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Company {
        pub(super) name: String,
    }
    impl Step for Company {
        const NAME: &'static str = "company";
    }
    impl Answer<Signup> for Company {}

    #[derive(Serialize, Deserialize)]
    pub(super) struct Branding(pub(super) String);
    impl Step for Branding {
        const NAME: &'static str = "branding";
    }
    impl Answer<Signup> for Branding {}

    #[derive(Serialize, Deserialize)]
    pub(super) struct Paid(pub(super) String);
    impl Step for Paid {
        const NAME: &'static str = "payment";
    }
    impl Evidence<Signup> for Paid {}

    #[derive(Serialize, Deserialize)]
    pub(super) struct Site(pub(super) String);
    impl Step for Site {
        const NAME: &'static str = "build_site";
    }

    pub(super) struct BuildSite;
    impl Task<Signup> for BuildSite {
        type Needs = Company;
        type Output = Site;
        async fn run(&self, _: &TaskContext, company: Company) -> Result<Site, TaskError> {
            Ok(Site(company.name))
        }
    }

    pub(super) fn flow() -> Definition<Signup> {
        let steps = Signup::steps().ask::<Company>().ask_optional::<Branding>();
        steps.expect::<Paid>().run(BuildSite).build().unwrap()
    }
}

/// The program as it is.
mod v2 {
    use super::*;

    pub(super) struct Signup;
    impl Flow for Signup {
        const NAME: &'static str = "signup";
        const VERSION: u32 = 2;
    }

    /// Renamed and retyped.
    #[derive(Serialize, Deserialize)]
    pub(super) struct Business {
        pub(super) name: String,
        pub(super) country: String,
    }
    impl Step for Business {
        const NAME: &'static str = "business";
        const STORED_AS: &'static str = "company";
        const VERSION: u32 = 3;

        fn upcast(from: u32, mut old: Value) -> Result<Value, NoUpcast> {
            let fields = old.as_object_mut().ok_or(NoUpcast)?;
            match from {
                1 => fields.insert("land".into(), json!("unknown")),
                2 => {
                    let land = fields.remove("land").ok_or(NoUpcast)?;
                    fields.insert("country".into(), land)
                }
                _ => return Err(NoUpcast),
            };
            Ok(old)
        }
    }
    impl Answer<Signup> for Business {}

    #[derive(Serialize, Deserialize)]
    pub(super) struct Paid(pub(super) String);
    impl Step for Paid {
        const NAME: &'static str = "payment";
    }
    impl Evidence<Signup> for Paid {}

    macro_rules! answers {
        ($($name:ident $step:literal)+) => {$(
            #[derive(Serialize, Deserialize)]
            pub(super) struct $name(pub(super) bool);
            impl Step for $name {
                const NAME: &'static str = $step;
            }
            impl Answer<Signup> for $name {}
        )+};
    }
    answers! { Survey "survey" Terms "terms" Privacy "privacy" }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Site(pub(super) String);
    impl Step for Site {
        const NAME: &'static str = "build_site";
    }

    #[derive(Default)]
    pub(super) struct BuildSite {
        pub(super) runs: Arc<AtomicU32>,
    }
    impl Task<Signup> for BuildSite {
        type Needs = Business;
        type Output = Site;
        async fn run(&self, _: &TaskContext, business: Business) -> Result<Site, TaskError> {
            self.runs.fetch_add(1, SeqCst);
            Ok(Site(format!("{} ({})", business.name, business.country)))
        }
    }

    /// Branding is gone, payment comes first, three are new.
    pub(super) fn flow() -> Definition<Signup> {
        Signup::steps()
            .expect::<Paid>()
            .ask::<Business>()
            .ask::<Survey>()
            .since(2, Cohort::NewStarts)
            .ask::<Terms>()
            .since(2, Cohort::NotCompleted)
            .ask::<Privacy>()
            .since(2, Cohort::Everyone)
            .run(BuildSite::default())
            .retired("branding")
            .build()
            .unwrap()
    }
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn subject(name: &str) -> SubjectId {
    SubjectId::new(name).unwrap()
}

async fn started<F: Flow>(onramp: &Onramp<F>, name: &str) -> Onboarding<F, InProgress> {
    let found = onramp.enroll(&tenant(), &subject(name)).await.unwrap();
    let pending = found.into_pending().unwrap();
    let clearance = onramp.clear(&pending).await.unwrap();
    onramp.commit(pending.start(clearance)).await.unwrap()
}

async fn open<F: Flow>(onramp: &Onramp<F>, name: &str) -> Loaded<F> {
    let found = onramp.open(&tenant(), &subject(name)).await.unwrap();
    found.unwrap()
}

async fn work<F: Flow>(store: &Arc<dyn Store>, flow: &Definition<F>) {
    let engine = Engine::builder(Arc::clone(store)).flow(flow).build();
    engine.run_until_idle().await.unwrap();
}

/// Half-way through version 1: company and branding given, payment outstanding.
async fn half_way(onramp: &Onramp<v1::Signup>, name: &str) {
    let running = started(onramp, name).await;
    let company = v1::Company {
        name: "Acme".into(),
    };
    let running = onramp.commit(running.submit(company)).await.unwrap();
    let branding = running.submit(v1::Branding("green".into()));
    let _ = onramp.commit(branding).await.unwrap();
}

async fn completed(onramp: &Onramp<v1::Signup>, store: &Arc<dyn Store>, name: &str) {
    half_way(onramp, name).await;
    let running = open(onramp, name).await.into_in_progress().unwrap();
    let paid = running.attest(v1::Paid("inv-1".into()));
    let _ = onramp.commit(paid).await.unwrap();
    work(store, onramp.flow()).await;
    assert_eq!(open(onramp, name).await.stage(), StageKind::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_half_way_goes_on_under_the_new_version() {
    for store in each_store().await {
        let old = Onramp::shared(Arc::clone(&store), v1::flow());
        half_way(&old, "half-way").await;
        let new = Onramp::shared(Arc::clone(&store), v2::flow());
        let running = open(&new, "half-way").await.into_in_progress().unwrap();
        assert!(running.has::<v2::Business>(), "it is still the same step");
        let running = new
            .commit(running.attest(v2::Paid("inv-1".into())))
            .await
            .unwrap();
        // The survey is for new starts alone.
        let outstanding = new.commit(running.complete()).await;
        let Err(CommitError::NotApplied(not)) = outstanding else {
            unreachable!("the terms are outstanding")
        };
        let NotAppliedBecause::Rejected(Rejected::Outstanding { steps }) = &not.because else {
            unreachable!("{:?}", not.because)
        };
        assert_eq!(steps.as_slice(), ["terms", "privacy", "build_site"]);
        let terms = not.onboarding.submit(v2::Terms(true));
        let running = new.commit(terms).await.unwrap();
        let _ = new.commit(running.submit(v2::Privacy(true))).await.unwrap();
        work(&store, new.flow()).await;
        let done = open(&new, "half-way").await.into_completed().unwrap();
        let site = new.fact::<v2::Site>(&tenant(), done.id()).await.unwrap();
        assert_eq!(site.unwrap().0, "Acme (unknown)", "through both upcasts");
        new.verify_journal(&tenant(), done.id()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_cohort_gets_what_is_its_own() {
    for store in each_store().await {
        let old = Onramp::shared(Arc::clone(&store), v1::flow());
        completed(&old, &store, "done").await;
        half_way(&old, "half-way").await;
        let new = Onramp::shared(Arc::clone(&store), v2::flow());
        let _ = started(&new, "new").await;
        let due = async |name: &str| {
            let id = open(&new, name).await.id();
            let obstacles = new.explain(&tenant(), id).await.unwrap().unwrap();
            let steps = obstacles.into_iter().filter_map(|o| o.step);
            steps.map(|step| step.to_string()).collect::<Vec<_>>()
        };
        let of_new = [
            "payment",
            "company",
            "survey",
            "terms",
            "privacy",
            "build_site",
        ];
        assert_eq!(due("new").await, of_new);
        assert_eq!(
            due("half-way").await,
            ["payment", "terms", "privacy", "build_site"]
        );
        assert!(due("done").await.is_empty(), "completed stays completed");

        let done = open(&new, "done").await.into_completed().unwrap();
        let reopened = new.commit(done.reopen()).await.unwrap();
        assert_eq!(due("done").await, ["privacy"]);
        let last = reopened.submit(v2::Privacy(true));
        let _ = new.commit(last).await.unwrap();
        work(&store, new.flow()).await;
        let done = open(&new, "done").await.into_completed().unwrap();
        let again = new.commit(done.reopen()).await;
        let Err(CommitError::NotApplied(not)) = again else {
            unreachable!("nothing is new any more")
        };
        let because = not.because.to_string();
        assert!(
            because.contains("no step that is new for everyone"),
            "{because}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newer_data_is_left_alone_and_burns_no_attempt_until_the_program_is_newer_again() {
    for store in each_store().await {
        let new = Onramp::shared(Arc::clone(&store), v2::flow());
        let running = started(&new, "of-v2").await;
        let running = new
            .commit(running.attest(v2::Paid("inv-1".into())))
            .await
            .unwrap();
        let (name, country) = ("Acme".into(), "DE".into());
        let business = running.submit(v2::Business { name, country });
        let running = new.commit(business).await.unwrap();
        let running = new.commit(running.submit(v2::Survey(true))).await.unwrap();
        let running = new.commit(running.submit(v2::Terms(true))).await.unwrap();
        let _ = new.commit(running.submit(v2::Privacy(true))).await.unwrap();

        // Back to the older program, which has others to serve.
        let old = Onramp::shared(Arc::clone(&store), v1::flow());
        half_way(&old, "of-v1").await;
        let running = open(&old, "of-v1").await.into_in_progress().unwrap();
        let _ = old
            .commit(running.attest(v1::Paid("inv-2".into())))
            .await
            .unwrap();
        // It has not skipped what the older one asks for as well.
        let stuck = open(&old, "of-v2").await.into_in_progress().unwrap();
        let _ = old.commit(stuck.skip::<v1::Branding>()).await.unwrap();
        let engine = Engine::builder(Arc::clone(&store))
            .flow(old.flow())
            .leave_unreadable(Duration::from_millis(300))
            .build();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let working = tokio::spawn(async move { engine.run(stop).await });
        while open(&old, "of-v1").await.stage() != StageKind::Completed {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        shutdown.cancel();
        working.await.unwrap();
        let stuck = open(&old, "of-v2").await.into_in_progress().unwrap();
        let site = stuck.step("build_site");
        assert!(site.is_none_or(|s| s.attempts() == 0 && s.failure().is_none()));

        // Forward again.
        let evolution = new.plan_evolution(v1::flow().plan()).await.unwrap();
        let by = Actor::Operator("ann".into());
        let evolved = new.evolve(&evolution, &by).await.unwrap();
        assert!(evolved.failed.is_empty(), "{:?}", evolved.failed);
        work(&store, new.flow()).await;
        assert_eq!(open(&new, "of-v2").await.stage(), StageKind::Completed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_new_version_does_is_told_before_and_then_done() {
    for store in each_store().await {
        let old = Onramp::shared(Arc::clone(&store), v1::flow());
        completed(&old, &store, "done").await;
        for n in 0..3 {
            half_way(&old, &format!("half-way-{n}")).await;
        }
        let _ = started(&old, "begun").await;
        let lock = v1::flow().plan().to_lock();
        let before = Plan::from_lock(&lock).unwrap();

        let new = Onramp::shared(Arc::clone(&store), v2::flow());
        let evolution = new.plan_evolution(&before).await.unwrap();
        assert_eq!((evolution.from, evolution.to), (1, 2));
        assert_eq!(evolution.looked_at, 4, "the completed one is none of it");
        assert_eq!(evolution.moved, 1, "the begun one: payment comes first now");
        let newly: Vec<_> = evolution
            .newly_due
            .iter()
            .map(|(s, n)| (s.as_str(), *n))
            .collect();
        assert_eq!(newly, [("privacy", 4), ("terms", 4)]);
        assert!(evolution.is_safe(), "branding is retired");
        let by = Actor::Operator("ann".into());
        let evolved = new.evolve(&evolution, &by).await.unwrap();
        assert_eq!((evolved.adopted, evolved.failed.len()), (4, 0));
        let again = new.evolve(&evolution, &by).await.unwrap();
        assert_eq!(again.adopted, 0, "once more does nothing");
        let state = open(&new, "begun").await.into_state();
        assert_eq!((state.flow_version(), state.runs_under()), (1, 2));

        // Whoever forgets that branding is gone is told, and nothing is done.
        let forgetful = Signup2::steps().ask::<v2b::Company>().build().unwrap();
        let forgetful = Onramp::shared(Arc::clone(&store), forgetful);
        let evolution = forgetful.plan_evolution(&before).await.unwrap();
        let lost: Vec<_> = evolution
            .lost
            .iter()
            .map(|(s, n)| (s.as_str(), *n))
            .collect();
        assert_eq!(lost, [("branding", 3)]);
        let refused = forgetful.evolve(&evolution, &by).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.to_string().contains("branding"), "{refused}");
    }
}

struct Signup2;
impl Flow for Signup2 {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 2;
}

mod v2b {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(super) struct Company {
        pub(super) name: String,
    }
    impl Step for Company {
        const NAME: &'static str = "company";
    }
    impl Answer<Signup2> for Company {}
}

/// A task that is new, where all that comes after it was given long ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_woken_for_a_task_that_is_new() {
    struct Signup;
    impl Flow for Signup {
        const NAME: &'static str = "signup";
        const VERSION: u32 = 2;
    }
    impl Evidence<Signup> for v1::Paid {}
    impl Answer<Signup> for v1::Company {}
    struct BuildEarly(Arc<AtomicU32>);
    impl Task<Signup> for BuildEarly {
        type Needs = v1::Company;
        type Output = v1::Site;
        async fn run(&self, _: &TaskContext, it: v1::Company) -> Result<v1::Site, TaskError> {
            self.0.fetch_add(1, SeqCst);
            Ok(v1::Site(it.name))
        }
    }
    for store in each_store().await {
        let old = Onramp::shared(Arc::clone(&store), v1::flow());
        half_way(&old, "half-way").await;
        work(&store, old.flow()).await;
        let runs = Arc::new(AtomicU32::new(0));
        let flow = Signup::steps()
            .ask::<v1::Company>()
            .run(BuildEarly(Arc::clone(&runs)))
            .expect::<v1::Paid>()
            .retired("branding")
            .build()
            .unwrap();
        let new = Onramp::shared(Arc::clone(&store), flow);
        work(&store, new.flow()).await;
        assert_eq!(runs.load(SeqCst), 0, "nobody has looked at it");
        let evolution = new.plan_evolution(v1::flow().plan()).await.unwrap();
        assert_eq!(evolution.for_workers, 1);
        let by = Actor::Operator("ann".into());
        let _ = new.evolve(&evolution, &by).await.unwrap();
        work(&store, new.flow()).await;
        assert_eq!(runs.load(SeqCst), 1);
    }
}

#[test]
fn the_golden_file_lets_only_through_what_people_can_go_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signup.lock");
    let (old, new) = (v1::flow(), v2::flow());
    check_lock(old.plan(), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    check_lock(old.plan(), &path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let drift = check_lock(new.plan(), &path).unwrap_err().to_string();
    assert!(drift.contains("ONRAMP_LOCK=write"), "{drift}");

    let refused = |plan: &Plan| {
        let broken = plan.breaks(old.plan());
        assert!(!broken.is_empty());
        assert_eq!(
            check_lock(plan, &path).unwrap_err().to_string(),
            broken.join("\n")
        );
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            text,
            "not overwritten"
        );
        broken.join("\n")
    };
    use onramp::flow::{Kind, PlanStep};
    let step = PlanStep::new;
    let kept = || step("company", Kind::Answer);
    let gone = Plan::new("signup", 2, vec![kept()]).unwrap();
    let why = refused(&gone);
    for name in ["branding", "payment", "build_site"] {
        assert!(why.contains(&format!("step {name:?} is gone")), "{why}");
    }
    let retyped = step("payment", Kind::Answer);
    let rest = || {
        vec![
            step("branding", Kind::Answer).optional(),
            step("build_site", Kind::Task),
        ]
    };
    let plan = Plan::new("signup", 2, [vec![kept(), retyped], rest()].concat()).unwrap();
    assert!(refused(&plan).contains("\"payment\" was evidence and is answer"));
    let same = || vec![kept(), step("payment", Kind::Evidence)];
    let plan = Plan::new("signup", 1, [same(), rest()].concat()).unwrap();
    assert!(refused(&plan).contains("count the version up"));
    let back = Plan::new("signup", 1, v1::flow().plan().steps().to_vec()).unwrap();
    assert!(back.breaks(new.plan())[0].contains("its version is 1, which was 2 already"));
}
