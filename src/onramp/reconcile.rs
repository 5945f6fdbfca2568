//! Orphans in both directions: subjects without an onboarding, onboardings without a subject.

use std::future::Future;

use crate::flow::Flow;
use crate::id::Key;
use crate::id::{FlowName, SubjectId, TenantId};
use crate::lifecycle::StageKind;
use crate::onramp::Onramp;
use crate::store::{Error, Listed, Store};

/// Onboardings that are looked at at once.
const PAGE: usize = 200;

/// The system that knows who exists: the host's own table of users, an identity provider.
///
/// ```
/// use onramp::Upstream;
/// use onramp::{SubjectId, TenantId};
///
/// struct Directory { users: Vec<(TenantId, SubjectId)> }
/// impl Upstream for Directory {
///     type Error = std::io::Error;
///
///     async fn exists(&self, tenant: &TenantId, subject: &SubjectId) -> std::io::Result<bool> {
///         Ok(self.users.iter().any(|(t, s)| (t, s) == (tenant, subject)))
///     }
///
///     async fn page(&self, place: usize) -> std::io::Result<Vec<(TenantId, SubjectId)>> {
///         Ok(self.users.chunks(100).nth(place).unwrap_or_default().to_vec())
///     }
/// }
/// ```
pub trait Upstream: Send + Sync {
    /// Why it could not be asked.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether it knows a subject.
    fn exists(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// The subjects that it knows, page by page from 0; an empty page is the end.
    fn page(
        &self,
        place: usize,
    ) -> impl Future<Output = Result<Vec<(TenantId, SubjectId)>, Self::Error>> + Send;
}

/// Who is on one side only.
///
/// ```
/// # use onramp::Reconciliation;
/// fn agree(found: &Reconciliation) -> bool {
///     found.unknown_upstream.is_empty() && found.unknown_here.is_empty()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Onboardings, not failed, of subjects that upstream does not know.
    pub unknown_upstream: Vec<Listed>,
    /// Subjects that upstream knows and that have no onboarding in the flow.
    pub unknown_here: Vec<(TenantId, SubjectId)>,
}

/// Why the two could not be compared.
///
/// ```
/// # use onramp::NotReconciled;
/// fn is_ours<E>(why: &NotReconciled<E>) -> bool {
///     matches!(why, NotReconciled::Store(_))
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotReconciled<E> {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// Upstream could not be asked.
    #[error("upstream could not be asked")]
    Upstream(#[source] E),
}

impl<F: Flow> Onramp<F> {
    /// Compares the flow's onboardings with the system that knows who exists.
    ///
    /// # Errors
    /// [`NotReconciled`]: of the store, or of upstream.
    pub async fn reconcile<U: Upstream>(
        &self,
        upstream: &U,
    ) -> Result<Reconciliation, NotReconciled<U::Error>> {
        reconcile(&*self.store, self.flow.plan().flow(), upstream).await
    }
}

async fn reconcile<U: Upstream>(
    store: &dyn Store,
    flow: &FlowName,
    upstream: &U,
) -> Result<Reconciliation, NotReconciled<U::Error>> {
    let mut found = Reconciliation::default();
    let mut after = None;
    loop {
        let page = store.list(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for listed in page {
            let key = &listed.key;
            if key.flow == *flow && listed.stage != StageKind::Failed {
                let known = upstream.exists(&key.tenant, &key.subject).await;
                if !known.map_err(NotReconciled::Upstream)? {
                    found.unknown_upstream.push(listed);
                }
            }
        }
    }
    for place in 0.. {
        let page = upstream
            .page(place)
            .await
            .map_err(NotReconciled::Upstream)?;
        if page.is_empty() {
            break;
        }
        for (tenant, subject) in page {
            let key = Key {
                tenant,
                flow: flow.clone(),
                subject,
            };
            if store.find(&key).await?.is_none() {
                found.unknown_here.push((key.tenant, key.subject));
            }
        }
    }
    Ok(found)
}
