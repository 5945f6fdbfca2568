//! The host's front door to secrets: keep, open, burn.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::flow::slot;
use crate::id::{Actor, OnboardingId, SecretName, TenantId};
use crate::lifecycle::{Rejected, SecretWish};
use crate::store::Store;
use crate::time::{Clock, SystemClock};
use crate::vault::api_key::{ApiKey, KeyPrefix};
use crate::vault::error::VaultError;
use crate::vault::kept::{Done, Of, TRIES};
use crate::vault::keys::KeyProvider;
use crate::vault::sealed::Sealed;
use crate::vault::secret::Secret;

/// How long a token shows a secret, unless told.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// Secrets of onboardings: a store, the keys, a clock. Cheap to clone.
///
/// A secret is stored beside the facts of its onboarding, sealed, in the same transaction as the journal's
/// word of it. So what holds for facts holds for it: tenants, erasure, export (which leaves it out), audit.
/// Every change moves the revision, so a handle that is held meanwhile conflicts.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::SecretName;
/// use onramp::vault::{LocalKeys, Secret, Vault};
/// # use std::sync::Arc;
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
///
/// static OPENAI: SecretName = SecretName::from_static("openai");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let flow = Workspace::steps().ask::<Company>().build()?;
/// # let onramp = Onramp::new(MemoryStore::new(), flow);
/// # let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new("org-001")?);
/// # let id = onramp.enroll(&tenant, &subject).await?.id();
/// # let keys = "2026-11 = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
/// let vault = Vault::new(Arc::clone(onramp.store()), LocalKeys::parse(keys)?);
///
/// vault.keep(&tenant, id, &OPENAI, Secret::from(String::from("sk-proj-4242"))).await?;
/// let key = vault.open(&tenant, id, &OPENAI).await?;
/// assert_eq!(key.expose_text(), Some("sk-proj-4242")); // to the provider, and nowhere else
/// vault.burn(&tenant, id, &OPENAI).await?;
/// # Ok(()) }
/// ```
///
/// A task makes a key like this. A crash anywhere leaves nothing in the clear: the key is kept, sealed,
/// before anybody knows it, and the next attempt gets the one that is kept.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::SecretName;
/// use onramp::vault::{ApiKeyHash, Fingerprint, KeyPrefix, Vault, VaultError};
/// use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
///
/// static API_KEY: SecretName = SecretName::from_static("api_key");
/// const NO_KEY: Problem = Problem::new("no_key", "Your key could not be made. We try again.");
///
/// #[derive(Serialize, Deserialize)]
/// struct Issued { hash: ApiKeyHash, fingerprint: Fingerprint }
/// impl Step for Issued { const NAME: &'static str = "issue_key"; }
///
/// struct IssueKey { vault: Vault, prefix: KeyPrefix }
/// impl Task<Workspace> for IssueKey {
///     type Needs = ();
///     type Output = Issued;
///
///     async fn run(&self, cx: &TaskContext, (): ()) -> Result<Issued, TaskError> {
///         let key = self.vault.issue(cx.tenant(), cx.onboarding(), &API_KEY, &self.prefix).await;
///         let key = key.map_err(|error| TaskError::retryable(NO_KEY, error))?;
///         Ok(Issued { hash: key.hash(), fingerprint: key.fingerprint() })
///     }
///
///     async fn undo(&self, cx: &TaskContext, _: Option<Issued>) -> Result<(), TaskError> {
///         let burnt = self.vault.burn(cx.tenant(), cx.onboarding(), &API_KEY).await;
///         burnt.map_err(|error| TaskError::retryable(NO_KEY, error))
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Vault {
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: Arc<dyn KeyProvider>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) by: Actor,
    pub(super) lifetime: TimeDelta,
}

impl Vault {
    /// The secrets of the onboardings in a store, under the keys of a provider.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, keys: impl KeyProvider) -> Self {
        Self {
            store,
            keys: Arc::new(keys),
            clock: Arc::new(SystemClock),
            by: Actor::Host,
            lifetime: LIFETIME,
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same, and a token shows a secret for so long: 15 minutes unless told.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = TimeDelta::from_std(lifetime).unwrap_or(LIFETIME);
        self
    }

    /// The same for somebody else than the host: who it was, as the journal tells.
    #[must_use]
    pub fn acting_for(mut self, by: Actor) -> Self {
        self.by = by;
        self
    }

