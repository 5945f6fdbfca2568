//! Where a subject is, and whether it may pass.

use crate::admission::Admission;
use crate::flow::Flow;
use crate::id::{SubjectId, TenantId};
use crate::onramp::Onramp;
use crate::status::Status;
use crate::store::{Error, StoreExt, key};

impl<F: Flow> Onramp<F> {
    /// Where a subject is in this flow; `None` when it was never enrolled. One query, and it runs
    /// nothing.
    ///
    /// # Errors
    /// Of the store: then it is not known where the subject is, which is not the same as "not
    /// completed".
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn show<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, subject: &SubjectId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(status) = onramp.status(tenant, subject).await? {
    ///     println!("{} %: {}", status.percent, serde_json::to_string(&status)?);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn status(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Option<Status>, Error> {
        let (plan, now) = (self.flow.plan(), self.clock.now());
        self.store.status(plan, tenant, subject, now).await
    }

    /// Whether a subject may pass. Asks the store, each time and once; no copy is looked at.
    ///
    /// The store is waited for as long as its own time-outs say, so an answer is never made up.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// use onramp::admission::Admission;
    /// # async fn enter<F: Flow>(onramp: &Onramp<F>, tenant: &TenantId, subject: &SubjectId) -> String {
    /// match onramp.admit(tenant, subject).await {
    ///     Admission::Granted(proof) => format!("dashboard of {}", proof.key().subject),
    ///     Admission::Onboard(next) => format!("onboarding: {next:?}"),
    ///     Admission::Unknown(retry) => format!("try again in {:?}", retry.after()),
    /// }
    /// # }
    /// ```
    pub async fn admit(&self, tenant: &TenantId, subject: &SubjectId) -> Admission {
        let said = self.store.find(&key::<F>(tenant, subject)).await;
        Admission::of(said, self.flow.plan(), self.clock.now())
    }
}
