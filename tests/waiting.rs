//! Waiting: for the subject, for a third party, for an operator, for a time; with reminders, with an
//! end, and with what comes early or late.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use onramp::engine::Engine;
use onramp::flow::Waits;
use onramp::lifecycle::{Next, Progress, Rejected, WaitingFor, next};
use onramp::prelude::*;
use onramp::store::{NotAppliedBecause, Settlement};
use onramp::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use support::each_store;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

macro_rules! facts {
    ($($name:ident $step:literal $kind:ident;)+) => {$(
        #[derive(Serialize, Deserialize)]
        struct $name(String);
        impl Step for $name {
            const NAME: &'static str = $step;
        }
        impl $kind<Signup> for $name {}
    )+};
}

facts! {
    Company "company" Answer;
    Branding "branding" Answer;
    Paid "payment" Evidence;
    Reviewed "review" Approval;
}

#[derive(Serialize, Deserialize)]
struct Site(String);
impl Step for Site {
    const NAME: &'static str = "build_site";
}

struct BuildSite;
impl Task<Signup> for BuildSite {
    type Needs = Company;
    type Output = Site;
    async fn run(&self, _: &TaskContext, company: Company) -> Result<Site, TaskError> {
        Ok(Site(company.0))
    }
}

struct Desk {
    onramp: Onramp<Signup>,
    engine: Engine,
    tenant: TenantId,
}

impl Desk {
    fn new(store: Arc<dyn Store>, flow: Definition<Signup>) -> Self {
        let engine = Engine::builder(Arc::clone(&store)).flow(&flow).build();
        Self {
            onramp: Onramp::shared(store, flow),
            engine,
            tenant: TenantId::new("acme").unwrap(),
        }
    }

    async fn pending(&self, subject: &str) -> Onboarding<Signup, Pending> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await.unwrap();
        found.into_pending().unwrap()
    }

    async fn started(&self, subject: &str) -> Onboarding<Signup, InProgress> {
        let pending = self.pending(subject).await;
        let clearance = self.onramp.clear(&pending).await.unwrap();
        self.onramp.commit(pending.start(clearance)).await.unwrap()
    }

    async fn open(&self, subject: &str) -> Loaded<Signup> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.open(&self.tenant, &subject).await.unwrap();
        found.unwrap()
    }

    /// For whom it waits, and at which step.
    async fn waits(&self, subject: &str) -> (WaitingFor, String) {
        let state = self.open(subject).await.into_state();
        let plan = self.onramp.flow().plan();
        match next(&state, plan, SystemClock.now()) {
            Next::Wait {
                on,
                step: Some(step),
                ..
            } => (on, step.to_string()),
            other => unreachable!("{other:?}"),
        }
    }

    /// What was sent about it, in order.
    async fn messages(&self, subject: &str) -> Vec<String> {
        let store = self.onramp.store();
        let mut topics = Vec::new();
        loop {
            let taken = store
                .take_outbox(100, Duration::from_secs(9))
                .await
                .unwrap();
            if taken.is_empty() {
                return topics;
            }
            for delivery in taken {
                let (key, topic) = (&delivery.message.key, &delivery.message.topic);
                if key.tenant == self.tenant && key.subject.as_str() == subject {
                    topics.push(topic.clone());
                }
                let settled = [(delivery, Settlement::Delivered)];
                store.settle_outbox(&settled).await.unwrap();
            }
        }
    }
}

