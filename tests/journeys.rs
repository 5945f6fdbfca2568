//! What customers go through, end to end: what they chose survives, what they paid for is what they get,
//! and whoever comes back finds everything as it was left.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use onramp::admission::Admission;
use onramp::engine::Engine;
use onramp::fields::{CompanyName, Currency, TimeZone};
use onramp::flow::Input;
use onramp::prelude::*;
use onramp::status::{NextAction, Standing};
use onramp::{Key, Revision};
use serde::{Deserialize, Serialize};
use support::each_store;

struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

/// Another platform of the same host.
struct Academy;
impl Flow for Academy {
    const NAME: &'static str = "academy";
    const VERSION: u32 = 1;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    first_name: String,
    last_name: Option<String>,
}
impl Step for Person {
    const NAME: &'static str = "person";
}
impl Answer<Workspace> for Person {}
impl Answer<Academy> for Person {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Business {
    company: CompanyName,
    currency: Currency,
    time_zone: TimeZone,
}
impl Step for Business {
    const NAME: &'static str = "business";
}
impl Answer<Workspace> for Business {}

#[derive(Serialize, Deserialize)]
struct Research {
    wanted: bool,
}
impl Step for Research {
    const NAME: &'static str = "research";
}
impl Answer<Workspace> for Research {}

#[derive(Serialize, Deserialize)]
struct Subscribed {
    plan: String,
}
impl Step for Subscribed {
    const NAME: &'static str = "subscription";
}
impl Evidence<Workspace> for Subscribed {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Provisioned {
    currency: String,
    time_zone: String,
    plan: String,
}
impl Step for Provisioned {
    const NAME: &'static str = "provision";
}

struct Provision;
impl Task<Workspace> for Provision {
    type Needs = (Business, Subscribed);
    type Output = Provisioned;

    async fn run(
        &self,
        _: &TaskContext,
        (business, subscribed): (Business, Subscribed),
    ) -> Result<Provisioned, TaskError> {
        Ok(Provisioned {
            currency: business.currency.as_str().to_owned(),
            time_zone: business.time_zone.as_str().to_owned(),
            plan: subscribed.plan,
        })
    }
}

/// What the identity provider knows: one full name, which may be a single word.
struct Identity;
impl Prefill<Workspace> for Identity {
    type Answer = Person;
    const SOURCE: &'static str = "identity";

    async fn known(&self, whom: &Key) -> Result<Draft<Person>, PrefillError> {
        let name = match whom.subject.as_str() {
            "known" => "Ada Lovelace",
            "single-word" => "Prince",
            _ => return Ok(Draft::new()),
        };
        let draft = match name.split_once(' ') {
            Some((first, last)) => Draft::new()
                .with("first_name", first)
                .and_then(|draft| draft.with("last_name", last)),
            None => Draft::new().with("first_name", name),
        };
        draft.map_err(PrefillError::new)
    }
}

struct Host {
    store: Arc<dyn Store>,
    flow: Definition<Workspace>,
    research: Arc<AtomicBool>,
    tenant: TenantId,
}

impl Host {
    fn new(store: Arc<dyn Store>) -> Self {
        let research = Arc::new(AtomicBool::new(false));
        let on = Arc::clone(&research);
        let flow = Workspace::steps()
            .ask::<Person>()
            .prefill(Identity)
            .ask::<Business>()
            .when(move |_: &Business| on.load(SeqCst))
            .ask::<Research>()
            .expect::<Subscribed>()
            .run(Provision);
        Self {
            store,
            flow: flow.build().unwrap(),
            research,
            tenant: TenantId::new("acme").unwrap(),
        }
    }

    /// As after signing in: a new front door, which knows nothing but the store.
    fn signed_in(&self) -> Onramp<Workspace> {
        Onramp::shared(Arc::clone(&self.store), self.flow.clone())
    }

    async fn work(&self) {
        let engine = Engine::builder(Arc::clone(&self.store)).flow(&self.flow);
        engine.build().run_until_idle().await.unwrap();
    }

