//! What another system knew is taken over once, honestly, and whatever its files hold.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod import {
    mod crashes;
    mod hostile;
    mod sources;
}
mod support;

use chrono::{DateTime, TimeDelta, Utc};
use onramp::admission::{Admission, LegacyPolicy, LegacyRow};
use onramp::flow::Reservation;
use onramp::import::{Conflict, Entry, Import, Imported, Record, Reject, Report, csv, rows};
use onramp::insight::Cohort;
use onramp::lifecycle::StageKind;
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use support::{Company, Dataset, Desk, Faults, Paid, Workspace, each_store};

const USERS: &str = "\
user,company,invoice,status,setup_completed,first_login_at,started_at,done_at
u1,Acme,inv-1,complete,f,2023-05-01T08:00:00Z,2023-05-01T08:01:00Z,2023-05-02T12:00:00Z
u2,Initech,,open,true,,2023-06-01 09:00:00+02,
u3,\"Hooli, \"\"the\"\" company\",inv-3,open,f,2023-07-01T10:00:00Z,,
u4,,,open,f,,,
u5,Pied Piper,,complete
u6,Globex,inv-6,open,maybe,,,
 u7,Umbrella,inv-7,open,f,,,
u8,Soylent,inv-8,open,f,2023-07-01 10:00:00,,
u9,Cyberdyne,,open,f,2093-07-01T10:00:00Z,,
u1,Acme Again,,open,f,,,
";

fn users() -> impl Iterator<Item = Entry> {
    csv("users.csv", USERS.as_bytes())
}

fn user(record: &Record) -> Result<Imported<Workspace>, Reject> {
    let subject = SubjectId::new(record.text("user")?)?;
    let row = LegacyRow {
        status_complete: record.text("status")? == "complete",
        setup_completed: record.flag("setup_completed")?,
    };
    let mut imported = Imported::new(TenantId::new("acme")?, subject)
        .first_login(record.maybe_time("first_login_at")?)
        .started(record.maybe_time("started_at")?)
        .completed(record.maybe_time("done_at")?)
        .complete_by(LegacyPolicy::StatusOrFlag, row);
    if let Some(name) = record.maybe_text("company")? {
        let name = name.to_owned();
        imported = imported.answer(Company { name });
    }
    if let Some(invoice) = record.maybe_text("invoice")? {
        let invoice = invoice.to_owned();
        imported = imported.evidence(Paid { invoice });
    }
    Ok(imported)
}

async fn imported(desk: &Desk) -> Report {
    let mut import = Import::into(&desk.onramp, "crm").map(user);
    import.run(users()).await.unwrap()
}

fn at(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

const REPORT: &str = "\
crm: 10 read, 4 imported (2 complete, 2 pending), 0 filled, 0 unchanged, 0 kept, 6 quarantined
  users.csv:6: 4 columns, and the header has 8: check quotes and separators
  users.csv:7: \"setup_completed\" is no flag: write true or false
  users.csv:8: subject id starts or ends with white space: trim it
  users.csv:9: \"first_login_at\" has no offset from UTC: write one, or read it as UTC if that is what it is
  users.csv:10: the times do not fit: one of them is in the future
  users.csv:11: another record of this run is of the same subject: make one of them";

#[tokio::test]
async fn the_report_tells_what_became_of_every_record() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let report = imported(&desk).await;
        assert_eq!(report.to_string(), REPORT);
        let told = serde_json::to_value(&report).unwrap();
        assert_eq!(told["source"], "crm");
        assert_eq!(told["quarantined"], 6);
        assert_eq!(told["rejected"][1]["from"], "users.csv");
        assert_eq!(told["rejected"][1]["line"], 7);
        for subject in ["u1", "u2", "u3", "u4"] {
            desk.journal_holds(subject).await;
            let id = desk.open(subject).await.id();
            let verified = desk.onramp.verify_journal(desk.tenant(), id).await.unwrap();
            assert_eq!(verified.entries, 2, "{subject}");
        }
    }
}

