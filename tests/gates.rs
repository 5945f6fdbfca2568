//! Gates: all are checked, each in its time, and one that cannot be checked is closed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Company(String);
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {}

const NOT_READY: Problem = Problem::new("platform_not_ready", "We are not ready yet.");

/// The platform's tables, and how often they were counted.
struct TablesExist {
    found: u32,
    counted: Arc<AtomicU32>,
}

impl Gate for TablesExist {
    const NAME: &'static str = "tables_exist";

    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        self.counted.fetch_add(1, SeqCst);
        match self.found {
            21 => Ok(()),
            found => Err(GateClosed::new(NOT_READY, format!("{found} of 21 tables"))),
        }
    }

    fn open_for(&self) -> Duration {
        Duration::from_secs(60)
    }
}

struct Hangs;
impl Gate for Hangs {
    const NAME: &'static str = "upstream";

    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        std::future::pending().await
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(100)
    }
}

struct Panics;
impl Gate for Panics {
    const NAME: &'static str = "broken";

    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        unreachable!("injected")
    }
}

struct Slow;
impl Gate for Slow {
    const NAME: &'static str = "slow";

    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(())
    }
}

fn ids() -> (TenantId, SubjectId) {
    let tenant = TenantId::new("acme").unwrap();
    (tenant, SubjectId::new("org-1").unwrap())
}

#[tokio::test]
async fn every_closed_gate_is_told_and_one_that_hangs_keeps_nobody_waiting() {
    let tables = TablesExist {
        found: 15,
        counted: Arc::default(),
    };
    let flow = Signup::steps()
        .gate(tables)
        .gate(Hangs)
        .gate(Slow)
        .gate(Panics)
        .ask::<Company>();
    let onramp = Onramp::new(MemoryStore::new(), flow.build().unwrap());
    let (tenant, subject) = ids();
    let found = onramp.enroll(&tenant, &subject).await.unwrap();
    let pending = found.into_pending().unwrap();
    let begun = Instant::now();
    let refused = onramp.clear(&pending).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(2), "all at once");
    let closed: Vec<_> = refused
        .closed()
        .map(|(gate, why)| (gate, why.problem().code(), why.detail()))
        .collect();
    let expected = [
        ("tables_exist", "platform_not_ready", "15 of 21 tables"),
        (
            "upstream",
            "prerequisite_unknown",
            "the check took too long",
        ),
        ("broken", "prerequisite_unknown", "the check panicked"),
    ];
    assert_eq!(closed, expected);
    assert!(
        !refused.to_string().contains("15 of 21"),
        "details are for logs"
    );
    let reports = onramp.check_gates(&tenant, &subject).await;
    let open: Vec<_> = reports.iter().filter(|r| r.result.is_ok()).collect();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].gate, open[0].cached), ("slow", false));
    assert!(open[0].took >= Duration::from_millis(40));
    let state = onramp.open(&tenant, &subject).await.unwrap().unwrap();
    assert_eq!(state.stage(), StageKind::Pending, "nothing has happened");
}

#[tokio::test]
async fn an_open_gate_is_not_checked_again_for_a_while_and_a_closed_one_is() {
    for (found, expected) in [(21, 1), (15, 3)] {
        let counted = Arc::default();
        let tables = TablesExist {
            found,
            counted: Arc::clone(&counted),
        };
        let flow = Signup::steps()
            .gate(tables)
            .ask::<Company>()
            .build()
            .unwrap();
        let onramp = Onramp::new(MemoryStore::new(), flow);
        let (tenant, subject) = ids();
        for _ in 0..3 {
            let _ = onramp.check_gates(&tenant, &subject).await;
        }
        assert_eq!(counted.load(SeqCst), expected);
    }
}