const SOON: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_waiting_is_told_apart() {
    for store in each_store().await {
        let flow = Signup::steps()
            .ask::<Company>()
            .expect::<Paid>()
            .approve::<Reviewed>()
            .pause("cool_down", SOON)
            .run(BuildSite);
        let desk = Desk::new(store, flow.build().unwrap());
        let running = desk.started("org-1").await;
        assert_eq!(
            desk.waits("org-1").await,
            (WaitingFor::Subject, "company".into())
        );
        let submit = running.submit(Company("Acme".into()));
        let running = desk.onramp.commit(submit).await.unwrap();
        assert_eq!(
            desk.waits("org-1").await,
            (WaitingFor::ThirdParty, "payment".into())
        );
        let attest = running.attest(Paid("inv-1".into()));
        let running = desk.onramp.commit(attest).await.unwrap();
        assert_eq!(
            desk.waits("org-1").await,
            (WaitingFor::Operator, "review".into())
        );
        // Nobody else's approval counts.
        let by_host = running.approve(Reviewed("ok".into()), "x").by(Actor::Host);
        let Err(CommitError::NotApplied(not)) = desk.onramp.commit(by_host).await else {
            unreachable!("the host is no operator")
        };
        let approve = not.onboarding.approve(Reviewed("ok".into()), "ann");
        let _ = desk.onramp.commit(approve).await.unwrap();
        assert_eq!(
            desk.waits("org-1").await,
            (WaitingFor::Time, "cool_down".into())
        );
        let begun = std::time::Instant::now();
        desk.engine.run_until_idle().await.unwrap();
        assert!(begun.elapsed() >= SOON / 2, "it paused");
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_waited_for_is_reminded_and_then_given_up() {
    for store in each_store().await {
        let waits = Waits::default()
            .remind_after(SOON)
            .remind_after(SOON * 2)
            .expire_after(SOON * 4);
        let flow = Signup::steps()
            .ask::<Company>()
            .run(BuildSite)
            .expect::<Paid>()
            .waiting(waits)
            .build();
        let desk = Desk::new(store, flow.unwrap());
        let running = desk.started("org-1").await;
        let submit = running.submit(Company("Acme".into()));
        let _ = desk.onramp.commit(submit).await.unwrap();
        desk.engine.run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert_eq!(failed.stage().failure.code(), "expired");
        assert_eq!(failed.stage().step, Some("payment".into()));
        let site = failed.step("build_site").unwrap();
        assert!(site.fact().is_none(), "what was built is taken back");
        let messages = desk.messages("org-1").await;
        assert_eq!(messages, ["started", "reminded", "reminded", "failed"]);

        // Late evidence is kept, and the retry does not ask for it again.
        let late = failed.attest(Paid("inv-1".into()));
        let failed = desk.onramp.commit(late).await.unwrap();
        let _ = desk.onramp.commit(failed.retry()).await.unwrap();
        desk.engine.run_until_idle().await.unwrap();
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_time_ends_the_wait_and_early_evidence_is_kept() {
    for store in each_store().await {
        let waits = || Waits::default().remind_after(SOON).expire_after(SOON * 2);
        let flow = Signup::steps()
            .ask::<Company>()
            .waiting(waits())
            .expect::<Paid>()
            .waiting(waits())
            .run(BuildSite);
        let desk = Desk::new(store, flow.build().unwrap());
        let pending = desk.pending("org-1").await;
        let early = pending.attest(Paid("inv-1".into()));
        let pending = desk.onramp.commit(early).await.unwrap();
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
        let submit = running.submit(Company("Acme".into()));
        let _ = desk.onramp.commit(submit).await.unwrap();
        desk.engine.run_until_idle().await.unwrap();
        assert_eq!(desk.open("org-1").await.stage(), StageKind::Completed);
        assert_eq!(desk.messages("org-1").await, ["started", "completed"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_optional_step_that_nobody_gives_is_skipped_in_time() {
    for store in each_store().await {
        let flow = Signup::steps()
            .ask::<Company>()
            .ask_optional::<Branding>()
            .waiting(Waits::default().expire_after(SOON))
            .run(BuildSite)
            .build();
        let desk = Desk::new(store, flow.unwrap());
        let running = desk.started("org-1").await;
        let submit = running.submit(Company("Acme".into()));
        let _ = desk.onramp.commit(submit).await.unwrap();
        desk.engine.run_until_idle().await.unwrap();
        let state = desk.open("org-1").await.into_state();
        assert_eq!(state.stage(), StageKind::Completed);
        let branding = desk.onramp.flow().plan().step("branding").unwrap();
        assert_eq!(state.progress(branding), Progress::Skipped);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_has_a_deadline_and_the_time_begins_anew_with_a_retry() {
    for store in each_store().await {
        let flow = Signup::steps().ask::<Company>().within(SOON * 2).build();
        let desk = Desk::new(store, flow.unwrap());
        let _ = desk.started("org-1").await;
        desk.engine.run_until_idle().await.unwrap();
        let failed = desk.open("org-1").await.into_failed().unwrap();
        assert_eq!(failed.stage().failure.code(), "expired");
        assert_eq!(failed.stage().step, None);
        let running = desk.onramp.commit(failed.retry()).await.unwrap();
        let last = running.submit(Company("Acme".into())).and_complete();
        let _ = desk.onramp.commit(last).await.unwrap();
    }
}

#[tokio::test]
async fn an_operator_exempts_from_what_nobody_needs_for_certain() {
    let flow = Signup::steps()
        .ask::<Company>()
        .expect::<Paid>()
        .run(BuildSite);
    let desk = Desk::new(Arc::new(MemoryStore::new()), flow.build().unwrap());
    let running = desk.started("org-1").await;
    let why = || Reason::new("contract-1234").unwrap();
    let needed = desk
        .onramp
        .commit(running.waive::<Company>(why(), "ann"))
        .await;
    let Err(CommitError::NotApplied(not)) = needed else {
        unreachable!("the site needs it")
    };
    let NotAppliedBecause::Rejected(Rejected::Needed { by, .. }) = &not.because else {
        unreachable!("{:?}", not.because)
    };
    assert_eq!(by.as_slice(), ["build_site"]);
    let submit = not.onboarding.submit(Company("Acme".into()));
    let running = desk.onramp.commit(submit).await.unwrap();
    let by_subject = running.waive::<Paid>(why(), "ann").by(Actor::Subject);
    let Err(CommitError::NotApplied(not)) = desk.onramp.commit(by_subject).await else {
        unreachable!("nobody exempts himself")
    };
    let waive = not.onboarding.waive::<Paid>(why(), "ann");
    let _ = desk.onramp.commit(waive).await.unwrap();
    desk.engine.run_until_idle().await.unwrap();
    let done = desk.open("org-1").await.into_completed().unwrap();
    assert!(!done.has::<Paid>());
    let after = onramp::Revision::new(0);
    let store = desk.onramp.store();
    let journal = store
        .journal(&desk.tenant, done.id(), after, 99)
        .await
        .unwrap();
    let waived = journal
        .iter()
        .find(|e| e.events.contains("step_waived"))
        .unwrap();
    assert_eq!(waived.by, Actor::Operator("ann".into()));
    assert!(waived.events.contains("contract-1234"));
}

#[tokio::test]
async fn a_dismissal_hides_and_completes_nothing() {
    let flow = Signup::steps().ask::<Company>().build().unwrap();
    let desk = Desk::new(Arc::new(MemoryStore::new()), flow);
    let running = desk.started("org-1").await;
    let running = desk.onramp.commit(running.dismiss()).await.unwrap();
    assert!(running.is_dismissed());
    let revision = running.revision();
    let running = desk.onramp.commit(running.dismiss()).await.unwrap();
    assert_eq!(running.revision(), revision, "once more is nothing new");
    let refused = desk.onramp.commit(running.complete()).await;
    let Err(CommitError::NotApplied(not)) = refused else {
        unreachable!("the company is outstanding")
    };
    let submit = not.onboarding.submit(Company("Acme".into()));
    let running = desk.onramp.commit(submit).await.unwrap();
    assert!(!running.is_dismissed(), "whoever goes on is asked again");
}

#[tokio::test]
async fn an_answer_that_was_built_on_is_immutable() {
    let flow = Signup::steps()
        .ask::<Company>()
        .immutable_once_used()
        .expect::<Paid>()
        .run(BuildSite)
        .expect_again();
    let desk = Desk::new(Arc::new(MemoryStore::new()), flow);
    let running = desk.started("org-1").await;
    let submit = running.submit(Company("Acme".into()));
    let running = desk.onramp.commit(submit).await.unwrap();
    let revise = running.revise(Company("Acme GmbH".into()));
    let running = desk.onramp.commit(revise).await.unwrap();
    let attest = running.attest(Paid("inv-1".into()));
    let _ = desk.onramp.commit(attest).await.unwrap();
    desk.engine.run_until_idle().await.unwrap();
    let running = desk.open("org-1").await.into_in_progress().unwrap();
    let late = desk
        .onramp
        .commit(running.revise(Company("Other".into())))
        .await;
    let Err(CommitError::NotApplied(not)) = late else {
        unreachable!("the site stands on it")
    };
    let expected = "step company cannot be revised any more: build_site was built on it";
    assert_eq!(not.because.to_string(), expected);
}

trait ExpectAgain {
    fn expect_again(self) -> Definition<Signup>;
}

impl<P> ExpectAgain for onramp::flow::Steps<Signup, P> {
    /// So that it is still in progress once the site is built.
    fn expect_again(self) -> Definition<Signup> {
        self.approve::<Reviewed>().build().unwrap()
    }
}
