//! Webhooks: what a third party says, verified, and attested as evidence.
//!
//! The scheme is that of Standard Webhooks (<https://www.standardwebhooks.com>): HMAC-SHA-256 over the
//! message's identity, its time and its body.
//!
//! ```
//! use onramp::http::webhook::{Attested, Verifier, attest};
//! use onramp::prelude::*;
//! # use serde::{Deserialize, Serialize};
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Paid { invoice: String }
//! impl Step for Paid { const NAME: &'static str = "payment"; }
//! impl Evidence<Workspace> for Paid {}
//!
//! /// What the provider sends, in its own words.
//! #[derive(Deserialize)]
//! struct Sent { customer: String, invoice: String }
//!
//! async fn paid(
//!     verifier: &Verifier,
//!     onramp: &Onramp<Workspace>,
//!     headers: &axum::http::HeaderMap,
//!     body: &[u8],
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let genuine = verifier.verify(headers, body)?; // else 400, and nothing is believed
//!     let sent: Sent = serde_json::from_slice(genuine.body())?;
//!     let (tenant, subject) = (TenantId::new("acme")?, SubjectId::new(sent.customer)?);
//!     // The same message twice, before the start, after a failure: all the same.
//!     let evidence = Paid { invoice: sent.invoice };
//!     match attest(onramp, &genuine, (&tenant, &subject), evidence).await? {
//!         Attested::Kept | Attested::Known | Attested::TooLate => Ok(()), // 200: do not send again
//!     }
//! }
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use base64ct::{Base64, Encoding as _};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::flow::{EncodedFact, Evidence, Flow};
use crate::http::idempotency;
use crate::id::{CommandId, SubjectId, TenantId};
use crate::lifecycle::{CanAttest, InvalidFact, Loaded, Onboarding, Rejected, Stage};
use crate::onramp::Onramp;
use crate::store::{CommitError, Error, NotAppliedBecause};
use crate::time::{Clock, SystemClock};

/// How often it is tried when others change the same onboarding.
const TRIES: u32 = 8;

/// Tells genuine messages from others.
///
/// ```
/// use onramp::http::webhook::Verifier;
/// let old = Verifier::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let rotating = old.or("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?; // either is good for a while
/// # Ok::<(), onramp::http::webhook::BadSecret>(())
/// ```
pub struct Verifier {
    secrets: Vec<Vec<u8>>,
    window: Duration,
    clock: Arc<dyn Clock>,
}

/// A secret that cannot be used. Does not say it.
///
/// ```
/// use onramp::http::webhook::Verifier;
/// let error = Verifier::new("hunter2!").unwrap_err();
/// assert!(error.to_string().starts_with("the webhook secret is not base64"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSecret {
    /// It is not base64.
    #[error("the webhook secret is not base64: copy it as it is shown, with or without \"whsec_\"")]
    NotBase64,
    /// It is so short that it could be guessed.
    #[error("the webhook secret has {0} bytes: use 16 at least")]
    TooShort(usize),
}

impl Verifier {
    /// By a secret as the provider shows it: base64, after `whsec_` or not.
    ///
    /// # Errors
    /// [`BadSecret`].
    pub fn new(secret: &str) -> Result<Self, BadSecret> {
        Ok(Self {
            secrets: vec![decoded(secret)?],
            window: Duration::from_secs(5 * 60),
            clock: Arc::new(SystemClock),
        })
    }

    /// Another secret is good, too, while one replaces the other.
    ///
    /// # Errors
    /// [`BadSecret`].
    pub fn or(mut self, secret: &str) -> Result<Self, BadSecret> {
        self.secrets.push(decoded(secret)?);
        Ok(self)
    }

