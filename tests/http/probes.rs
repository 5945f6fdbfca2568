//! Health and readiness.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use onramp::FlowName;
use onramp::http::Probes;
use onramp::prelude::*;
use onramp::store::Error;
use onramp::testing::{Layer, Layered};

use super::client::{Client, Said};
use super::flow::{CANARY, definition};

struct Down(MemoryStore);

#[async_trait]
impl Layer for Down {
    fn inner(&self) -> &dyn Store {
        &self.0
    }

    async fn next_due(&self, _: &[FlowName]) -> Result<Option<std::time::Duration>, Error> {
        Err(Error::unavailable(CANARY))
    }
}

fn probes(store: Arc<dyn Store>, open: &Arc<AtomicBool>) -> Client {
    let onramp = Onramp::shared(store, definition(Arc::clone(open)));
    let (tenant, subject) = (
        TenantId::new("acme").unwrap(),
        SubjectId::new("probe").unwrap(),
    );
    Client::of(
        Probes::new(onramp)
            .gates("eu", tenant, subject)
            .into_router(),
    )
}

async fn get(client: &Client, path: &str) -> Said {
    client
        .send(Request::get(path).body(Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn a_closed_gate_is_a_warning_and_a_store_that_is_down_a_failure() {
    let open = Arc::new(AtomicBool::new(true));
    let up = probes(Arc::new(MemoryStore::new()), &open);
    let health = get(&up, "/health").await;
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &"pass".into())
    );
    assert_eq!(health.header("content-type"), "application/health+json");

    open.store(false, SeqCst);
    let health = get(&up, "/health").await;
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &"warn".into())
    );
    let gate = &health.json()["checks"]["gate:platform"][0];
    assert_eq!(
        (&gate["status"], &gate["componentId"]),
        (&"warn".into(), &"eu".into())
    );
    assert!(!health.all().contains("acme") && !health.all().contains(CANARY));
    assert_eq!(
        get(&up, "/ready").await.status,
        200,
        "one tenant never fails the process"
    );

    let down = probes(Arc::new(Layered(Down(MemoryStore::new()))), &open);
    for path in ["/health", "/ready"] {
        let said = get(&down, path).await;
        assert_eq!((said.status, &said.json()["status"]), (503, &"fail".into()));
        assert!(!said.all().contains(CANARY));
    }
}