#[tokio::test]
async fn whoever_was_complete_passes_and_the_journal_says_why() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        imported(&desk).await;
        let tenant = desk.tenant();
        for (subject, passes) in [("u1", true), ("u2", true), ("u3", false), ("u4", false)] {
            let subject = SubjectId::new(subject).unwrap();
            let admission = desk.onramp.admit(tenant, &subject).await;
            assert_eq!(
                matches!(admission, Admission::Granted(_)),
                passes,
                "{subject}"
            );
        }

        let done = desk.open("u1").await.into_state();
        assert_eq!(done.stage(), StageKind::Completed);
        assert_eq!(done.first_login_at(), at("2023-05-01T08:00:00Z"));
        assert_eq!(done.started_at(), at("2023-05-01T08:01:00Z"));
        assert_eq!(done.completed_at(), at("2023-05-02T12:00:00Z"));
        assert_eq!(done.imported().unwrap().source, "crm");
        let journal = desk.onramp.store();
        let journal = journal
            .journal(tenant, done.id(), onramp::Revision::new(1), 9)
            .await;
        let [entry] = &journal.unwrap()[..] else {
            panic!()
        };
        assert_eq!(entry.by, Actor::Host);
        assert!(
            entry
                .events
                .contains(r#""event":"imported","source":"crm""#),
            "{}",
            entry.events
        );
        assert!(!entry.events.contains("Acme"));
        // Nobody is welcomed for what happened years ago, and no worker is woken.
        let engine = desk.engine();
        engine.run_until_idle().await.unwrap();
        assert_eq!(desk.world.existing(), 0);
        let lag = desk.onramp.store().outbox_lag().await.unwrap();
        assert!(lag.oldest.is_none(), "{lag:?}");
        // No time of completion was known: that of the import stands in for it.
        let done = desk.open("u2").await.into_state();
        assert_eq!(done.completed_at(), Some(done.imported().unwrap().at));
    }
}

#[tokio::test]
async fn a_funnel_counts_them_where_they_began_and_the_journal_where_they_came() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let before = Utc::now();
        imported(&desk).await;
        let of = async |from: &str, until: &str| {
            let (from, until) = (at(from).unwrap(), at(until).unwrap());
            let cohort = Cohort::created_between(from, until);
            desk.onramp.funnel(&cohort).await.unwrap().total
        };
        let may = of("2023-05-01T08:00:00Z", "2023-05-01T08:00:01Z").await;
        assert_eq!((may.enrolled, may.completed), (1, 1), "its first login");
        let june = of("2023-06-01T07:00:00Z", "2023-06-01T07:00:01Z").await;
        assert_eq!((june.enrolled, june.completed), (1, 1), "its start");
        let july = of("2023-07-01T00:00:00Z", "2023-07-02T00:00:00Z").await;
        assert_eq!((july.enrolled, july.completed), (1, 0));
        // Of one nothing was known.
        let today = Cohort::created_between(before, Utc::now() + TimeDelta::minutes(1));
        let today = desk.onramp.funnel(&today).await.unwrap().total;
        assert_eq!(today.enrolled, 1);
        let everyone = desk.onramp.funnel(&Cohort::everyone()).await.unwrap().total;
        assert_eq!(everyone.enrolled, 4);
        for subject in ["u1", "u4"] {
            let state = desk.open(subject).await.into_state();
            assert!(state.created_at() >= before, "{subject}");
        }
    }
}

#[tokio::test]
async fn whoever_was_half_way_goes_on_from_there_once_the_gates_are_open() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        imported(&desk).await;
        let pending = desk.open("u3").await.into_pending().unwrap();
        let (tenant, id) = (desk.tenant().clone(), pending.id());
        desk.faults.lock().unwrap().gate_closed = true;
        assert!(desk.onramp.clear(&pending).await.is_err());
        desk.faults.lock().unwrap().gate_closed = false;
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
        assert!(running.has::<Company>() && running.has::<Paid>());
        desk.engine().run_until_idle().await.unwrap();
        let done = desk.open("u3").await.into_state();
        assert_eq!(done.stage(), StageKind::Completed);
        let company = desk.onramp.fact::<Company>(&tenant, id).await.unwrap();
        assert_eq!(company.unwrap().name, "Hooli, \"the\" company");
        desk.journal_holds("u3").await;
    }
}

