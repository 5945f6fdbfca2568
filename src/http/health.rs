//! Health and readiness, for whoever keeps the process running.

use std::collections::BTreeMap;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use crate::flow::Flow;
use crate::http::catalogue::Catalogue;
use crate::http::envelope::{Envelope, envelope};
use crate::http::reply;
use crate::id::{SubjectId, TenantId};
use crate::onramp::Onramp;

/// How long a component may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long undelivered messages may wait before somebody should look.
const LATE: Duration = Duration::from_secs(600);

/// Two addresses for probes: `/health` (`application/health+json`, component by component) and `/ready`.
///
/// They are a router of their own, to be mounted where only probes come: they ask nobody who is asking,
/// and name no tenant, no subject and no cause. **The process fails only with its store**: a gate that is
/// closed for a tenant, or messages that wait, are warnings.
///
/// ```
/// use onramp::http::Probes;
/// use onramp::prelude::*;
/// fn internal<F: Flow>(onramp: Onramp<F>) -> Result<axum::Router, onramp::InvalidId> {
///     let (tenant, subject) = (TenantId::new("eu-probe")?, SubjectId::new("probe")?);
///     Ok(Probes::new(onramp).gates("eu", tenant, subject).into_router())
/// }
/// ```
#[must_use = "it serves nothing until it is a router"]
#[derive(Debug)]
pub struct Probes<F> {
    onramp: Onramp<F>,
    gates: Vec<(&'static str, TenantId, SubjectId)>,
}

impl<F: Flow> Probes<F> {
    /// Of this front door.
    pub fn new(onramp: Onramp<F>) -> Self {
        Self {
            onramp,
            gates: Vec::new(),
        }
    }

    /// Checks the flow's gates for this subject, too, and tells of them under a name that says nothing
    /// of whom it is.
    pub fn gates(mut self, name: &'static str, tenant: TenantId, subject: SubjectId) -> Self {
        self.gates.push((name, tenant, subject));
        self
    }

    /// The router.
    pub fn into_router(self) -> Router {
        let words = Envelope {
            messages: Arc::new(Catalogue),
        };
        Router::new()
            .route("/health", get(health::<F>))
            .route("/ready", get(ready::<F>))
            .layer(from_fn_with_state(words, envelope))
            .with_state(Arc::new(self))
    }
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Well {
    Pass,
    Warn,
    Fail,
}

#[derive(Debug, Serialize)]
struct Health {
    status: Well,
    #[serde(rename = "serviceId")]
    service: String,
    #[serde(rename = "releaseId")]
    release: &'static str,
    checks: BTreeMap<String, Vec<Check>>,
}

#[derive(Debug, Serialize)]
struct Check {
    #[serde(rename = "componentId", skip_serializing_if = "Option::is_none")]
    component: Option<&'static str>,
    #[serde(rename = "componentType")]
    kind: &'static str,
    status: Well,
    #[serde(rename = "observedValue")]
    value: u64,
    #[serde(rename = "observedUnit")]
    unit: &'static str,
    /// What people are told of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'static str>,
}

async fn health<F: Flow>(State(probes): State<Arc<Probes<F>>>) -> Response {
    let mut checks = BTreeMap::new();
    checks.insert("store:responseTime".to_owned(), vec![probes.store().await]);
    checks.insert("outbox:age".to_owned(), probes.outbox().await);
    for (name, tenant, subject) in &probes.gates {
        for report in probes.onramp.check_gates(tenant, subject).await {
            let closed = report.result.err();
            let check = Check {
                component: Some(name),
                kind: "component",
                status: if closed.is_some() {
                    Well::Warn
                } else {
                    Well::Pass
                },
                value: millis(report.took),
                unit: "ms",
                output: closed.map(|closed| closed.problem().message()),
            };
            let gate = format!("gate:{}", report.gate);
            checks.entry(gate).or_default().push(check);
        }
    }
    let all = checks.values().flatten().map(|check| check.status);
    let status = all.max().unwrap_or(Well::Pass);
    let health = Health {
        status,
        service: probes.onramp.flow().plan().flow().to_string(),
        release: env!("CARGO_PKG_VERSION"),
        checks,
    };
    let bytes = serde_json::to_vec(&health).unwrap_or_default();
    reply::typed(code(status), "application/health+json", bytes)
}

async fn ready<F: Flow>(State(probes): State<Arc<Probes<F>>>) -> Response {
    let status = probes.store().await.status;
    let text = match status {
        Well::Fail => r#"{"status":"fail"}"#,
        Well::Pass | Well::Warn => r#"{"status":"pass"}"#,
    };
    reply::typed(code(status), "application/health+json", text)
}

fn code(status: Well) -> StatusCode {
    match status {
        Well::Pass | Well::Warn => StatusCode::OK,
        Well::Fail => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

impl<F: Flow> Probes<F> {
    /// Whether the store answers, in a schema that this program knows.
    async fn store(&self) -> Check {
        let begun = Instant::now();
        let flow = self.onramp.flow().plan().flow();
        let due = self.onramp.store().next_due(from_ref(flow));
        let asked = tokio::time::timeout(PATIENCE, due).await;
        let status = match asked {
            Ok(Ok(_)) => Well::Pass,
            Ok(Err(error)) => {
                tracing::error!(cause = %error, "the store is not well");
                Well::Fail
            }
            Err(_) => Well::Fail,
        };
        Check {
            component: None,
            kind: "datastore",
            status,
            value: millis(begun.elapsed()),
            unit: "ms",
            output: None,
        }
    }

    /// Whether messages are delivered. What the store does not say is the store's failure alone.
    async fn outbox(&self) -> Vec<Check> {
        let asked = tokio::time::timeout(PATIENCE, self.onramp.store().outbox_lag()).await;
        let Ok(Ok(lag)) = asked else {
            return Vec::new();
        };
        let oldest = lag.oldest.unwrap_or_default();
        let late = oldest > LATE || lag.dead > 0;
        vec![Check {
            component: None,
            kind: "component",
            status: if late { Well::Warn } else { Well::Pass },
            value: oldest.as_secs(),
            unit: "s",
            output: None,
        }]
    }
}
