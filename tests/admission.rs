//! Who may pass: what the store has just said, and nothing else.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod support;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use onramp::admission::{Admission, LegacyPolicy, LegacyRow, MismatchKind, Shadow};
use onramp::prelude::*;
use onramp::status::{NextAction, Status};
use onramp::store::{Error, ErrorKind, Row};
use onramp::testing::{Layer, Layered};
use support::{Company, Workspace, each_store};

/// A store that can be switched off.
struct Switched {
    store: Arc<dyn Store>,
    off: Arc<AtomicBool>,
}

#[async_trait]
impl Layer for Switched {
    fn inner(&self) -> &dyn Store {
        &*self.store
    }

    async fn find(&self, key: &onramp::Key) -> Result<Option<Row>, Error> {
        match self.off.load(SeqCst) {
            true => Err(Error::unavailable("the database does not answer")),
            false => self.store.find(key).await,
        }
    }
}

fn flow() -> Definition<Workspace> {
    Workspace::steps().ask::<Company>().build().unwrap()
}

fn ids(subject: &str) -> (TenantId, SubjectId) {
    (
        TenantId::new("acme").unwrap(),
        SubjectId::new(subject).unwrap(),
    )
}

async fn started(onramp: &Onramp<Workspace>, subject: &str) -> Onboarding<Workspace, InProgress> {
    let (tenant, subject) = ids(subject);
    let found = onramp.enroll(&tenant, &subject).await.unwrap();
    let pending = found.into_pending().unwrap();
    let clearance = onramp.clear(&pending).await.unwrap();
    onramp.commit(pending.start(clearance)).await.unwrap()
}

