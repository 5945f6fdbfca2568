//! A secret shown to people: once, in time, to whoever has the token.

use chrono::{DateTime, Utc};

use crate::flow::slot;
use crate::id::{Actor, OnboardingId, SecretName, TenantId};
use crate::lifecycle::{MAX_WRONG, Proof, Rejected, SecretState, SecretWish};
use crate::vault::cipher::parts;
use crate::vault::error::VaultError;
use crate::vault::keep::Vault;
use crate::vault::kept::{Done, Kept, Of, TRIES};
use crate::vault::label::Label;
use crate::vault::reveal_token::{RevealToken, StoredToken};
use crate::vault::secret::Secret;

const DOMAIN: &str = "onramp.reveal";
const VERSION: u32 = 1;

/// That a person has just proved again who they are: by password, by passkey, at the identity provider.
///
/// The host says so, and when; a session that is merely still open is no proof. It serves for one offer,
/// of one onboarding, for five minutes. It cannot be copied, nor come out of a request.
///
/// ```
/// use onramp::vault::Reauthenticated;
/// # use onramp::{Clock, OnboardingId, SystemClock};
/// # let id = OnboardingId::fresh();
/// // After the identity provider has said so: its `auth_time`.
/// let proof = Reauthenticated::new(id, SystemClock.now());
/// ```
#[derive(Debug)]
#[must_use = "a proof serves for an offer"]
pub struct Reauthenticated {
    of: OnboardingId,
    at: DateTime<Utc>,
}

impl Reauthenticated {
    /// The person behind an onboarding proved at this time who they are.
    pub fn new(of: OnboardingId, at: DateTime<Utc>) -> Self {
        Self { of, at }
    }
}

impl Vault {
    /// Makes a token that shows a secret once. **Its time begins now**: offer when somebody is there to see
    /// it, and however long the way there was takes nothing off. An onboarding that is not completed has
    /// nothing to show yet.
    ///
    /// Every further offer of the same secret needs a proof: [`offer_again`](Self::offer_again).
    ///
    /// # Errors
    /// [`VaultError`]. When a commit is in doubt the token is lost; the next offer may need a proof then.
    ///
    /// ```
    /// # use onramp::{OnboardingId, SecretName, TenantId};
    /// use onramp::vault::{RevealToken, Vault, VaultError};
    /// # static API_KEY: SecretName = SecretName::from_static("api_key");
    /// # async fn page(vault: &Vault, tenant: &TenantId, id: OnboardingId) -> Result<(), VaultError> {
    /// let token = vault.offer(tenant, id, &API_KEY).await?;
    /// let sent = token.expose(); // to the browser, in the body
    /// # let Ok(token) = RevealToken::parse(sent) else { return Err(VaultError::UnknownToken) };
    /// // It comes back in the body of a POST.
    /// let key = vault.reveal(tenant, id, &API_KEY, &token).await?;
    /// # Ok(()) }
    /// ```
    pub async fn offer(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
    ) -> Result<RevealToken, VaultError> {
        self.offer_with(&Of { tenant, id, name }, None).await
    }

    /// Makes another token, because somebody proved again who they are. Earlier ones serve no more. Who has
    /// no proof gets a new secret instead: replace it.
    ///
    /// # Errors
    /// [`VaultError`]; [`Rejected::StaleProof`] when it is of more than five minutes ago.
    ///
    /// ```
    /// # use onramp::{Clock, OnboardingId, SecretName, SystemClock, TenantId};
    /// use onramp::vault::{Reauthenticated, Vault, VaultError};
    /// # static API_KEY: SecretName = SecretName::from_static("api_key");
    /// # async fn page(vault: &Vault, tenant: &TenantId, id: OnboardingId) -> Result<(), VaultError> {
    /// # let auth_time = SystemClock.now();
    /// let proof = Reauthenticated::new(id, auth_time);
    /// let token = vault.offer_again(tenant, id, &API_KEY, proof).await?;
    /// # Ok(()) }
    /// ```
    pub async fn offer_again(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
        proof: Reauthenticated,
    ) -> Result<RevealToken, VaultError> {
        let Reauthenticated { of, at } = proof;
        let proof = Some(Proof { of, at });
        self.offer_with(&Of { tenant, id, name }, proof).await
    }

