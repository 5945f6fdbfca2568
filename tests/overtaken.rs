//! What a worker has done is told, also when somebody else has moved the onboarding meanwhile.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use onramp::engine::Engine;
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use support::each_store;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Tables;
impl Step for Tables {
    const NAME: &'static str = "tables";
}

#[derive(Serialize, Deserialize)]
struct Company(String);
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {}

#[derive(Serialize, Deserialize)]
struct Site;
impl Step for Site {
    const NAME: &'static str = "site";
}

#[derive(Serialize, Deserialize)]
struct Paid;
impl Step for Paid {
    const NAME: &'static str = "paid";
}
impl Evidence<Signup> for Paid {}

struct MakeTables(Arc<AtomicU32>);
impl Task<Signup> for MakeTables {
    type Needs = ();
    type Output = Tables;

    async fn run(&self, _: &TaskContext, (): ()) -> Result<Tables, TaskError> {
        Ok(Tables)
    }

    async fn undo(&self, _: &TaskContext, _: Option<Tables>) -> Result<(), TaskError> {
        self.0.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// While it is taken back for the first time, its subject gives up.
struct BuildSite {
    undone: Arc<AtomicU32>,
    host: Arc<OnceLock<Onramp<Signup>>>,
}
impl Task<Signup> for BuildSite {
    type Needs = Company;
    type Output = Site;

    async fn run(&self, _: &TaskContext, _: Company) -> Result<Site, TaskError> {
        Ok(Site)
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Site>) -> Result<(), TaskError> {
        if self.undone.fetch_add(1, SeqCst) == 0 {
            let host = self.host.get().unwrap();
            let found = host.open(cx.tenant(), cx.subject()).await.unwrap().unwrap();
            let running = found.into_in_progress().unwrap();
            let _ = host.commit(running.cancel()).await.unwrap();
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_when_somebody_gave_up_is_not_taken_back_again() {
    for store in each_store().await {
        let (tables, site) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let host: Arc<OnceLock<Onramp<Signup>>> = Arc::default();
        let build = BuildSite {
            undone: Arc::clone(&site),
            host: Arc::clone(&host),
        };
        let flow = Signup::steps()
            .run(MakeTables(Arc::clone(&tables)))
            .ask::<Company>()
            .run(build)
            .expect::<Paid>()
            .build()
            .unwrap();
        let engine = Engine::builder(Arc::clone(&store)).flow(&flow).build();
        let onramp = Onramp::shared(store, flow);
        assert!(host.set(onramp.clone()).is_ok());

        let (tenant, subject) = (
            TenantId::new("acme").unwrap(),
            SubjectId::new("org-1").unwrap(),
        );
        let pending = onramp
            .enroll(&tenant, &subject)
            .await
            .unwrap()
            .into_pending()
            .unwrap();
        let clearance = onramp.clear(&pending).await.unwrap();
        let running = onramp.commit(pending.start(clearance)).await.unwrap();
        let _ = onramp
            .commit(running.submit(Company("Acme".into())))
            .await
            .unwrap();
        engine.run_until_idle().await.unwrap();

        let found = onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let running = found.into_in_progress().unwrap();
        let _ = onramp
            .commit(running.revise(Company("Acme Ltd".into())))
            .await
            .unwrap();
        engine.run_until_idle().await.unwrap();

        let found = onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let failed = found.into_failed().unwrap();
        assert!(failed.stage().remaining.is_empty());
        assert_eq!((site.load(SeqCst), tables.load(SeqCst)), (1, 1));
    }
}
