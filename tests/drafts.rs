//! Forms that are not finished: saved, filled in from what is known elsewhere, overtaken, submitted,
//! erased.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::flow::DraftField;
use onramp::prelude::*;
use onramp::{Key, SourceName};
use serde::{Deserialize, Serialize};
use support::each_store;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    first: String,
    last: String,
    country: String,
}
impl Step for Person {
    const NAME: &'static str = "person";
}
impl Answer<Signup> for Person {}

#[derive(Serialize, Deserialize)]
struct Terms(bool);
impl Step for Terms {
    const NAME: &'static str = "terms";
}
impl Answer<Signup> for Terms {}

/// A CRM whose entries change.
struct Crm(Arc<Mutex<Vec<(&'static str, &'static str)>>>);
impl Prefill<Signup> for Crm {
    type Answer = Person;
    const SOURCE: &'static str = "crm";
    async fn known(&self, _: &Key) -> Result<Draft<Person>, PrefillError> {
        let entries = self.0.lock().unwrap().clone();
        let mut draft = Draft::new();
        for (field, value) in entries {
            draft = draft.with(field, value).map_err(PrefillError::new)?;
        }
        Ok(draft)
    }
}

/// An identity provider that fails in one way or another.
struct Provider(Arc<AtomicU8>);
impl Prefill<Signup> for Provider {
    type Answer = Person;
    const SOURCE: &'static str = "identity";
    async fn known(&self, _: &Key) -> Result<Draft<Person>, PrefillError> {
        match self.0.load(SeqCst) {
            0 => Draft::new().with("first", "Ada").map_err(PrefillError::new),
            1 => Err(PrefillError::new("connection refused")),
            2 => std::future::pending().await,
            _ => panic!("a bug in the source"),
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(50)
    }
}

struct Desk {
    onramp: Onramp<Signup>,
    crm: Arc<Mutex<Vec<(&'static str, &'static str)>>>,
    provider: Arc<AtomicU8>,
    tenant: TenantId,
}

impl Desk {
    fn new(store: Arc<dyn Store>) -> Self {
        let (crm, provider) = (Arc::default(), Arc::default());
        let flow = Signup::steps()
            .ask::<Person>()
            .prefill(Crm(Arc::clone(&crm)))
            .prefill(Provider(Arc::clone(&provider)))
            .ask::<Terms>();
        Self {
            onramp: Onramp::shared(store, flow.build().unwrap()),
            crm,
            provider,
            tenant: TenantId::new("acme").unwrap(),
        }
    }

    async fn pending(&self, subject: &str) -> Onboarding<Signup, Pending> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(&self.tenant, &subject).await.unwrap();
        found.into_pending().unwrap()
    }

    async fn running(&self, subject: &str) -> Onboarding<Signup, InProgress> {
        let pending = self.pending(subject).await;
        let clearance = self.onramp.clear(&pending).await.unwrap();
        self.onramp.commit(pending.start(clearance)).await.unwrap()
    }

    async fn saved(&self, id: OnboardingId) -> Option<Draft<Person>> {
        self.onramp.draft(&self.tenant, id).await.unwrap()
    }
}