#[tokio::test]
async fn what_was_built_elsewhere_is_not_built_again_and_is_taken_back_with_the_rest() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let key = uuid::Uuid::now_v7();
        desk.world
            .effects
            .lock()
            .unwrap()
            .insert(key, "create_dataset");
        let tenant = desk.tenant().clone();
        let mut import = Import::into(&desk.onramp, "crm").map(|record| {
            let of = "Acme".to_owned();
            Ok(
                Imported::new(tenant.clone(), SubjectId::new(record.text("user")?)?)
                    .answer(Company { name: of.clone() })
                    .built(Dataset { key, of }),
            )
        });
        let users = ["u1", "u2"].map(|user| json!({ "user": user }));
        import.run(rows("users", users)).await.unwrap();

        let pending = desk.open("u2").await.into_pending().unwrap();
        let clearance = desk.onramp.clear(&pending).await.unwrap();
        let running = desk.onramp.commit(pending.start(clearance)).await.unwrap();
        let invoice = "inv-2".to_owned();
        let _ = desk
            .onramp
            .commit(running.attest(Paid { invoice }))
            .await
            .unwrap();
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(
            desk.open("u2").await.into_state().stage(),
            StageKind::Completed
        );
        assert_eq!(
            desk.world.keys.lock().unwrap().len(),
            1,
            "only the site was built"
        );

        let pending = desk.open("u1").await.into_pending().unwrap();
        let failed = desk.onramp.commit(pending.cancel()).await.unwrap();
        // It never began here, so it cannot be retried; what exists is left to an operator.
        assert_eq!(failed.stage().remaining, ["create_dataset"]);
        desk.journal_holds("u1").await;
        assert_eq!(desk.world.existing(), 2);
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        imported(&desk).await;
        let list = || desk.onramp.store().list(None, 100);
        let before = list().await.unwrap();
        let report = imported(&desk).await;
        assert_eq!(
            (report.read, report.unchanged, report.quarantined),
            (10, 4, 6)
        );
        assert_eq!(list().await.unwrap(), before);
        // Also when everything has gone on since.
        let pending = desk.open("u3").await.into_pending().unwrap();
        let _ = desk.onramp.commit(pending.cancel()).await.unwrap();
        let before = list().await.unwrap();
        assert_eq!(imported(&desk).await.unchanged, 4);
        assert_eq!(list().await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_dry_run_reports_the_same_and_writes_nothing() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let _ = desk.pending("u2").await;
        let _ = desk.answered("u3").await;
        for policy in [
            Conflict::KeepExisting,
            Conflict::Quarantine,
            Conflict::FillPending,
        ] {
            let before = desk.onramp.store().list(None, 100).await.unwrap();
            let mut quarantine = Vec::new();
            let mut import = Import::into(&desk.onramp, "crm")
                .policy(policy)
                .quarantine(&mut quarantine)
                .map(user);
            let mut rehearsed = import.dry_run(users()).await.unwrap();
            assert!(rehearsed.to_string().starts_with("crm (dry run): 10 read"));
            drop(import);
            assert_eq!(quarantine, b"");
            assert_eq!(desk.onramp.store().list(None, 100).await.unwrap(), before);

            let other = each_of(&desk, policy).await;
            rehearsed.dry_run = false;
            assert_eq!(rehearsed, other, "{policy:?}");
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Handle(String);
impl Step for Handle {
    const NAME: &'static str = "handle";

    fn reserves(&self) -> Vec<Reservation> {
        vec![Reservation::everywhere("handle", &self.0)]
    }
}
impl Answer<Workspace> for Handle {}

#[tokio::test]
async fn what_only_one_may_have_goes_to_the_first_and_the_second_can_be_mended() {
    for store in each_store().await {
        let flow = Workspace::steps().ask::<Handle>().build().unwrap();
        let onramp = Onramp::shared(store, flow);
        let run = async |handles: [&str; 2]| {
            let mut import = Import::into(&onramp, "crm").at_once(1).map(|record| {
                let subject = SubjectId::new(record.text("user")?)?;
                let handle = Handle(record.text("handle")?.to_owned());
                Ok(Imported::new(TenantId::new("acme")?, subject).answer(handle))
            });
            let users = ["u1", "u2"].into_iter().zip(handles);
            let users = users.map(|(user, handle)| json!({ "user": user, "handle": handle }));
            let running = import.run(rows("users", users));
            is_send(&running);
            running.await.unwrap()
        };
        let report = run(["acme", "acme"]).await;
        assert_eq!((report.pending, report.quarantined), (1, 1));
        let why = "step handle: another onboarding has what only one may have";
        assert_eq!(report.rejected[0].reason, why);
        // Nothing of it is left behind.
        assert_eq!(onramp.store().list(None, 9).await.unwrap().len(), 1);
        let report = run(["acme", "acme-2"]).await;
        assert_eq!((report.pending, report.unchanged), (1, 1));
    }
}

fn is_send(_: &impl Send) {}

/// The run itself, with what it has written taken away again.
async fn each_of(desk: &Desk, policy: Conflict) -> Report {
    let store = desk.onramp.store();
    let mut import = Import::into(&desk.onramp, "crm").policy(policy).map(user);
    if policy == Conflict::FillPending {
        return import.run(users()).await.unwrap();
    }
    let report = import.run(users()).await.unwrap();
    let all = store.list(None, 100).await.unwrap();
    let fresh = all
        .into_iter()
        .filter(|one| !["u2", "u3"].contains(&one.key.subject.as_str()));
    store.delete(&fresh.collect::<Vec<_>>()).await.unwrap();
    report
}

#[tokio::test]
async fn what_somebody_has_done_here_counts_more() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        // u1 has signed in since, and was enrolled; u3 has begun, with another company.
        let fresh = desk.pending("u1").await;
        let _ = desk.onramp.commit(fresh.login()).await.unwrap();
        let _ = desk.answered("u3").await;
        let run = async |policy| {
            let mut import = Import::into(&desk.onramp, "crm").policy(policy).map(user);
            import.run(users()).await.unwrap()
        };
        let report = run(Conflict::KeepExisting).await;
        assert_eq!((report.kept, report.completed, report.pending), (2, 1, 1));
        assert_eq!(
            desk.open("u1").await.into_state().stage(),
            StageKind::Pending
        );

        let report = run(Conflict::Quarantine).await;
        assert_eq!((report.unchanged, report.quarantined), (2, 8));
        let why = &report
            .rejected
            .iter()
            .find(|one| one.place.line == 2)
            .unwrap()
            .reason;
        assert!(
            why.starts_with("the subject has an onboarding already ("),
            "{why}"
        );
        assert!(
            why.ends_with(", pending): decide which one counts"),
            "{why}"
        );

        let report = run(Conflict::FillPending).await;
        assert_eq!((report.filled, report.unchanged, report.kept), (1, 2, 1));
        let state = desk.open("u1").await.into_state();
        assert_eq!(state.stage(), StageKind::Completed);
        // The first login was here, as far as anybody had noted.
        assert_ne!(state.first_login_at(), at("2023-05-01T08:00:00Z"));
        desk.journal_holds("u1").await;
        let running = desk.open("u3").await;
        let company = desk
            .onramp
            .fact::<Company>(desk.tenant(), running.id())
            .await
            .unwrap();
        assert_eq!(company.unwrap().name, "Acme");
        assert_eq!(run(Conflict::FillPending).await.filled, 0);
        // One that lacks nothing of what the record has is not written to.
        let revision = desk.pending("u10").await.revision();
        let bare = json!({ "user": "u10", "status": "open", "setup_completed": false });
        let mut import = Import::into(&desk.onramp, "crm")
            .policy(Conflict::FillPending)
            .map(user);
        let report = import.run(rows("users", [bare])).await.unwrap();
        assert_eq!((report.read, report.kept), (1, 1));
        assert_eq!(desk.open("u10").await.into_state().revision(), revision);
    }
}
