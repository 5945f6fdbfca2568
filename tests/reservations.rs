//! What only one onboarding may have: slugs of companies with one name, and what becomes of them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use onramp::engine::Engine;
use onramp::fields::SlugPolicy;
use onramp::flow::Reservation;
use onramp::prelude::*;
use onramp::store::NotAppliedBecause;
use serde::{Deserialize, Serialize};
use support::each_store;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company {
    name: String,
    tax_number: String,
}
impl Step for Company {
    const NAME: &'static str = "company";

    fn reserves(&self) -> Vec<Reservation> {
        vec![Reservation::in_tenant("tax_number", &self.tax_number)]
    }
}
impl Answer<Signup> for Company {}

#[derive(Serialize, Deserialize)]
struct Address {
    slug: String,
}
impl Step for Address {
    const NAME: &'static str = "address";

    fn reserves(&self) -> Vec<Reservation> {
        vec![Reservation::everywhere("slug", &self.slug)]
    }
}

struct ChooseAddress;
impl Task<Signup> for ChooseAddress {
    type Needs = Company;
    type Output = Address;

    async fn run(&self, cx: &TaskContext, company: Company) -> Result<Address, TaskError> {
        let (seed, round) = (cx.onboarding().as_uuid().as_u128(), cx.attempt() - 1);
        let slug = SlugPolicy::default().candidate(&company.name, seed, round);
        Ok(Address {
            slug: slug.as_str().to_owned(),
        })
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::new(5).base(Duration::from_millis(1))
    }
}

struct Desk {
    onramp: Onramp<Signup>,
    engine: Engine,
}

impl Desk {
    fn new(store: Arc<dyn Store>) -> Self {
        let flow = Signup::steps().ask::<Company>().run(ChooseAddress);
        let flow = flow.build().unwrap();
        let engine = Engine::builder(Arc::clone(&store)).flow(&flow).build();
        let onramp = Onramp::shared(store, flow);
        Self { onramp, engine }
    }

    async fn running(&self, tenant: &TenantId, subject: &str) -> Onboarding<Signup, InProgress> {
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.enroll(tenant, &subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = self.onramp.clear(&pending).await.unwrap();
        self.onramp.commit(pending.start(clearance)).await.unwrap()
    }

    async fn slug(&self, tenant: &TenantId, id: OnboardingId) -> Option<String> {
        let address = self.onramp.fact::<Address>(tenant, id).await.unwrap();
        address.map(|address| address.slug)
    }
}

fn company(name: &str, tax_number: impl ToString) -> Company {
    Company {
        name: name.to_owned(),
        tax_number: tax_number.to_string(),
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn companies_of_one_name_get_addresses_of_their_own() {
    for (index, store) in each_store().await.into_iter().enumerate() {
        let desk = Desk::new(store);
        // A thousand on the memory store; enough to collide on the others.
        let many = if index == 0 { 1_000 } else { 40 };
        let mut all = Vec::new();
        for n in 0..many {
            let of = tenant(&format!("tenant-{}", n % 7));
            let running = desk.running(&of, &format!("org-{n}")).await;
            let id = running.id();
            let change = running.submit(company("Müller & Söhne", n));
            let _ = desk.onramp.commit(change).await.unwrap();
            all.push((of, id));
        }
        desk.engine.run_until_idle().await.unwrap();
        let mut slugs = BTreeSet::new();
        for (of, id) in &all {
            let slug = desk.slug(of, *id).await.unwrap();
            assert!(slugs.insert(slug.clone()), "{slug} twice on store {index}");
        }
        assert_eq!(slugs.len(), all.len());
        assert!(slugs.contains("muller-sohne"), "{:?}", slugs.first());
        assert!(slugs.iter().all(|slug| slug.starts_with("muller-sohne")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_has_is_refused_until_it_is_free() {
    for store in each_store().await {
        let desk = Desk::new(store);
        let (acme, other) = (tenant("acme"), tenant("other"));
        let first = desk.running(&acme, "org-1").await;
        let first = desk.onramp.commit(first.submit(company("A", 1))).await;
        let first = first.unwrap();
        let second = desk.running(&acme, "org-2").await;
        let second = match desk.onramp.commit(second.submit(company("B", 1))).await {
            Err(CommitError::NotApplied(not)) => {
                let taken =
                    matches!(&not.because, NotAppliedBecause::Taken { step } if *step == "company");
                assert!(taken, "{}", not.because);
                assert!(
                    !not.because.to_string().contains('1'),
                    "the value is nobody's affair"
                );
                not.onboarding
            }
            other => panic!("{other:?}"),
        };
        assert!(!second.has::<Company>());
        // In another tenant it is another number.
        let elsewhere = desk.running(&other, "org-3").await;
        let _ = desk
            .onramp
            .commit(elsewhere.submit(company("C", 1)))
            .await
            .unwrap();

        // Whoever changes the number frees the old one.
        let first = desk.onramp.commit(first.revise(company("A", 2))).await;
        let second = desk.onramp.commit(second.submit(company("B", 1))).await;
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(second.has::<Company>());
        desk.onramp.verify_journal(&acme, first.id()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_or_erased_is_free() {
    for store in each_store().await {
        let desk = Desk::new(store);
        let acme = tenant("acme");
        let running = desk.running(&acme, "org-1").await;
        let (id, subject) = (running.id(), running.subject().clone());
        let running = desk.onramp.commit(running.submit(company("Acme", 1))).await;
        let cancelled: Onboarding<Signup, InProgress> =
            desk.onramp.commit(running.unwrap().cancel()).await.unwrap();
        drop(cancelled);
        desk.engine.run_until_idle().await.unwrap();
        assert_eq!(desk.slug(&acme, id).await, None);
        let erased = desk
            .onramp
            .erase_subject(&acme, &subject, &Actor::Host)
            .await;
        assert_eq!(erased.unwrap().erased, [id]);

        let next = desk.running(&acme, "org-2").await;
        let next_id = next.id();
        let _ = desk
            .onramp
            .commit(next.submit(company("Acme", 1)))
            .await
            .unwrap();
        desk.engine.run_until_idle().await.unwrap();
        assert_eq!(desk.slug(&acme, next_id).await.as_deref(), Some("acme"));
    }
}

#[test]
fn a_space_that_cannot_be_stored_is_refused() {
    #[derive(Serialize, Deserialize)]
    struct Odd;
    impl Step for Odd {
        const NAME: &'static str = "odd";
        fn reserves(&self) -> Vec<Reservation> {
            vec![Reservation::everywhere("No Space", "x")]
        }
    }
    let why = onramp::flow::EncodedFact::encode(&Odd).unwrap_err();
    assert!(
        why.to_string().contains("reserves in \"No Space\""),
        "{why}"
    );
}