fn text(field: Option<&DraftField>) -> Option<&str> {
    field.and_then(|field| field.value().as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_kept_settles_nothing_and_goes_with_the_answer() {
    for store in each_store().await {
        let desk = Desk::new(store);
        let running = desk.running("user-1").await;
        let id = running.id();
        let draft = Draft::<Person>::new().with("first", "Ada").unwrap();
        let running = desk.onramp.commit(running.draft(&draft)).await.unwrap();
        assert!(!running.has::<Person>());
        assert_eq!(desk.saved(id).await, Some(draft.clone()));
        let facts = desk.onramp.facts(&desk.tenant, id).await.unwrap();
        assert!(facts.is_empty(), "a draft is no fact");
        desk.onramp.verify_journal(&desk.tenant, id).await.unwrap();

        let draft = draft.with("last", "Lovelace").unwrap();
        let draft = draft.with("country", "GB").unwrap();
        let running = desk.onramp.commit(running.draft(&draft)).await.unwrap();
        let person = desk.saved(id).await.unwrap().finish().unwrap();
        let running = desk.onramp.commit(running.submit(person)).await.unwrap();
        assert_eq!(desk.saved(id).await, None);

        // An answer is revised by way of a draft, too.
        let person = desk.onramp.fact::<Person>(&desk.tenant, id).await.unwrap();
        let draft = Draft::from_answer(&person.unwrap()).unwrap();
        let draft = draft.with("country", "IN").unwrap();
        let running = desk.onramp.commit(running.draft(&draft)).await.unwrap();
        let person = desk.onramp.fact::<Person>(&desk.tenant, id).await.unwrap();
        assert_eq!(person.unwrap().country, "GB", "not revised yet");
        let revised = desk.saved(id).await.unwrap().finish().unwrap();
        let _ = desk.onramp.commit(running.revise(revised)).await.unwrap();
        assert_eq!(desk.saved(id).await, None);
        desk.onramp.verify_journal(&desk.tenant, id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_on_an_older_revision_is_refused_with_what_is_there_now() {
    for store in each_store().await {
        let desk = Desk::new(store);
        let one_tab = desk.running("user-1").await;
        let subject = one_tab.subject().clone();
        let other = desk.onramp.open(&desk.tenant, &subject).await.unwrap();
        let other = other.unwrap().into_in_progress().unwrap();
        let id = one_tab.id();

        let first = Draft::<Person>::new().with("first", "Ada").unwrap();
        let saved = desk.onramp.commit(one_tab.draft(&first)).await.unwrap();
        let second = Draft::<Person>::new().with("first", "Grace").unwrap();
        match desk.onramp.commit(other.draft(&second)).await {
            Err(CommitError::Conflict(conflict)) => {
                assert_eq!(conflict.current.revision(), saved.revision());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(desk.saved(id).await, Some(first));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_fills_in_completes_nothing_and_never_overwrites_an_edit() {
    for store in each_store().await {
        let desk = Desk::new(store);
        *desk.crm.lock().unwrap() = vec![("first", "A."), ("last", "King"), ("country", "GB")];
        let pending = desk.pending("user-1").await;
        let form = desk.onramp.prefill::<Person, _>(pending).await.unwrap();
        // Whoever comes first has said what the first name is; the other source cannot.
        assert_eq!(text(form.draft.field("first")), Some("A."));
        let crm = SourceName::from_static("crm");
        assert_eq!(form.draft.sources(), std::slice::from_ref(&crm));
        assert_eq!(form.draft.field("last").unwrap().source(), Some(&crm));
        assert!(
            !form.onboarding.has::<Person>(),
            "prefill completes nothing"
        );
        let step = form.onboarding.step("person").unwrap();
        assert_eq!(step.sources(), std::slice::from_ref(&crm));
        let revision = form.onboarding.revision();

        // Opened again, nothing is new, so nothing is written.
        let again = desk.onramp.prefill::<Person, _>(form.onboarding).await;
        let again = again.unwrap();
        assert_eq!(again.onboarding.revision(), revision);

        // The subject edits; a later import does not bring the old name back, but renews the rest.
        let form = Draft::from_json(r#"{"first":"A.","last":"Lovelace","country":"GB"}"#).unwrap();
        let edited = again.draft.edited_by(form);
        assert_eq!(edited.field("last").unwrap().source(), None);
        assert_eq!(edited.field("first").unwrap().source(), Some(&crm));
        let pending = desk.onramp.commit(again.onboarding.draft(&edited)).await;
        *desk.crm.lock().unwrap() = vec![("last", "Byron"), ("country", "IN")];
        let form = desk.onramp.prefill::<Person, _>(pending.unwrap()).await;
        let form = form.unwrap();
        assert_eq!(text(form.draft.field("last")), Some("Lovelace"));
        assert_eq!(text(form.draft.field("country")), Some("IN"));

        let clearance = desk.onramp.clear(&form.onboarding).await.unwrap();
        let running = desk.onramp.commit(form.onboarding.start(clearance)).await;
        let person = form.draft.finish().unwrap();
        let running = desk.onramp.commit(running.unwrap().submit(person)).await;
        let running = running.unwrap();
        assert_eq!(
            running.step("person").unwrap().sources(),
            [crm],
            "provenance is kept"
        );
        let form = desk.onramp.prefill::<Person, _>(running).await.unwrap();
        assert!(
            form.draft.is_empty(),
            "an answer that is given is not filled in"
        );
    }
}

#[tokio::test]
async fn a_source_that_fails_hangs_or_panics_keeps_nobody_waiting() {
    let desk = Desk::new(Arc::new(MemoryStore::new()));
    *desk.crm.lock().unwrap() = vec![("last", "King")];
    for (how, why) in [
        (1, "connection refused"),
        (2, "it took too long"),
        (3, "it panicked"),
    ] {
        desk.provider.store(how, SeqCst);
        let pending = desk.pending(&format!("user-{how}")).await;
        let form = desk.onramp.prefill::<Person, _>(pending).await.unwrap();
        assert_eq!(text(form.draft.field("last")), Some("King"));
        let [(source, error)] = &form.unavailable[..] else {
            panic!("{form:?}")
        };
        assert_eq!(
            (source.as_str(), error.to_string().as_str()),
            ("identity", why)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_exported_and_erased_with_its_subject() {
    for store in each_store().await {
        let desk = Desk::new(Arc::clone(&store));
        let running = desk.running("user-1").await;
        let (id, subject) = (running.id(), running.subject().clone());
        let draft = Draft::<Person>::new().with("first", "Canary").unwrap();
        let running = desk.onramp.commit(running.draft(&draft)).await.unwrap();
        assert!(!format!("{draft:?}").contains("Canary"));
        let export = store.export_subject(&desk.tenant, &subject).await.unwrap();
        let [onboarding] = &export.onboardings[..] else {
            panic!("{export:?}")
        };
        assert!(onboarding.facts.is_empty());
        assert_eq!(onboarding.drafts[0].step, "person");
        assert!(onboarding.drafts[0].value.get().contains("Canary"));

        let ending: Onboarding<Signup, InProgress> =
            desk.onramp.commit(running.cancel()).await.unwrap();
        drop(ending);
        let engine = onramp::engine::Engine::builder(Arc::clone(&store))
            .flow(desk.onramp.flow())
            .build();
        engine.run_until_idle().await.unwrap();
        let erasure = desk
            .onramp
            .erase_subject(&desk.tenant, &subject, &Actor::Host)
            .await
            .unwrap();
        assert_eq!(erasure.erased, [id]);
        assert_eq!(desk.saved(id).await, None);
        assert!(store.facts(&desk.tenant, id).await.unwrap().is_empty());
        desk.onramp.verify_journal(&desk.tenant, id).await.unwrap();
    }
}

#[test]
fn a_source_for_what_is_not_asked_is_refused() {
    let flow = Signup::steps().ask::<Terms>().prefill(Crm(Arc::default()));
    let why = flow.build().unwrap_err().to_string();
    assert!(why.contains("source \"crm\" fills in \"person\""), "{why}");
}
