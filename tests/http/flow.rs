//! A host: its flow, its sessions, its staff.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onramp::flow::Draft;
use onramp::http::{
    Access, Api, Authorizer, Denied, Operator, OperatorAuthorizer, Parts, Reauthenticator,
};
use onramp::prelude::*;
use onramp::vault::{LocalKeys, Reauthenticated, Secret, Vault};
use onramp::{Clock, Key, SecretName, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::Client;

/// A secret that people may see.
pub(crate) const API_KEY: SecretName = SecretName::from_static("api_key");

/// A secret of the host's own.
pub(crate) const OPENAI: SecretName = SecretName::from_static("openai");

const KEYS: &str = "test = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";

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
            (tenant, subject) => {
                let access = Access::of(
                    TenantId::new(tenant).unwrap(),
                    SubjectId::new(subject).unwrap(),
                );
                Ok(match request.headers.contains_key("x-for") {
                    true => access.by(Actor::Operator("support".into())),
                    false => access,
                })
            }
        }
    }
}

/// The time of day, ahead by as much as it was advanced.
#[derive(Clone, Default)]
pub(crate) struct Ahead(Arc<AtomicI64>);

impl Ahead {
    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_secs()).unwrap();
        self.0.fetch_add(by, SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(SeqCst))
    }
}

/// Believes the header `x-proof`: so many seconds ago.
pub(crate) struct Passkeys;
impl Reauthenticator for Passkeys {
    async fn reauthenticated(
        &self,
        request: &Parts,
        whose: OnboardingId,
    ) -> Result<Option<Reauthenticated>, Denied> {
        let Some(said) = request.headers.get("x-proof") else {
            return Ok(None);
        };
        let now = SystemClock.now();
        match said.to_str().unwrap() {
            "down" => Err(Denied::unknown(CANARY)),
            "foreign" => Ok(Some(Reauthenticated::new(OnboardingId::fresh(), now))),
            ago => {
                let ago = TimeDelta::seconds(ago.parse().unwrap());
                Ok(Some(Reauthenticated::new(whose, now - ago)))
            }
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
    pub(crate) vault: Vault,
    pub(crate) clock: Ahead,
    pub(crate) client: Client,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        let open = Arc::new(AtomicBool::new(true));
        let onramp = Onramp::shared(store, definition(Arc::clone(&open)));
        let clock = Ahead::default();
        let onramp = onramp.with_clock(clock.clone());
        let vault = vault(&onramp).with_clock(clock.clone());
        let router = api(onramp.clone())
            .vault(vault.clone(), [API_KEY])
            .authorize(Sessions)
            .into_router();
        let client = Client::of(axum::Router::new().nest("/api", router));
        Self {
            onramp,
            open,
            vault,
            clock,
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

    /// Keeps a secret of somebody's.
    pub(crate) async fn keep(&self, subject: &str, name: &SecretName, secret: impl Into<Secret>) {
        let tenant = TenantId::new("acme").unwrap();
        let subject = SubjectId::new(subject).unwrap();
        let found = self.onramp.open(&tenant, &subject).await.unwrap().unwrap();
        let kept = self.vault.keep(&tenant, found.id(), name, secret.into());
        kept.await.unwrap();
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

fn vault(onramp: &Onramp<Signup>) -> Vault {
    Vault::new(Arc::clone(onramp.store()), LocalKeys::parse(KEYS).unwrap())
}

/// The router before anybody is let in.
pub(crate) fn api(onramp: Onramp<Signup>) -> Api<Signup> {
    let vault = vault(&onramp);
    Api::new(onramp)
        .operators(Staff)
        .vault(vault, [API_KEY])
        .reauthenticate(Passkeys)
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
