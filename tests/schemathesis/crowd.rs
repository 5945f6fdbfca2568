//! A crowd of subjects, one at each place of the way, so that every route is met in every state.

use std::collections::HashMap;
use std::sync::Arc;

use onramp::Bulk;
use onramp::http::{Access, Authorizer, Denied, Operator, OperatorAuthorizer, Parts};
use onramp::prelude::*;
use onramp::vault::Vault;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::flow::{
    API_KEY, Branding, Company, Currency, FAILING, Floor, GATED, LEFT, Paid, Shop, Store, UNKNOWN,
    UNLUCKY,
};
use super::seen::place;

/// How far each has come when nobody has asked yet.
const PEOPLE: [(&str, Far); 21] = [
    ("nobody", Far::Absent),
    ("pending", Far::Enrolled),
    (GATED, Far::Enrolled),
    ("started", Far::Started),
    ("begun", Far::Started),
    (UNKNOWN, Far::Started),
    ("answered", Far::Company),
    ("half-way", Far::Company),
    ("waits", Far::Shop),
    ("paid", Far::Paid),
    ("works", Far::Branded),
    ("draws", Far::Branded),
    ("paints", Far::Branded),
    ("done", Far::Ended),
    ("shown", Far::Ended),
    (FAILING, Far::Ended),
    ("left-1", Far::Ended),
    ("left-2", Far::Ended),
    ("left-3", Far::Ended),
    ("parked", Far::Parked),
    (UNLUCKY, Far::Absent),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Far {
    Absent,
    Enrolled,
    Started,
    Parked,
    Company,
    Shop,
    Paid,
    Branded,
    Ended,
}

/// So many requests of one route, or another route, and a new crowd comes, of a tenant of its own: or
/// all would be through.
const REQUESTS: usize = 6 * PEOPLE.len();

#[derive(Default)]
struct Turns {
    crowd: usize,
    asked: usize,
    route: String,
}

#[derive(Clone)]
pub(crate) struct Crowd {
    onramp: Onramp<Store>,
    vault: Vault,
    turns: Arc<Mutex<Turns>>,
    tenants: Arc<Mutex<HashMap<OnboardingId, TenantId>>>,
}

impl Crowd {
    pub(crate) fn new(onramp: Onramp<Store>, vault: Vault) -> Self {
        Self {
            onramp,
            vault,
            turns: Arc::default(),
            tenants: Arc::default(),
        }
    }

    /// Who asks next: all take turns.
    async fn next(&self, request: &Parts) -> (TenantId, SubjectId) {
        let path = request.uri.path();
        // What is offered to one is shown to the same one.
        let secret = path.contains("/secrets/");
        let route = match secret {
            true => "secrets".to_owned(),
            false => format!("{} {}", request.method, place(path)),
        };
        let mut turns = self.turns.lock().await;
        let tenant = |crowd| TenantId::new(format!("tenant-{crowd}")).unwrap();
        if turns.route != route || turns.asked == REQUESTS {
            (turns.crowd, turns.asked, turns.route) = (turns.crowd + 1, 0, route);
            // Whoever comes first is first in lists, and what is done is done to the first one.
            for turn in 0..PEOPLE.len() {
                let (name, far) = PEOPLE[(turns.crowd + turn) % PEOPLE.len()];
                self.bring(&tenant(turns.crowd), name, far).await;
            }
            // Now that no engine runs any more, or they would be through.
            for (name, _) in PEOPLE.iter().filter(|(_, far)| *far == Far::Branded) {
                self.brand(&tenant(turns.crowd), name).await;
            }
        }
        let name = match secret && turns.asked.is_multiple_of(2) {
            true => "done",
            false => PEOPLE[turns.asked % PEOPLE.len()].0,
        };
        turns.asked += 1;
        (tenant(turns.crowd), SubjectId::new(name).unwrap())
    }

    async fn brand(&self, tenant: &TenantId, name: &str) {
        let subject = SubjectId::new(name).unwrap();
        let found = self.onramp.open(tenant, &subject).await.unwrap().unwrap();
        let branding = Branding {
            color: "red".to_owned(),
        };
        let change = found.into_in_progress().unwrap().submit(branding);
        let _ = self.onramp.commit(change).await.unwrap();
    }

    async fn bring(&self, tenant: &TenantId, name: &str, far: Far) {
        if far == Far::Absent {
            return;
        }
        let onramp = &self.onramp;
        let subject = SubjectId::new(name).unwrap();
        let found = onramp.enroll(tenant, &subject).await.unwrap();
        self.tenants.lock().await.insert(found.id(), tenant.clone());
        if far == Far::Enrolled {
            return;
        }
        let pending = found.into_pending().unwrap();
        let id = pending.id();
        let clearance = onramp.clear(&pending).await.unwrap();
        let mut running = onramp.commit(pending.start(clearance)).await.unwrap();
        if far == Far::Parked {
            let reason = Reason::new("ticket-1").unwrap();
            let order = Bulk::Park(reason).by(Actor::Operator("ann".into()));
            onramp.carry_out(tenant, id, &order).await.unwrap();
            return;
        }
        if far >= Far::Company {
            let company = Company {
                name: "Acme".into(),
                employees: 7,
            };
            running = onramp.commit(running.submit(company)).await.unwrap();
        }
        if far >= Far::Shop {
            let shop = Shop {
                open: true,
                currency: Currency::Eur,
                floors: vec![Floor { size: 12.5 }],
                motto: None,
            };
            running = onramp.commit(running.submit(shop)).await.unwrap();
        }
        if far >= Far::Paid {
            let paid = Paid {
                invoice: "inv-1".into(),
            };
            running = onramp.commit(running.attest(paid)).await.unwrap();
        }
        drop(running);
        if far == Far::Ended {
            self.brand(tenant, name).await;
            let engine = Engine::builder(Arc::clone(onramp.store()));
            let engine = engine.flow(onramp.flow()).build();
            engine.run_until_idle().await.unwrap();
            if name != FAILING && !name.starts_with(LEFT) {
                let (name, secret) = (API_KEY, "sk-1".to_owned().into());
                self.vault.keep(tenant, id, &name, secret).await.unwrap();
            }
        }
    }
}

fn is(request: &Parts, token: &str) -> bool {
    let given = request.headers.get("authorization");
    given.is_some_and(|given| given.as_bytes() == format!("Bearer {token}").as_bytes())
}

/// Stands in for the host's sessions.
impl Authorizer for Crowd {
    async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
        if !is(request, "subject") {
            return Err(Denied::Unauthenticated);
        }
        let (tenant, subject) = self.next(request).await;
        Ok(Access::of(tenant, subject))
    }
}

/// Stands in for the host's staff, who look after the newest crowd, and after whomever they look at.
impl OperatorAuthorizer for Crowd {
    async fn authorize(&self, request: &Parts) -> Result<Operator, Denied> {
        if !is(request, "operator") {
            return Err(Denied::Unauthenticated);
        }
        let (newest, _) = self.next(request).await;
        let ids = request
            .uri
            .path()
            .split('/')
            .filter_map(|part| Uuid::try_parse(part).ok());
        let tenants = self.tenants.lock().await;
        let tenant = ids
            .map(OnboardingId::from_uuid)
            .find_map(|id| tenants.get(&id));
        Ok(Operator::new(tenant.unwrap_or(&newest).clone(), "ann"))
    }
}
