//! The host's front door: a store, a flow and a clock.

use std::sync::Arc;

use crate::flow::{Clearance, Definition, FactError, Facts, Flow, GateContext, NotCleared, Step};
use crate::id::{OnboardingId, SubjectId, TenantId};
use crate::lifecycle::{Change, Loaded, Onboarding, Pending, Stage};
use crate::store::{CommitError, Error, InDoubt, Resolution, Store, StoreExt};
use crate::time::{Clock, SystemClock};

/// The host's front door to one flow: enrol, clear, commit, load. Cheap to clone.
///
/// **Loading never runs anything**: tasks run from the engine alone, so a thousand reloads have no
/// effect.
///
/// ```
/// use onramp::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// struct Workspace;
/// impl Flow for Workspace {
///     const NAME: &'static str = "workspace";
///     const VERSION: u32 = 1;
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Company { name: String }
/// impl Step for Company { const NAME: &'static str = "company"; }
/// impl Answer<Workspace> for Company {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let flow = Workspace::steps().ask::<Company>().build()?;
/// let onramp = Onramp::new(MemoryStore::new(), flow);
///
/// let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// let found = onramp.enroll(&tenant, &subject).await?;
/// let pending = found.into_pending().expect("it is new");
///
/// let clearance = onramp.clear(&pending).await?;
/// let running = onramp.commit(pending.start(clearance)).await?;
/// let running = onramp.commit(running.submit(Company { name: "Acme".into() })).await?;
/// let done = onramp.commit(running.complete()).await?;
/// assert_eq!(done.revision().get(), 4);
/// # Ok(()) }
/// ```
pub struct Onramp<F> {
    store: Arc<dyn Store>,
    flow: Definition<F>,
    clock: Arc<dyn Clock>,
}

impl<F: Flow> Onramp<F> {
    /// The front door to a flow whose onboardings are kept in this store.
    pub fn new(store: impl Store, flow: Definition<F>) -> Self {
        Self::shared(Arc::new(store), flow)
    }

    /// The same, on a store that others use too, for instance an engine.
    #[must_use]
    pub fn shared(store: Arc<dyn Store>, flow: Definition<F>) -> Self {
        Self {
            store,
            flow,
            clock: Arc::new(SystemClock),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The flow.
    #[must_use]
    pub fn flow(&self) -> &Definition<F> {
        &self.flow
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The onboarding of a subject, created if there is none. However many call at once, one is
    /// created and all get it.
    ///
    /// # Errors
    /// Of the store.
    pub async fn enroll(&self, tenant: &TenantId, subject: &SubjectId) -> Result<Loaded<F>, Error> {
        let now = self.clock.now();
        self.store.enroll(&self.flow, tenant, subject, now).await
    }

    /// The onboarding of a subject, if there is one.
    ///
    /// # Errors
    /// Of the store.
    pub async fn open(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Option<Loaded<F>>, Error> {
        self.store.open(tenant, subject).await
    }

    /// Checks every gate of the flow, for this onboarding.
    ///
    /// # Errors
    /// [`NotCleared`] lists every gate that is closed.
    pub async fn clear(
        &self,
        pending: &Onboarding<F, Pending>,
    ) -> Result<Clearance<F>, NotCleared> {
        let cx = GateContext::new(pending.tenant().clone(), pending.subject().clone());
        let mut closed = Vec::new();
        for gate in &self.flow.parts().gates {
            if let Err(why) = gate.check(&cx).await {
                closed.push((gate.name(), why));
            }
        }
        if closed.is_empty() {
            Ok(Clearance::granted(pending.id(), self.clock.now()))
        } else {
            Err(NotCleared::new(closed))
        }
    }

    /// Stores a change. The new handle exists only once it is durably stored.
    ///
    /// # Errors
    /// [`CommitError`], in exactly three ways: not applied, conflict, unknown.
    ///
    /// # Cancel safety
    /// When the future is dropped the change is stored or it is not: look it up with
    /// [`Onramp::resolve`] and the token that [`Change::in_doubt`] gave before.
    pub async fn commit<From, To>(
        &self,
        change: Change<F, From, To>,
    ) -> Result<Onboarding<F, To>, CommitError<F, From>>
    where
        From: Stage,
        To: Stage,
    {
        let now = self.clock.now();
        self.store.commit_change(&self.flow, change, now).await
    }

    /// Looks up what became of a commit whose outcome was not known.
    ///
    /// # Errors
    /// Of the store: the outcome is still not known then.
    pub async fn resolve(&self, token: &InDoubt) -> Result<Resolution<F>, Error> {
        self.store.resolve(token).await
    }

    /// The facts of an onboarding.
    ///
    /// # Errors
    /// Of the store.
    pub async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Facts, Error> {
        self.store.known_facts(tenant, id).await
    }

    /// One typed fact of an onboarding, or `None` when its step has none.
    ///
    /// # Errors
    /// Of the store; of kind `Corrupt` when the fact does not decode.
    pub async fn fact<T: Step>(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<T>, Error> {
        let facts = self.facts(tenant, id).await?;
        let corrupt = |error: FactError| Error::corrupt(error.to_string()).because(error);
        facts.get::<T>().map_err(corrupt)
    }
}

impl<F> Clone for Onramp<F> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            flow: self.flow.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}

impl<F> std::fmt::Debug for Onramp<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Onramp")
            .field("flow", &self.flow.plan().flow())
            .finish_non_exhaustive()
    }
}
