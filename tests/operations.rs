//! What operators do to many at once, and what they are told without asking for one.

mod support;

use std::convert::Infallible;
use std::time::Duration;

use onramp::prelude::*;
use onramp::{Bulk, NotDone, Upstream};
use support::{Desk, Faults, each_store};

fn ann() -> Actor {
    Actor::Operator("ann".into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_has_a_result_of_its_own() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("done").await;
        desk.engine().run_until_idle().await.unwrap();
        let _ = desk.answered("running").await;
        let _ = desk.pending("pending").await;
        let mut ids = Vec::new();
        for subject in ["done", "running", "pending"] {
            ids.push(desk.open(subject).await.id());
        }
        ids.push(OnboardingId::fresh());
        let results = desk
            .onramp
            .bulk(desk.tenant(), &ids, &Bulk::Cancel.by(ann()))
            .await;
        let said: Vec<_> = results
            .iter()
            .map(|(_, result)| match result {
                Ok(done) => done.stage.to_string(),
                Err(why) => why.to_string(),
            })
            .collect();
        let expected = [
            "cancel is not legal while completed: it is in pending, in_progress",
            "in_progress",
            "failed",
            "there is no such onboarding in the tenant",
        ];
        assert_eq!(said, expected);
        let other = TenantId::new("other").unwrap();
        let foreign = desk
            .onramp
            .bulk(&other, &ids[..1], &Bulk::Cancel.by(ann()))
            .await;
        assert!(
            matches!(foreign[0].1, Err(NotDone::Absent)),
            "as if it were not there"
        );
        desk.engine().run_until_idle().await.unwrap();
        let retried = desk
            .onramp
            .bulk(desk.tenant(), &ids, &Bulk::Retry.by(ann()))
            .await;
        let stages: Vec<_> = retried.iter().map(|(_, result)| result.is_ok()).collect();
        assert_eq!(stages, [false, true, false, false]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_neglected_or_left_behind_is_found() {
    for store in each_store().await {
        let faults = Faults {
            undo_failures: 99,
            fatal: 1,
            ..Faults::default()
        };
        let desk = Desk::new(store, faults);
        desk.paid("left-behind").await;
        desk.engine().run_until_idle().await.unwrap();
        let _ = desk.answered("waits").await;
        let neglected = {
            desk.paid("neglected").await;
            desk.open("neglected").await.id()
        };
        tokio::time::sleep(Duration::from_millis(60)).await;
        let soon = desk.onramp.doctor(Duration::from_secs(60)).await.unwrap();
        assert!(soon.neglected.is_empty(), "it may still be its turn");
        let found = desk.onramp.doctor(Duration::from_millis(50)).await.unwrap();
        assert_eq!(found.looked_at, 3);
        let ids: Vec<_> = found.neglected.iter().map(|ailing| ailing.id).collect();
        assert!(ids.contains(&neglected), "{found:?}");
        assert_eq!(found.remaining.len(), 1, "{found:?}");
        assert!(found.unreadable.is_empty());
        assert!(found.outbox.oldest.is_some(), "nobody delivers");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_parked_is_left_alone_until_unparked() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        desk.paid("stopped").await;
        desk.paid("other").await;
        let ids = [desk.open("stopped").await.id()];
        let reason = Reason::new("incident-42").unwrap();
        let tenant = desk.tenant().clone();
        let park = async |action: Bulk, by: &Actor| {
            let order = action.by(by.clone());
            desk.onramp.carry_out(&tenant, ids[0], &order).await
        };
        let refused = park(Bulk::Park(reason.clone()), &Actor::Host).await;
        assert!(matches!(refused, Err(NotDone::Rejected(_))), "{refused:?}");
        park(Bulk::Park(reason), &ann()).await.unwrap();

        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.open("stopped").await.stage(), StageKind::InProgress);
        assert_eq!(desk.open("other").await.stage(), StageKind::Completed);
        let why = desk.onramp.explain(&tenant, ids[0]).await.unwrap().unwrap();
        assert!(why[0].to_string().starts_with("it was parked"), "{why:?}");

        park(Bulk::Unpark, &ann()).await.unwrap();
        desk.engine().run_until_idle().await.unwrap();
        assert_eq!(desk.open("stopped").await.stage(), StageKind::Completed);
        desk.journal_holds("stopped").await;
    }
}

struct Directory(Vec<(TenantId, SubjectId)>);
impl Upstream for Directory {
    type Error = Infallible;

    async fn exists(&self, tenant: &TenantId, subject: &SubjectId) -> Result<bool, Infallible> {
        Ok(self.0.iter().any(|(t, s)| (t, s) == (tenant, subject)))
    }

    async fn page(&self, place: usize) -> Result<Vec<(TenantId, SubjectId)>, Infallible> {
        Ok(self.0.chunks(1).nth(place).unwrap_or_default().to_vec())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_are_found_on_both_sides() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let _ = desk.pending("both").await;
        let _ = desk.answered("here-only").await;
        let subject = |name: &str| SubjectId::new(name).unwrap();
        let user = |name: &str| (desk.tenant().clone(), subject(name));
        let directory = Directory(vec![user("both"), user("there-only")]);
        let found = desk.onramp.reconcile(&directory).await.unwrap();
        let here: Vec<_> = found
            .unknown_upstream
            .iter()
            .map(|l| l.key.subject.as_str())
            .collect();
        assert_eq!(here, ["here-only"]);
        assert_eq!(found.unknown_here, [user("there-only")]);
    }
}
