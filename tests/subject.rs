//! All that is known of a subject is handed out, and erased, across its onboardings.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use onramp::lifecycle::{Operation, Rejected, StageKind};
use onramp::prelude::*;
use onramp::{Clock, SystemClock};
use serde_json::Value;
use support::{Company, Desk, Faults, each_store};

/// Another flow, for the same subjects.
struct Survey;
impl Flow for Survey {
    const NAME: &'static str = "survey";
    const VERSION: u32 = 1;
}
impl Answer<Survey> for Company {}

async fn surveyed(desk: &Desk, subject: &str) -> Onramp<Survey> {
    let flow = Survey::steps().ask::<Company>().build().unwrap();
    let survey = Onramp::shared(std::sync::Arc::clone(desk.onramp.store()), flow);
    let subject = SubjectId::new(subject).unwrap();
    let found = survey.enroll(desk.tenant(), &subject).await.unwrap();
    let pending = found.into_pending().unwrap();
    let clearance = survey.clear(&pending).await.unwrap();
    let running = survey.commit(pending.start(clearance)).await.unwrap();
    let name = "Survey GmbH".to_owned();
    let _ = survey
        .commit(running.submit(Company { name }))
        .await
        .unwrap();
    survey
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_of_a_subject_is_exported() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("org-1").await;
        desk.paid("org-2").await;
        desk.engine().run_until_idle().await.unwrap();
        surveyed(&desk, "org-1").await;
        let subject = SubjectId::new("org-1").unwrap();
        let store = desk.onramp.store();
        let export = store.export_subject(desk.tenant(), &subject).await.unwrap();
        assert!(!format!("{export:?}").contains("Acme"), "it is personal");
        let json = serde_json::to_value(&export).unwrap();
        let [workspace, survey] = json["onboardings"].as_array().unwrap().as_slice() else {
            unreachable!("two flows")
        };
        assert_eq!(workspace["stage"], "completed");
        assert_eq!(survey["flow"], "survey");
        let fact = |of: &Value, step: &str| {
            let facts = of["facts"].as_array().unwrap();
            facts
                .iter()
                .find(|fact| fact["step"] == step)
                .cloned()
                .unwrap()
        };
        assert_eq!(fact(survey, "company")["value"]["name"], "Survey GmbH");
        assert_eq!(fact(workspace, "company")["by"], "subject");
        let journal = workspace["journal"].as_array().unwrap();
        assert_eq!(
            journal.len() as u64,
            workspace["revision"].as_u64().unwrap()
        );
        assert_eq!(journal[0]["events"][0]["event"], "created");

        let other = TenantId::new("other").unwrap();
        let foreign = store.export_subject(&other, &subject).await.unwrap();
        assert!(foreign.onboardings.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subject_is_erased_across_its_flows() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("org-1").await;
        desk.paid("org-2").await;
        desk.engine().run_until_idle().await.unwrap();
        let survey = surveyed(&desk, "org-1").await;
        let subject = SubjectId::new("org-1").unwrap();
        let (tenant, by) = (desk.tenant(), Actor::Operator("ann".into()));
        let done = desk.open("org-1").await.id();
        let open = survey.open(tenant, &subject).await.unwrap().unwrap().id();

        let erasure = desk
            .onramp
            .erase_subject(tenant, &subject, &by)
            .await
            .unwrap();
        assert_eq!(erasure.erased, [done]);
        let goes_on = Rejected::WrongStage {
            operation: Operation::Erase,
            stage: StageKind::InProgress,
        };
        assert_eq!(erasure.kept, [(open, goes_on)]);

        let running = survey.open(tenant, &subject).await.unwrap().unwrap();
        let running = running.into_in_progress().unwrap();
        let _ = survey.commit(running.cancel()).await.unwrap();
        let engine = onramp::engine::Engine::builder(std::sync::Arc::clone(survey.store()))
            .flow(survey.flow())
            .build();
        engine.run_until_idle().await.unwrap();
        let erasure = desk
            .onramp
            .erase_subject(tenant, &subject, &by)
            .await
            .unwrap();
        assert!(erasure.kept.is_empty(), "{:?}", erasure.kept);
        assert_eq!(erasure.erased.len(), 2);

        let store = desk.onramp.store();
        let export = store.export_subject(tenant, &subject).await.unwrap();
        assert!(export.onboardings.iter().all(|of| of.facts.is_empty()));
        assert!(export.onboardings.iter().all(|of| of.erased_at.is_some()));
        for id in [done, open] {
            let verified = store.verify_journal(tenant, id).await.unwrap();
            assert_eq!(verified.facts, 0);
        }
        let other = desk.open("org-2").await.id();
        assert!(!store.facts(tenant, other).await.unwrap().is_empty());
        let completed = desk.open("org-1").await.into_completed().unwrap();
        assert!(!completed.has::<Company>(), "it has none any more");

        let no = store
            .erase_subject(tenant, &subject, &Actor::Subject, SystemClock.now())
            .await
            .unwrap();
        assert_eq!(no.kept.len(), 2, "only hosts and operators may");
    }
}

/// Also not in what the database let go of.
#[tokio::test]
async fn an_erased_fact_is_not_in_the_file_any_more() {
    const CANARY: &str = "Canary Trading GmbH";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("onramp.db");
    let store = SqliteStore::open(&file).await.unwrap();
    let desk = Desk::new(std::sync::Arc::new(store.clone()), Faults::default());
    for n in 0..20 {
        let pending = desk.pending(&format!("org-{n}")).await;
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
        let name = format!("{CANARY} {}", "x".repeat(n * 400));
        let running = desk
            .onramp
            .commit(running.submit(Company { name }))
            .await
            .unwrap();
        let _ = desk.onramp.commit(running.cancel()).await.unwrap();
    }
    desk.engine().run_until_idle().await.unwrap();
    let by = Actor::Operator("ann".into());
    for n in 0..20 {
        let subject = SubjectId::new(format!("org-{n}")).unwrap();
        let erasure = desk
            .onramp
            .erase_subject(desk.tenant(), &subject, &by)
            .await;
        assert_eq!(erasure.unwrap().erased.len(), 1);
    }
    store.close().await;
    let mut read = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        read += bytes.len();
        let found = bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes());
        assert!(!found, "it is still there");
    }
    assert!(read > 40_000);
}