    /// How far from now a message's time may be, either way: five minutes unless told. What is older
    /// may be a replay.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The message, if it is genuine and of now. Compares in constant time.
    ///
    /// # Errors
    /// [`Forged`]: believe nothing of it.
    pub fn verify<'b>(&self, headers: &HeaderMap, body: &'b [u8]) -> Result<Genuine<'b>, Forged> {
        let text = |name: &'static str| {
            let mut values = headers.get_all(name).iter();
            let value = values.next().ok_or(Forged::Missing(name))?;
            match (value.to_str(), values.next()) {
                (Ok(text), None) if !text.is_empty() => Ok(text),
                _ => Err(Forged::Unreadable(name)),
            }
        };
        let id = text("webhook-id")?;
        let seconds = text("webhook-timestamp")?;
        let signatures = text("webhook-signature")?;
        let at = seconds.parse().ok();
        let at = at.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
        let at = at.ok_or(Forged::Unreadable("webhook-timestamp"))?;
        if !self.signed(id, seconds, body, signatures) {
            return Err(Forged::Signature);
        }
        let window = TimeDelta::from_std(self.window).unwrap_or(TimeDelta::MAX);
        match self.clock.now() - at {
            age if age > window => Err(Forged::Old),
            age if age < -window => Err(Forged::Early),
            _ => Ok(Genuine {
                id: id.to_owned(),
                at,
                body,
            }),
        }
    }

    /// Every signature is held against every secret, so that the time says nothing of which.
    fn signed(&self, id: &str, seconds: &str, body: &[u8], signatures: &str) -> bool {
        let given = signatures.split(' ').take(16);
        let given = given.filter_map(|one| Base64::decode_vec(one.strip_prefix("v1,")?).ok());
        let mut good = false;
        for signature in given {
            for secret in &self.secrets {
                let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
                    continue;
                };
                for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
                    mac.update(part);
                }
                good |= mac.verify_slice(&signature).is_ok();
            }
        }
        good
    }
}

fn decoded(secret: &str) -> Result<Vec<u8>, BadSecret> {
    let bare = secret.strip_prefix("whsec_").unwrap_or(secret);
    let bytes = Base64::decode_vec(bare).map_err(|_| BadSecret::NotBase64)?;
    match bytes.len() {
        16.. => Ok(bytes),
        short => Err(BadSecret::TooShort(short)),
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &self.secrets.len())
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// Why a message is not believed.
///
/// ```
/// use onramp::http::webhook::Forged;
/// assert_eq!(Forged::Missing("webhook-id").to_string(), "the header webhook-id is missing");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forged {
    /// A header is missing.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header cannot be read.
    #[error("the header {0} cannot be read")]
    Unreadable(&'static str),
    /// No signature is right.
    #[error("no signature is right")]
    Signature,
    /// It was signed too long ago: it may be a replay.
    #[error("it was signed too long ago")]
    Old,
    /// It was signed in the future: one of the clocks is wrong.
    #[error("it was signed in the future")]
    Early,
}

/// A message that is genuine. Made by [`Verifier::verify`] alone.
///
/// ```
/// use onramp::http::webhook::Genuine;
/// fn note(message: &Genuine<'_>) {
///     println!("{} of {}: {} bytes", message.id(), message.at(), message.body().len());
/// }
/// ```
#[must_use = "it is what makes evidence of a message"]
pub struct Genuine<'b> {
    id: String,
    at: DateTime<Utc>,
    body: &'b [u8],
}

impl<'b> Genuine<'b> {
    /// Its identity: the same whenever it is sent again.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was signed.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// What it says.
    #[must_use]
    pub fn body(&self) -> &'b [u8] {
        self.body
    }
}

impl fmt::Debug for Genuine<'_> {
    /// Leaves out what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Genuine")
            .field("id", &self.id)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What became of evidence.
///
/// ```
/// use onramp::http::webhook::Attested;
/// fn is_news(attested: Attested) -> bool {
///     attested == Attested::Kept
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attested {
    /// It is kept.
    Kept,
    /// It was known: the first one counts.
    Known,
    /// The onboarding is completed without it, or its facts were erased: it is not kept.
    TooLate,
}

