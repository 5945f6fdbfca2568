//! Bringing everything that is kept under the newest key, while all goes on.

use crate::flow::slot;
use crate::id::{OnboardingId, SecretName};
use crate::lifecycle::SecretWish;
use crate::store::{ErrorKind, Listed};
use crate::vault::error::VaultError;
use crate::vault::keep::Vault;
use crate::vault::kept::{Done, Of, TRIES};
use crate::vault::sealed::SealError;

/// Onboardings that are looked at between two words of how far it is.
const PAGE: usize = 100;

/// How far re-wrapping is.
///
/// ```
/// # use onramp::vault::Rewrapped;
/// fn say(so_far: &Rewrapped) -> String {
///     match &so_far.next {
///         Some(after) => format!("{} re-wrapped, go on after {after}", so_far.rewrapped),
///         None if so_far.failed.is_empty() => "all is under the newest key".into(),
///         None => format!("{} could not be: keep the old key", so_far.failed.len()),
///     }
/// }
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
#[must_use = "some may be under the old key still"]
pub struct Rewrapped {
    /// Secrets that are under the newest key now, and were not.
    pub rewrapped: usize,
    /// Secrets that were under it already.
    pub current: usize,
    /// Secrets that could not be, and why: while there are any, keep the old keys.
    pub failed: Vec<NotRewrapped>,
    /// Where to go on; none at the end.
    pub next: Option<OnboardingId>,
}

/// A secret that is under an old key still.
///
/// ```
/// # use onramp::vault::NotRewrapped;
/// fn say(failed: &NotRewrapped) -> String {
///     format!("{}: {}", failed.id, failed.why)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct NotRewrapped {
    /// Whose.
    pub id: OnboardingId,
    /// Which; none when the onboarding itself cannot be read.
    pub name: Option<SecretName>,
    /// Why.
    pub why: VaultError,
}

impl Vault {
    /// Brings every secret of every tenant under the newest key. Only the wrappings change; tokens that are
    /// out stay good, and nothing is [kept longer](crate::store::Retention) for it. Safe to repeat, and to run more than once at a time; others wait for nothing.
    ///
    /// # Errors
    /// Of the store, and of keys that cannot be reached; what was done before it stays done, so begin
    /// again. What is broken is no error: it is told, and passed over.
    ///
    /// ```
    /// # use onramp::vault::{Vault, VaultError};
    /// # async fn rotate(vault: &Vault) -> Result<(), VaultError> {
    /// let done = vault.rewrap_all().await?;
    /// if done.failed.is_empty() {
    ///     println!("{} re-wrapped: the old key can go", done.rewrapped);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn rewrap_all(&self) -> Result<Rewrapped, VaultError> {
        let mut done = Rewrapped::default();
        loop {
            let page = self.rewrap_after(done.next).await?;
            done.rewrapped += page.rewrapped;
            done.current += page.current;
            done.failed.extend(page.failed);
            done.next = page.next;
            if done.next.is_none() {
                return Ok(done);
            }
        }
    }

    /// The same for a hundred onboardings, in the order of their identities, after one: for a host that
    /// notes how far it is, or wants to go slowly.
    ///
    /// # Errors
    /// As [`rewrap_all`](Self::rewrap_all).
    ///
    /// ```
    /// # use onramp::vault::{Vault, VaultError};
    /// # async fn rotate(vault: &Vault) -> Result<(), VaultError> {
    /// let mut next = None;
    /// loop {
    ///     let page = vault.rewrap_after(next).await?;
    ///     next = page.next;
    ///     if next.is_none() { break; }
    ///     // Note it, take a rest.
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn rewrap_after(&self, after: Option<OnboardingId>) -> Result<Rewrapped, VaultError> {
        let mut done = Rewrapped::default();
        let page = self.store.list(after, PAGE).await?;
        // A page that is not full was the last one.
        done.next = page.get(PAGE - 1).map(|listed| listed.id);
        for listed in page {
            self.rewrap_one(&listed, &mut done).await?;
        }
        Ok(done)
    }

    async fn rewrap_one(&self, listed: &Listed, done: &mut Rewrapped) -> Result<(), VaultError> {
        let (tenant, id) = (&listed.key.tenant, listed.id);
        let row = match self.store.load(tenant, id).await.map_err(VaultError::Store) {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()), // purged meanwhile
            Err(why) if is_of_this_one(&why) => {
                let name = None;
                done.failed.push(NotRewrapped { id, name, why });
                return Ok(());
            }
            Err(why) => return Err(why),
        };
        for (name, _) in row.state.secrets() {
            match self.rewrap_secret(&Of { tenant, id, name }).await {
                Ok(true) => done.rewrapped += 1,
                Ok(false) => done.current += 1,
                // Gone meanwhile.
                Err(VaultError::Absent | VaultError::Rejected(_)) => {}
                Err(why) if is_of_this_one(&why) => {
                    let name = Some(name.clone());
                    done.failed.push(NotRewrapped { id, name, why });
                }
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// Whether it had to be.
    async fn rewrap_secret(&self, of: &Of<'_>) -> Result<bool, VaultError> {
        for _ in 0..TRIES {
            let kept = self.kept(of).await?;
            let Some(sealed) = kept.sealed else {
                return Ok(false);
            };
            let Some(sealed) = sealed.rewrap(&*self.keys, &of.label()).await? else {
                return Ok(false);
            };
            let record = self.record(slot::sealed(of.name), &sealed)?;
            let wish = SecretWish::Rewrap { fact: record.mark };
            match self.commit(of, &kept.row, &wish, Some(record)).await? {
                Done::Stored => return Ok(true),
                Done::Held | Done::Moved => {}
            }
        }
        Err(of.moved())
    }
}

/// Whether it is wrong with this one alone, so that the others go on.
fn is_of_this_one(why: &VaultError) -> bool {
    match why {
        VaultError::Tampered { .. }
        | VaultError::Seal(SealError::Broken | SealError::Newer { .. }) => true,
        VaultError::Seal(SealError::Keys(error)) => !error.is_retryable(),
        VaultError::Store(error) => error.kind() == ErrorKind::Corrupt,
        _ => false,
    }
}