    async fn started(&self, subject: &SubjectId) -> Onboarding<Workspace, InProgress> {
        let onramp = self.signed_in();
        let found = onramp.enroll(&self.tenant, subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = onramp.clear(&pending).await.unwrap();
        onramp.commit(pending.start(clearance)).await.unwrap()
    }

    async fn running(&self, subject: &SubjectId) -> Onboarding<Workspace, InProgress> {
        let found = self.signed_in().open(&self.tenant, subject).await.unwrap();
        found.unwrap().into_in_progress().unwrap()
    }

    async fn next(&self, subject: &SubjectId) -> NextAction {
        match self.signed_in().admit(&self.tenant, subject).await {
            Admission::Granted(_) => NextAction::Proceed,
            Admission::Onboard(next) => next,
            other => panic!("{other:?}"),
        }
    }
}

fn subject(name: &str) -> SubjectId {
    SubjectId::new(name).unwrap()
}

fn person() -> Person {
    Person {
        first_name: "Ada".into(),
        last_name: None,
    }
}

fn business() -> Business {
    Business {
        company: CompanyName::new("Acme").unwrap(),
        currency: Currency::new("INR").unwrap(),
        // An alias, kept as it was given.
        time_zone: TimeZone::new("Asia/Calcutta").unwrap(),
    }
}

fn subscribed() -> Subscribed {
    Subscribed {
        plan: "Professional".into(),
    }
}

fn answer(step: &'static str) -> NextAction {
    NextAction::Answer {
        step: step.into(),
        optional: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_currency_the_time_zone_and_the_plan_that_were_chosen_survive() {
    for store in each_store().await {
        let (host, who) = (Host::new(store), subject("org-1"));
        let onramp = host.signed_in();
        let running = host.started(&who).await;
        let running = onramp.commit(running.submit(person())).await.unwrap();
        let id = running.id();
        // Nothing stands in for what is not set: the form is refused, and the step is outstanding.
        for unset in [
            r#"{"company":"Acme","time_zone":"Asia/Kolkata"}"#,
            r#"{"company":"Acme","currency":"","time_zone":"Asia/Kolkata"}"#,
            r#"{"company":"Acme","currency":"INR","time_zone":"Somewhere"}"#,
        ] {
            Draft::<Business>::from_json(unset)
                .unwrap()
                .finish()
                .unwrap_err();
        }
        assert_eq!(host.next(&who).await, answer("business"));
        let running = onramp.commit(running.submit(business())).await.unwrap();
        host.work().await;
        let status = onramp.status(&host.tenant, &who).await.unwrap().unwrap();
        let plan = |_: &onramp::status::Status| None;
        let compat = serde_json::to_value(status.compat(plan)).unwrap();
        assert!(compat["subscription_plan"].is_null(), "no plan is made up");
        drop(running);

        let running = host.running(&who).await;
        let _ = onramp.commit(running.attest(subscribed())).await.unwrap();
        host.work().await;
        let made = onramp.fact::<Provisioned>(&host.tenant, id).await.unwrap();
        let expected = Provisioned {
            currency: "INR".into(),
            time_zone: "Asia/Calcutta".into(),
            plan: "Professional".into(),
        };
        assert_eq!(made, Some(expected));
        assert_eq!(host.next(&who).await, NextAction::Proceed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_is_led_through_and_then_let_on() {
    for store in each_store().await {
        let (host, who) = (Host::new(store), subject("new"));
        assert_eq!(host.next(&who).await, NextAction::Enroll);
        let onramp = host.signed_in();
        let found = onramp.enroll(&host.tenant, &who).await.unwrap();
        assert_eq!(host.next(&who).await, NextAction::Start);
        let pending = found.into_pending().unwrap();
        let clearance = onramp.clear(&pending).await.unwrap();
        let running = onramp.commit(pending.start(clearance)).await.unwrap();
        assert_eq!(host.next(&who).await, answer("person"));
        let running = onramp.commit(running.submit(person())).await.unwrap();
        let running = onramp.commit(running.submit(business())).await.unwrap();
        host.work().await;
        drop(running);
        assert!(matches!(host.next(&who).await, NextAction::Wait { .. }));
        let running = host.running(&who).await;
        let _ = onramp.commit(running.attest(subscribed())).await.unwrap();
        host.work().await;
        assert_eq!(host.next(&who).await, NextAction::Proceed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_known_elsewhere_is_filled_in_and_still_asked() {
    for store in each_store().await {
        let host = Host::new(store);
        let golden = [
            ("known", r#"{"first_name":"Ada","last_name":"Lovelace"}"#),
            ("single-word", r#"{"first_name":"Prince"}"#),
            ("nobody-knows", "{}"),
        ];
        for (name, expected) in golden {
            let who = subject(name);
            let running = host.started(&who).await;
            let form = host
                .signed_in()
                .prefill::<Person, _>(running)
                .await
                .unwrap();
            let fields = form.draft.fields();
            let fields = fields.map(|(name, field)| (name.to_owned(), field.value().clone()));
            let fields: serde_json::Map<_, _> = fields.collect();
            let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
            assert_eq!(serde_json::Value::Object(fields), expected);
            assert_eq!(host.next(&who).await, answer("person"), "{name} is let on");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_and_in_at_every_step_changes_nothing() {
    for store in each_store().await {
        let (host, who) = (Host::new(store), subject("org-1"));
        let left = async || {
            let status = host.signed_in().status(&host.tenant, &who).await.unwrap();
            let status = status.unwrap();
            (status.revision, status.current_step, status.percent)
        };
        let mut seen = Vec::new();
        let mut step = async |change: Change<Workspace, InProgress, InProgress>| {
            let _ = host.signed_in().commit(change).await.unwrap();
            host.work().await;
            let before = left().await;
            for _ in 0..3 {
                let onramp = host.signed_in();
                let found = onramp.enroll(&host.tenant, &who).await.unwrap();
                assert_eq!(found.revision(), before.0, "signing in changed something");
            }
            assert_eq!(left().await, before);
            seen.push(before.2);
        };
        step(host.started(&who).await.submit(person())).await;
        step(host.running(&who).await.submit(business())).await;
        step(host.running(&who).await.attest(subscribed())).await;
        assert!(seen.is_sorted(), "{seen:?}");
        assert_eq!(seen.last(), Some(&100));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_done_on_one_platform_is_not_done_on_another() {
    for store in each_store().await {
        let academy = Academy::steps().ask::<Person>().build().unwrap();
        let academy = Onramp::shared(Arc::clone(&store), academy);
        let (host, who) = (Host::new(store), subject("org-1"));
        let found = academy.enroll(&host.tenant, &who).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = academy.clear(&pending).await.unwrap();
        let running = academy.commit(pending.start(clearance)).await.unwrap();
        let last = running.submit(person()).and_complete();
        let done: Onboarding<Academy, Completed> = academy.commit(last).await.unwrap();
        assert!(done.revision() > Revision::new(1));
        let there = academy.admit(&host.tenant, &who).await;
        assert!(matches!(there, Admission::Granted(_)));
        assert_eq!(host.next(&who).await, NextAction::Enroll);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_behind_a_flag_that_is_off_says_so() {
    for store in each_store().await {
        let host = Host::new(store);
        for (name, on) in [("without", false), ("with", true)] {
            host.research.store(on, SeqCst);
            let who = subject(name);
            let running = host.started(&who).await;
            let onramp = host.signed_in();
            let running = onramp.commit(running.submit(person())).await.unwrap();
            let _ = onramp.commit(running.submit(business())).await.unwrap();
            host.work().await;
            let status = onramp.status(&host.tenant, &who).await.unwrap().unwrap();
            let step = status.steps.iter().find(|step| step.key == "research");
            let expected = match on {
                true => Standing::InProgress,
                false => Standing::NotApplicable,
            };
            assert_eq!(step.unwrap().state, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_for_an_answer_is_marked_as_that() {
    for store in each_store().await {
        let (host, who) = (Host::new(store), subject("org-1"));
        let running = host.started(&who).await;
        let id = running.id();
        let onramp = host.signed_in();
        let _ = onramp.commit(running.submit(person())).await.unwrap();
        let facts = onramp.facts(&host.tenant, id).await.unwrap();
        let first = Input::of(&facts, |it: Person| Some(it.first_name), String::new).unwrap();
        let last = Input::of(&facts, |it: Person| it.last_name, || "-".to_owned()).unwrap();
        assert_eq!(first, Input::Provided("Ada".to_owned()));
        assert_eq!(last, Input::Default("-".to_owned()));
    }
}