    async fn offer_with(
        &self,
        of: &Of<'_>,
        proof: Option<Proof>,
    ) -> Result<RevealToken, VaultError> {
        let token = RevealToken::fresh()?;
        for _ in 0..TRIES {
            let kept = self.kept(of).await?;
            let sealed = kept.sealed.as_ref().ok_or_else(|| missing(of))?;
            let key = sealed.data_key(&*self.keys, &of.label()).await?;
            // Nobody is offered what does not open.
            drop(sealed.open_with(&key, &of.label())?);
            let until = self.clock.now().checked_add_signed(self.lifetime);
            let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
            let stored = StoredToken::of(&token, &key, &bound(&of.label(), until));
            let record = self.record(slot::reveal(of.name), &stored)?;
            let wish = SecretWish::Offer {
                token: record.mark,
                until,
                proof,
            };
            match self.commit(of, &kept.row, &wish, Some(record)).await? {
                Done::Stored => return Ok(token),
                Done::Held | Done::Moved => {}
            }
        }
        Err(of.moved())
    }

    /// Shows a secret: to whoever has the token, once. The secret comes out only after the journal has it
    /// that it was shown; of many who call at once one gets it. After five wrong tokens the right one
    /// serves no more.
    ///
    /// Call it for a POST, after the session was found to be of this tenant and onboarding; answer with
    /// `Cache-Control: no-store`. The secret stays kept: [`burn`](Self::burn) it when nobody needs it.
    ///
    /// # Errors
    /// [`VaultError`]. When a commit is in doubt nothing is shown, and the token may be used up.
    pub async fn reveal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        name: &SecretName,
        token: &RevealToken,
    ) -> Result<Secret, VaultError> {
        let of = Of { tenant, id, name };
        let people = self.clone().acting_for(Actor::Subject);
        for _ in 0..TRIES {
            let kept = self.kept(&of).await?;
            let attempt = people.attempt(&of, kept, token).await?;
            if let Some(secret) = attempt {
                return Ok(secret);
            }
        }
        Err(of.moved())
    }

    /// None when somebody else was first.
    async fn attempt(
        &self,
        of: &Of<'_>,
        kept: Kept,
        token: &RevealToken,
    ) -> Result<Option<Secret>, VaultError> {
        let Kept {
            row,
            sealed,
            token: stored,
        } = kept;
        let sealed = sealed.ok_or_else(|| missing(of))?;
        let reveal = row.state.secret(of.name).and_then(SecretState::reveal);
        let reveal = reveal.ok_or(Rejected::NotOffered)?;
        let Some(stored) = stored else {
            // The rules say why it serves no more.
            let why = self.commit(of, &row, &SecretWish::Reveal, None).await;
            return why.and(Err(VaultError::UnknownToken));
        };
        if !stored.is_meant(token) {
            return Err(VaultError::UnknownToken);
        }
        let (label, left) = (of.label(), MAX_WRONG.saturating_sub(reveal.wrong() + 1));
        let key = sealed.data_key(&*self.keys, &label).await?;
        if !stored.is_of(token, &key, &bound(&label, reveal.until())) {
            let refused = self.commit(of, &row, &SecretWish::Refuse, None).await?;
            return match refused {
                Done::Moved => Ok(None),
                Done::Stored | Done::Held => Err(VaultError::WrongToken { left }),
            };
        }
        // Before the commit: a token is not used up for what does not open.
        let secret = sealed.open_with(&key, &label)?;
        match self.commit(of, &row, &SecretWish::Reveal, None).await? {
            Done::Stored => Ok(Some(secret)),
            Done::Held | Done::Moved => Ok(None),
        }
    }
}

fn missing(of: &Of<'_>) -> VaultError {
    let name = of.name.clone();
    Rejected::NoSecret { name }.into()
}

/// Its time is bound to the token too: whoever can write rows cannot make it longer.
fn bound(label: &Label, until: DateTime<Utc>) -> Vec<u8> {
    let until = until.timestamp_micros().to_be_bytes();
    parts(&[&label.bound(DOMAIN, VERSION), &until])
}
