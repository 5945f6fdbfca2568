//! What all the onboardings of the flow say together.

use std::time::Duration;

use crate::flow::Flow;
use crate::id::TenantId;
use crate::insight::{Cohort, Crossed, Crossing, Funnel, Stuck, cross, funnel, stuck};
use crate::onramp::Onramp;
use crate::store::Error;

impl<F: Flow> Onramp<F> {
    /// How far those of a cohort have come, step by step. Reads all of them, a page at a time.
    ///
    /// # Errors
    /// Of the store. One that cannot be read is counted as that and fails nothing.
    ///
    /// ```
    /// use onramp::insight::Cohort;
    /// # use onramp::prelude::*;
    /// # async fn show<F: Flow>(onramp: &Onramp<F>) -> Result<(), onramp::store::Error> {
    /// let funnel = onramp.funnel(&Cohort::everyone()).await?;
    /// assert_eq!(funnel.total.completion_rate, None); // nobody came yet
    /// # Ok(()) }
    /// # struct Workspace;
    /// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
    /// # #[derive(serde::Serialize, serde::Deserialize)] struct Company;
    /// # impl Step for Company { const NAME: &'static str = "company"; }
    /// # impl Answer<Workspace> for Company {}
    /// # let flow = Workspace::steps().ask::<Company>().build()?;
    /// # tokio::runtime::Runtime::new()?.block_on(show(&Onramp::new(MemoryStore::new(), flow)))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn funnel(&self, cohort: &Cohort) -> Result<Funnel, Error> {
        funnel(&*self.store, self.flow.plan(), cohort, self.clock.now()).await
    }

    /// Those who have been where they are for longer than `older_than`, and what each waits for: those
    /// waiting longest first, at most `limit`. What is completed or has failed is not among them, nor
    /// what is in a pause.
    ///
    /// # Errors
    /// Of the store.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use onramp::prelude::*;
    /// # async fn show<F: Flow>(onramp: &Onramp<F>) -> Result<(), onramp::store::Error> {
    /// for stuck in onramp.stuck(Duration::from_secs(7 * 24 * 60 * 60), 20).await? {
    ///     println!("{}: {}", stuck.key, stuck.waits_for);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn stuck(&self, older_than: Duration, limit: usize) -> Result<Vec<Stuck>, Error> {
        let now = self.clock.now();
        let plan = self.flow.plan();
        stuck(&*self.store, plan, None, older_than, limit, now).await
    }

    /// The same of one tenant.
    ///
    /// # Errors
    /// Of the store.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use onramp::prelude::*;
    /// # async fn show<F: Flow>(onramp: &Onramp<F>, acme: &TenantId) -> Result<(), onramp::store::Error> {
    /// const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// let stuck = onramp.stuck_of(acme, WEEK, 20).await?;
    /// assert!(stuck.iter().all(|stuck| stuck.key.tenant == *acme));
    /// # Ok(()) }
    /// ```
    pub async fn stuck_of(
        &self,
        tenant: &TenantId,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Stuck>, Error> {
        let (plan, now) = (self.flow.plan(), self.clock.now());
        stuck(&*self.store, plan, Some(tenant), older_than, limit, now).await
    }

    /// How those of a cohort with a mark of the host's own are spread over the stages, beside those
    /// without it. Who has no onboarding is in no count: [`reconcile`](Self::reconcile) finds those.
    ///
    /// # Errors
    /// Of the store.
    ///
    /// ```
    /// use onramp::insight::{Cohort, Crossing};
    /// # use onramp::prelude::*;
    /// # async fn show<F: Flow>(onramp: &Onramp<F>) -> Result<(), onramp::store::Error> {
    /// let marks = Crossing::by("dismissed", |state| state.dismissed_at().is_some());
    /// let crossed = onramp.cross(&Cohort::everyone(), &marks).await?;
    /// println!("{} said not now", crossed[0].with.not_completed());
    /// # Ok(()) }
    /// ```
    pub async fn cross(
        &self,
        cohort: &Cohort,
        crossing: &Crossing<'_>,
    ) -> Result<Vec<Crossed>, Error> {
        cross(&*self.store, self.flow.plan(), cohort, crossing).await
    }
}