async fn completed(onramp: &Onramp<Workspace>, subject: &str) -> Onboarding<Workspace, Completed> {
    let running = started(onramp, subject).await;
    let company = Company {
        name: "Acme".into(),
    };
    let last = running.submit(company).and_complete();
    onramp.commit(last).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finished_on_one_device_passes_on_another() {
    for store in each_store().await {
        let (here, there) = (
            Onramp::shared(Arc::clone(&store), flow()),
            Onramp::shared(store, flow()),
        );
        let (tenant, subject) = ids("org-1");
        let before = here.admit(&tenant, &subject).await;
        assert!(matches!(before, Admission::Onboard(NextAction::Enroll)));
        let done = completed(&there, "org-1").await;
        let proof = here.admit(&tenant, &subject).await.granted().unwrap();
        assert_eq!(proof.onboarding(), done.id());
        assert_eq!(proof.revision(), done.revision());
        assert_eq!(proof.key(), done.key());
        let foreign = TenantId::new("other").unwrap();
        let elsewhere = here.admit(&foreign, &subject).await;
        assert!(matches!(elsewhere, Admission::Onboard(NextAction::Enroll)));
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_unknown_and_neither_lets_in_nor_sends_back() {
    let off = Arc::new(AtomicBool::new(false));
    let store = Arc::new(Layered(Switched {
        store: Arc::new(MemoryStore::new()),
        off: Arc::clone(&off),
    }));
    let onramp = Onramp::shared(store, flow());
    let _ = completed(&onramp, "done").await;
    let _ = started(&onramp, "half-way").await;
    off.store(true, SeqCst);
    for name in ["done", "half-way", "never-seen"] {
        let (tenant, subject) = ids(name);
        let Admission::Unknown(retry) = onramp.admit(&tenant, &subject).await else {
            unreachable!("{name}: the store said nothing")
        };
        assert!(retry.after().as_secs() > 0);
        assert_eq!(retry.cause().kind(), ErrorKind::Unavailable);
    }
    off.store(false, SeqCst);
    let (tenant, subject) = ids("done");
    assert!(onramp.admit(&tenant, &subject).await.granted().is_some());
}

#[tokio::test]
async fn a_waived_step_counts_and_is_in_the_journal() {
    let flow = Workspace::steps()
        .ask::<Company>()
        .expect::<support::Paid>();
    let onramp = Onramp::new(MemoryStore::new(), flow.build().unwrap());
    let (tenant, subject) = ids("org-1");
    let running = started(&onramp, "org-1").await;
    let company = Company {
        name: "Acme".into(),
    };
    let running = onramp.commit(running.submit(company)).await.unwrap();
    let shut = onramp.admit(&tenant, &subject).await;
    assert!(matches!(shut, Admission::Onboard(NextAction::Wait { .. })));
    let why = Reason::new("contract-1234").unwrap();
    let waive = running.waive::<support::Paid>(why, "ann").and_complete();
    let done = onramp.commit(waive).await.unwrap();
    let proof = onramp.admit(&tenant, &subject).await.granted().unwrap();
    assert_eq!(proof.revision(), done.revision());
    let entries = onramp
        .store()
        .journal(&tenant, done.id(), onramp::Revision::new(0), 99);
    let entries = entries.await.unwrap();
    let waived = entries.iter().find(|e| e.events.contains("step_waived"));
    assert_eq!(waived.unwrap().by, Actor::Operator("ann".into()));
}

#[tokio::test]
async fn the_first_login_is_stored_once_in_every_stage() {
    for store in each_store().await {
        let onramp = Onramp::shared(store, flow());
        let (tenant, subject) = ids("org-1");
        let times = async || {
            onramp
                .status(&tenant, &subject)
                .await
                .unwrap()
                .unwrap()
                .times
        };
        let done = completed(&onramp, "org-1").await;
        assert_eq!(times().await.first_login, None);
        let done = onramp.commit(done.login()).await.unwrap();
        let (revision, first) = (done.revision(), times().await);
        assert!(first.first_login.is_some());
        let done = onramp.commit(done.login()).await.unwrap();
        assert_eq!(done.revision(), revision, "once more is nothing new");
        assert_eq!(times().await, first);
        onramp.verify_journal(&tenant, done.id()).await.unwrap();
    }
}

#[tokio::test]
async fn signing_out_and_in_at_every_step_loses_nothing() {
    for store in each_store().await {
        let (tenant, subject) = ids("org-1");
        // Each session begins with nothing but the store.
        let session = || Onramp::shared(Arc::clone(&store), flow());
        let seen = async |revision: u64, next: NextAction| {
            let status = session().status(&tenant, &subject).await.unwrap().unwrap();
            assert_eq!(status.revision.get(), revision);
            assert_eq!(status.next_action, next);
            let granted = session().admit(&tenant, &subject).await.granted();
            assert_eq!(granted.is_some(), next == NextAction::Proceed);
        };
        let open = async || session().open(&tenant, &subject).await.unwrap().unwrap();
        let _ = session().enroll(&tenant, &subject).await.unwrap();
        seen(1, NextAction::Start).await;
        let pending = open().await.into_pending().unwrap();
        let clearance = session().clear(&pending).await.unwrap();
        let _ = session().commit(pending.start(clearance)).await.unwrap();
        let (step, optional) = ("company".into(), false);
        seen(2, NextAction::Answer { step, optional }).await;
        let company = Company {
            name: "Acme".into(),
        };
        let running = open().await.into_in_progress().unwrap();
        let _ = session().commit(running.submit(company)).await.unwrap();
        seen(3, NextAction::Complete).await;
        let running = open().await.into_in_progress().unwrap();
        let _ = session().commit(running.complete()).await.unwrap();
        seen(4, NextAction::Proceed).await;
    }
}

#[test]
fn the_older_rule_is_its_truth_table() {
    let table = [
        (false, false, false, false, false),
        (false, true, true, false, false),
        (true, false, true, false, true),
        (true, true, true, true, true),
    ];
    for (status_complete, setup_completed, or, and, alone) in table {
        let row = LegacyRow {
            status_complete,
            setup_completed,
        };
        assert_eq!(LegacyPolicy::StatusOrFlag.is_complete(row), or, "{row:?}");
        assert_eq!(LegacyPolicy::StatusAndFlag.is_complete(row), and, "{row:?}");
        assert_eq!(LegacyPolicy::StatusAlone.is_complete(row), alone, "{row:?}");
    }
}

#[tokio::test]
async fn seeded_drift_is_reported_and_refuses_the_cut_over_until_it_is_gone() {
    let onramp = Onramp::new(MemoryStore::new(), flow());
    let _ = completed(&onramp, "done").await;
    let _ = started(&onramp, "half-way").await;
    let shadow = Shadow::new(NonZeroU64::new(10).unwrap()).examples(3);
    let read = async |name: &str, legacy: bool| {
        let (tenant, subject) = ids(name);
        let admission = onramp.admit(&tenant, &subject).await;
        let decides = shadow.compare(&tenant, &subject, legacy, &admission);
        assert_eq!(decides, legacy, "the older system decides for now");
    };
    for _ in 0..9 {
        read("done", true).await;
    }
    assert!(shadow.cut_over().is_err(), "nine are not ten");
    read("half-way", true).await; // drift: it lets in whom we would not
    read("done", false).await; // and keeps out whom we would let in
    for _ in 0..9 {
        read("half-way", false).await;
    }
    let report = shadow.cut_over().unwrap_err().report;
    assert_eq!((report.only_legacy, report.only_new), (1, 1));
    assert_eq!(report.agreed_in_a_row, 9, "counted anew after a difference");
    let kinds: Vec<_> = report.examples.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [MismatchKind::OnlyLegacy, MismatchKind::OnlyNew]);
    assert_eq!(report.examples[0].subject.as_str(), "half-way");
    read("done", true).await;
    assert_eq!(shadow.cut_over().unwrap().reads(), 10);

    for _ in 0..50 {
        read("half-way", true).await;
    }
    let report = shadow.report();
    assert_eq!(
        (report.only_legacy, report.examples.len()),
        (51, 3),
        "bounded"
    );
    assert!(shadow.cut_over().is_err(), "it can be lost again");
}

#[tokio::test]
async fn what_is_unknown_agrees_with_nothing() {
    let off = Arc::new(AtomicBool::new(true));
    let store = Arc::new(Layered(Switched {
        store: Arc::new(MemoryStore::new()),
        off,
    }));
    let onramp = Onramp::shared(store, flow());
    let shadow = Shadow::new(NonZeroU64::MIN);
    let (tenant, subject) = ids("org-1");
    for legacy in [true, false] {
        let admission = onramp.admit(&tenant, &subject).await;
        shadow.compare(&tenant, &subject, legacy, &admission);
    }
    assert_eq!(shadow.report().unknown, 2);
    assert!(shadow.cut_over().is_err());
}

#[tokio::test]
async fn a_forged_status_opens_nothing() {
    let onramp = Onramp::new(MemoryStore::new(), flow());
    let _ = started(&onramp, "org-1").await;
    let (tenant, subject) = ids("org-1");
    let honest = onramp.status(&tenant, &subject).await.unwrap().unwrap();
    let mut forged = serde_json::to_value(&honest).unwrap();
    forged["needs_onboarding"] = false.into();
    forged["stage"] = "completed".into();
    forged["revision"] = 99.into();
    let forged: Status = serde_json::from_value(forged).unwrap();
    assert!(!forged.needs_onboarding, "it is easily forged");
    // There is nothing to give it to: admission asks the store.
    assert!(onramp.admit(&tenant, &subject).await.granted().is_none());
}
