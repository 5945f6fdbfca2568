//! What a reader of one tenant's onboardings asks for.

use crate::id::{FlowName, Key, SubjectId, TenantId};
use crate::store::error::Error;
use crate::store::limits::check_flow;

/// A wish for a page of a tenant's onboardings, for [`Store::of_tenant`](super::Store::of_tenant).
///
/// They are in the order of their subjects, because that is an index that every store has anyway. A
/// page goes on after what it is found by and not after an identity, so the one that a page ended at
/// may be gone by then.
///
/// ```
/// use onramp::store::{Error, Listed, Store, TenantRequest};
/// use onramp::TenantId;
///
/// async fn all(store: &dyn Store, tenant: &TenantId) -> Result<Vec<Listed>, Error> {
///     let mut request = TenantRequest::new(tenant).limit(100);
///     let mut all = Vec::new();
///     loop {
///         let page = store.of_tenant(&request).await?;
///         let Some(last) = page.last() else { return Ok(all) };
///         request = request.after(&last.key);
///         all.extend(page);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantRequest {
    /// The tenant.
    pub tenant: TenantId,
    /// Only onboardings in this flow.
    pub flow: Option<FlowName>,
    /// Only those after this subject and flow.
    pub after: Option<(SubjectId, FlowName)>,
    /// How many at most.
    pub limit: usize,
}

impl TenantRequest {
    /// The first 500 onboardings of a tenant, in whatever flow.
    #[must_use]
    pub fn new(tenant: &TenantId) -> Self {
        Self {
            tenant: tenant.clone(),
            flow: None,
            after: None,
            limit: 500,
        }
    }

    /// Whether every store can look for it. Stores call this before anything else.
    ///
    /// # Errors
    /// Of kind `Invalid`: which name is over which limit; never a value.
    ///
    /// ```
    /// # use onramp::store::{Error, TenantRequest};
    /// fn of_tenant(request: &TenantRequest) -> Result<(), Error> {
    ///     request.check()?;
    ///     Ok(()) // and so on
    /// }
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        let after = self.after.as_ref().map(|(_, flow)| flow);
        self.flow.iter().chain(after).try_for_each(check_flow)
    }

    /// Only those in a flow.
    #[must_use]
    pub fn flow(mut self, flow: &FlowName) -> Self {
        self.flow = Some(flow.clone());
        self
    }

    /// Those after this one: the next page, when it was the last of a page. It need not be there.
    #[must_use]
    pub fn after(mut self, last: &Key) -> Self {
        self.after = Some((last.subject.clone(), last.flow.clone()));
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Whether a page of these, without its limit, has it.
    pub(super) fn is_for(&self, key: &Key) -> bool {
        let later = self.after.as_ref();
        key.tenant == self.tenant
            && self.flow.as_ref().is_none_or(|flow| key.flow == *flow)
            && later.is_none_or(|(subject, flow)| (&key.subject, &key.flow) > (subject, flow))
    }
}
