//! Engines that share a limit for each tenant, on every store.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::engine::Engine;
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use support::{each_store, each_store_by_buckets};

struct Busy;
impl Flow for Busy {
    const NAME: &'static str = "busy";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Built;
impl Step for Built {
    const NAME: &'static str = "build";
}

/// How many run at the same time, now and at most, by tenant.
#[derive(Default)]
struct Running(Mutex<BTreeMap<String, (usize, usize)>>);

impl Running {
    fn change(&self, tenant: &str, by: isize) {
        let mut all = self.0.lock().unwrap();
        let (now, most) = all.entry(tenant.to_owned()).or_default();
        *now = now.checked_add_signed(by).unwrap();
        *most = (*most).max(*now);
    }

    fn most(&self, tenant: &str) -> Option<usize> {
        let all = self.0.lock().unwrap();
        all.get(tenant).map(|(_, most)| *most)
    }
}

struct Build(Arc<Running>);
impl Task<Busy> for Build {
    type Needs = ();
    type Output = Built;

    async fn run(&self, cx: &TaskContext, _: ()) -> Result<Built, TaskError> {
        let tenant = cx.tenant().as_str();
        self.0.change(tenant, 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.0.change(tenant, -1);
        Ok(Built)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_share_a_limit() {
    let mut stores = each_store().await;
    stores.extend(each_store_by_buckets().await);
    for store in stores {
        let running = Arc::new(Running::default());
        let flow = || {
            Busy::steps()
                .run(Build(Arc::clone(&running)))
                .build()
                .unwrap()
        };
        let onramp = Onramp::shared(Arc::clone(&store), flow());
        for (tenant, many) in [("busy", 9), ("quiet", 2)] {
            let tenant = TenantId::new(tenant).unwrap();
            for n in 0..many {
                let subject = SubjectId::new(format!("org-{n}")).unwrap();
                let pending = onramp.enroll(&tenant, &subject).await.unwrap();
                let pending = pending.into_pending().unwrap();
                let clearance = onramp.clear(&pending).await.unwrap();
                let _ = onramp.commit(pending.start(clearance)).await.unwrap();
            }
        }
        let engines = (0..3).map(|_| {
            let engine = Engine::builder(Arc::clone(&store)).flow(&flow());
            let engine = engine.per_tenant(2).build();
            tokio::spawn(async move { engine.run_until_idle().await })
        });
        for engine in engines.collect::<Vec<_>>() {
            engine.await.unwrap().unwrap();
        }
        let (busy, quiet) = (running.most("busy"), running.most("quiet"));
        assert_eq!(busy, Some(2));
        // Whether its two are claimed together is a matter of when the engines look.
        assert!(matches!(quiet, Some(1 | 2)), "{quiet:?}");
        for n in 0..9 {
            let (tenant, subject) = ("busy", format!("org-{n}"));
            let (tenant, subject) = (
                TenantId::new(tenant).unwrap(),
                SubjectId::new(subject).unwrap(),
            );
            let found = onramp.open(&tenant, &subject).await.unwrap().unwrap();
            assert_eq!(found.stage(), StageKind::Completed);
        }
    }
}