    /// Keeps a secret under a name, in whatever stage, in place of one that is kept. A token that shows the
    /// old one serves no more.
    ///
    /// # Errors
    /// [`VaultError`]. After `InDoubt` of the store keep it again: that does no harm.
    pub async fn keep(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
        secret: Secret,
    ) -> Result<(), VaultError> {
        let of = Of { tenant, id, name };
        let sealed = Sealed::seal(&*self.keys, &of.label(), &secret).await?;
        drop(secret);
        for _ in 0..TRIES {
            let row = self.row(&of).await?;
            let record = self.record(slot::sealed(name), &sealed)?;
            let wish = SecretWish::Keep { fact: record.mark };
            match self.commit(&of, &row, &wish, Some(record)).await? {
                Done::Stored | Done::Held => return Ok(()),
                Done::Moved => {}
            }
        }
        Err(of.moved())
    }

    /// Keeps a secret unless one of the name is kept. Gives the one that is kept then: of many who call at
    /// once, all get the same. So a task that is repeated, or overtaken, does no harm.
    ///
    /// # Errors
    /// [`VaultError`].
    ///
    /// ```
    /// # use onramp::{OnboardingId, SecretName, TenantId};
    /// # use onramp::vault::{Secret, Vault, VaultError};
    /// # async fn show(vault: &Vault, tenant: &TenantId, id: OnboardingId, made: Secret) -> Result<(), VaultError> {
    /// static WEBHOOK: SecretName = SecretName::from_static("webhook");
    /// let signing_key = vault.keep_once(tenant, id, &WEBHOOK, made).await?;
    /// # Ok(()) }
    /// ```
    pub async fn keep_once(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
        secret: Secret,
    ) -> Result<Secret, VaultError> {
        let of = Of { tenant, id, name };
        let mut mine = None;
        for _ in 0..TRIES {
            let kept = self.kept(&of).await?;
            if let Some(sealed) = kept.sealed {
                return Ok(sealed.open(&*self.keys, &of.label()).await?);
            }
            let sealed = match &mine {
                Some(sealed) => sealed,
                None => mine.insert(Sealed::seal(&*self.keys, &of.label(), &secret).await?),
            };
            let record = self.record(slot::sealed(name), sealed)?;
            let wish = SecretWish::KeepOnce { fact: record.mark };
            match self.commit(&of, &kept.row, &wish, Some(record)).await? {
                Done::Stored => return Ok(secret),
                Done::Held | Done::Moved => {}
            }
        }
        Err(of.moved())
    }

    /// Generates an API key and keeps it; or gives the one that is kept, so that whoever is repeated gets
    /// the same. Store its hash and its fingerprint.
    ///
    /// # Errors
    /// [`VaultError`]; `NotApiKey` when something else is kept under the name.
    pub async fn issue(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
        prefix: &KeyPrefix,
    ) -> Result<ApiKey, VaultError> {
        let fresh = ApiKey::generate(prefix)?;
        let kept = self.keep_once(tenant, id, name, fresh.to_secret()).await?;
        Ok(ApiKey::parse(
            prefix,
            kept.expose_text().unwrap_or_default(),
        )?)
    }

    /// The secret, for the host's own use. People get it by [`offer`](Self::offer) and
    /// [`reveal`](Self::reveal).
    ///
    /// # Errors
    /// [`VaultError`]; [`Rejected::NoSecret`] when none of the name is kept.
    pub async fn open(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
    ) -> Result<Secret, VaultError> {
        let of = Of { tenant, id, name };
        let sealed = self.kept(&of).await?.sealed;
        let name = || name.clone();
        let sealed = sealed.ok_or_else(|| Rejected::NoSecret { name: name() })?;
        Ok(sealed.open(&*self.keys, &of.label()).await?)
    }

    /// Forgets a secret for good, and the token that shows it. When none is kept nothing happens.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn burn(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
    ) -> Result<(), VaultError> {
        let of = Of { tenant, id, name };
        for _ in 0..TRIES {
            let row = self.row(&of).await?;
            match self.commit(&of, &row, &SecretWish::Burn, None).await? {
                Done::Stored | Done::Held => return Ok(()),
                Done::Moved => {}
            }
        }
        Err(of.moved())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
