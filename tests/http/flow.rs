//! A host: its flow, its sessions, its staff.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use onramp::Key;
use onramp::flow::Draft;
use onramp::http::{Access, Api, Authorizer, Denied, Operator, OperatorAuthorizer, Parts};
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::Client;

pub(crate) struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 3;
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Company {
    pub(crate) name: String,
    pub(crate) employees: u32,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {
    fn validate(&self) -> Result<(), Invalid> {
        Invalid::check("/employees", self.employees > 0, "must be at least 1")
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Branding {
    pub(crate) color: String,
}
impl Step for Branding {
    const NAME: &'static str = "branding";
}
impl Answer<Signup> for Branding {}

#[derive(Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) invoice: String,
}
impl Step for Paid {
    const NAME: &'static str = "payment";
}
impl Evidence<Signup> for Paid {}

pub(crate) const NOT_READY: Problem = Problem::new("not_ready", "We are not ready yet.");

/// What must never get out.
pub(crate) const CANARY: &str = "canary-10.0.0.7";

pub(crate) struct Platform(pub(crate) Arc<AtomicBool>);
impl Gate for Platform {
    const NAME: &'static str = "platform";
    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        match self.0.load(SeqCst) {
            true => Ok(()),
            false => Err(GateClosed::new(NOT_READY, CANARY)),
        }
    }
}

struct Crm;
impl Prefill<Signup> for Crm {
    type Answer = Company;
    const SOURCE: &'static str = "crm";
    async fn known(&self, whom: &Key) -> Result<Draft<Company>, PrefillError> {
        match whom.subject.as_str() {
            "unknown" => Err(PrefillError::new(CANARY)),
            _ => Draft::new().with("name", "Acme").map_err(PrefillError::new),
        }
    }
}

pub(crate) fn definition(open: Arc<AtomicBool>) -> Definition<Signup> {
    Signup::steps()
        .gate(Platform(open))
        .ask::<Company>()
        .prefill(Crm)
        .expect::<Paid>()
        .ask_optional::<Branding>()
        .retired("address")
        .retired("fax")
        .build()
        .unwrap()
}

/// Believes the header `x-who: tenant/subject`; a test's sessions.
pub(crate) struct Sessions;
impl Authorizer for Sessions {
    async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
        let who = request
            .headers
            .get("x-who")
            .ok_or(Denied::Unauthenticated)?;
        match who.to_str().unwrap().split_once('/').unwrap() {
            ("down", _) => Err(Denied::unknown(CANARY)),
            ("banned", _) => Err(Denied::Forbidden),
            (tenant, subject) => Ok(Access::of(
                TenantId::new(tenant).unwrap(),
                SubjectId::new(subject).unwrap(),
            )),
        }
    }
}

/// Believes the header `x-staff: tenant/name`.
pub(crate) struct Staff;
impl OperatorAuthorizer for Staff {
    async fn authorize(&self, request: &Parts) -> Result<Operator, Denied> {
        let who = request
            .headers
            .get("x-staff")
            .ok_or(Denied::Unauthenticated)?;
        let (tenant, name) = who.to_str().unwrap().split_once('/').unwrap();
        Ok(Operator::new(TenantId::new(tenant).unwrap(), name))
    }
}

/// A host on one store, with a gate to close.
pub(crate) struct Host {
    pub(crate) onramp: Onramp<Signup>,
    pub(crate) open: Arc<AtomicBool>,
    pub(crate) client: Client,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        let open = Arc::new(AtomicBool::new(true));
        let onramp = Onramp::shared(store, definition(Arc::clone(&open)));
        let router = api(onramp.clone()).authorize(Sessions).into_router();
        let client = Client::of(axum::Router::new().nest("/api", router));
        Self {
            onramp,
            open,
            client,
        }
    }

    /// Evidence that came by itself.
    pub(crate) async fn pay(&self, tenant: &str, subject: &str) {
        let (tenant, subject) = (
            TenantId::new(tenant).unwrap(),
            SubjectId::new(subject).unwrap(),
        );
        let found = self.onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let paid = Paid {
            invoice: "inv-1".into(),
        };
        let running = found.into_in_progress().unwrap();
        let _ = self.onramp.commit(running.attest(paid)).await.unwrap();
    }

    /// Started.
    pub(crate) async fn started(&self, who: &str) {
        let said = self.client.post("/onboarding/start", who).await;
        assert_eq!(said.status, 202, "{said:?}");
    }

    /// Completed.
    pub(crate) async fn completed(&self, tenant: &str, subject: &str) {
        let who = format!("{tenant}/{subject}");
        self.started(&who).await;
        let company = json!({"name": "Acme", "employees": 7});
        let client = &self.client;
        client
            .give("/onboarding/steps/company/submit", &who, company)
            .await;
        self.pay(tenant, subject).await;
        client.post("/onboarding/steps/branding/skip", &who).await;
        let said = client.post("/onboarding/complete", &who).await;
        assert_eq!(said.status, 200, "{said:?}");
    }
}

/// The router before anybody is let in.
pub(crate) fn api(onramp: Onramp<Signup>) -> Api<Signup> {
    Api::new(onramp)
        .operators(Staff)
        .replaced::<Company>("address")
        .schema::<Company>(json!({
            "type": "object",
            "required": ["name", "employees"],
            "properties": {
                "name": { "type": "string" },
                "employees": { "type": "integer", "minimum": 1 },
            },
        }))
}