/// Why evidence is not kept.
///
/// ```
/// use onramp::http::webhook::NotAttested;
/// use onramp::store::Error;
/// let down = NotAttested::Store(Error::unavailable("the database does not answer"));
/// assert!(down.is_retryable()); // 503: the provider sends it again
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAttested {
    /// The store failed, or is in doubt: let it be sent again.
    #[error(transparent)]
    Store(Error),
    /// It cannot be kept.
    #[error("the evidence cannot be kept: {0}")]
    Refused(NotAppliedBecause),
}

impl NotAttested {
    /// Whether the same message may be kept when it is sent again. In doubt, too: it counts once.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => {
                error.is_retryable() || error.kind() == crate::store::ErrorKind::InDoubt
            }
            Self::Refused(_) => false,
        }
    }
}

/// Attests evidence that a genuine message gives: once, whenever it comes. A subject that was never
/// seen is enrolled by it, so that a payment before the first sign-in is not lost.
///
/// # Errors
/// [`NotAttested`].
///
/// ```
/// # use onramp::http::webhook::{Attested, Genuine, NotAttested, attest};
/// # use onramp::prelude::*;
/// async fn paid<F: Flow, E: Evidence<F>>(
///     onramp: &Onramp<F>, message: &Genuine<'_>, who: (&TenantId, &SubjectId), evidence: E,
/// ) -> u16 {
///     match attest(onramp, message, who, evidence).await {
///         Ok(Attested::Kept | Attested::Known | Attested::TooLate) => 204,
///         Err(error) if error.is_retryable() => 503,
///         Err(_) => 422,
///     }
/// }
/// ```
pub async fn attest<F: Flow, E: Evidence<F>>(
    onramp: &Onramp<F>,
    message: &Genuine<'_>,
    (tenant, subject): (&TenantId, &SubjectId),
    evidence: E,
) -> Result<Attested, NotAttested> {
    let parts = [
        tenant.as_str(),
        F::NAME,
        subject.as_str(),
        "webhook",
        E::STORED_AS,
        &message.id,
    ];
    let command = idempotency::named(&parts);
    let fact = EncodedFact::encode(&evidence).map_err(|error| {
        let invalid = InvalidFact::Encoding(error);
        NotAttested::Refused(NotAppliedBecause::Invalid(invalid))
    })?;
    for _ in 0..TRIES {
        let found = onramp.enroll(tenant, subject).await;
        let told = match found.map_err(NotAttested::Store)? {
            Loaded::Pending(pending) => tell::<F, _, E>(onramp, pending, &fact, command).await?,
            Loaded::InProgress(running) => tell::<F, _, E>(onramp, running, &fact, command).await?,
            Loaded::Failed(failed) => tell::<F, _, E>(onramp, failed, &fact, command).await?,
            Loaded::Completed(done) if done.has::<E>() => Some(Attested::Known),
            Loaded::Completed(_) => Some(Attested::TooLate),
        };
        if let Some(attested) = told {
            return Ok(attested);
        }
    }
    let message = format!("the onboarding of {subject} kept moving on: try again");
    Err(NotAttested::Store(Error::unavailable(message)))
}

/// Nothing when somebody else was quicker.
async fn tell<F: Flow, S, E: Evidence<F>>(
    onramp: &Onramp<F>,
    onboarding: Onboarding<F, S>,
    fact: &EncodedFact,
    command: CommandId,
) -> Result<Option<Attested>, NotAttested>
where
    S: Stage + CanAttest<To = S>,
{
    if onboarding.has::<E>() {
        return Ok(Some(Attested::Known));
    }
    let change = onboarding.attest_named(fact.clone());
    match onramp.commit(change.identified(command)).await {
        Ok(_) => Ok(Some(Attested::Kept)),
        Err(CommitError::Conflict(_)) => Ok(None),
        Err(CommitError::Unknown(unknown)) => Err(NotAttested::Store(unknown.cause)),
        Err(CommitError::NotApplied(not)) => match not.because {
            NotAppliedBecause::Store(error) => Err(NotAttested::Store(error)),
            NotAppliedBecause::Rejected(Rejected::Erased) => Ok(Some(Attested::TooLate)),
            because => Err(NotAttested::Refused(because)),
        },
    }
}
