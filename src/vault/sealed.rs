//! A secret as it is stored: an envelope.

use std::fmt;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::vault::cipher::{self, NONCE_BYTES, Nonce};
use crate::vault::keys::{DataKey, KeyError, KeyErrorKind, KeyId, KeyProvider};
use crate::vault::label::Label;
use crate::vault::secret::Secret;

/// The form of the envelope, and of what is bound to its text.
const VERSION: u32 = 1;

const DOMAIN: &str = "onramp.sealed";

/// A secret as it is stored: encrypted with a data key of its own, which is wrapped by a key that a
/// [`KeyProvider`] holds.
///
/// The text is bound to its [`Label`] and to the envelope's version: put elsewhere, or changed in any
/// bit, it does not open. `Debug` shows which key wraps it and nothing else.
///
/// ```
/// use onramp::SecretName;
/// use onramp::vault::{Label, LocalKeys, Sealed, Secret};
/// # use onramp::{OnboardingId, TenantId};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (tenant, id) = (TenantId::new("acme")?, OnboardingId::fresh());
/// let keys = LocalKeys::parse("2026-11 = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa")?;
/// let label = Label::new(tenant, id, SecretName::from_static("openai"));
///
/// let sealed = Sealed::seal(&keys, &label, &Secret::from(String::from("sk-proj-4242"))).await?;
/// let stored = serde_json::to_string(&sealed)?;
/// assert!(!stored.contains("sk-proj"));
///
/// let back: Sealed = serde_json::from_str(&stored)?;
/// assert_eq!(back.open(&keys, &label).await?.expose_text(), Some("sk-proj-4242"));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    version: u32,
    key: KeyId,
    wrapped: Bytes,
    nonce: Bytes,
    text: Bytes,
}

/// Why a secret was not sealed, or does not open. Never holds any of it.
///
/// ```
/// use onramp::vault::SealError;
/// assert!(SealError::Broken.to_string().contains("was changed"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The keys failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// It was changed, or sealed for something else.
    #[error("the sealed secret was changed, or is of something else: it does not open")]
    Broken,
    /// A newer program sealed it.
    #[error(
        "the sealed secret is of version {version}, this program reads {VERSION}: use a newer one"
    )]
    Newer {
        /// The version it says.
        version: u32,
    },
    /// It is longer than any key.
    #[error("the secret is {len} bytes long: use {} at most", Sealed::MAX_LEN)]
    TooLong {
        /// Its bytes.
        len: usize,
    },
}

impl Sealed {
    /// The longest secret, in bytes: certificates and service accounts fit.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Seals a secret for this label, under the newest key.
    ///
    /// # Errors
    /// [`SealError`]: it is too long, or the keys fail.
    pub async fn seal(
        keys: &dyn KeyProvider,
        label: &Label,
        secret: &Secret,
    ) -> Result<Self, SealError> {
        let len = secret.expose().len();
        if len > Self::MAX_LEN {
            return Err(SealError::TooLong { len });
        }
        let bound = label.bound(DOMAIN, VERSION);
        let key = DataKey::fresh().map_err(KeyError::from)?;
        let (nonce, text) =
            cipher::encrypt(key.expose(), &bound, secret.expose()).map_err(KeyError::from)?;
        let with = keys.newest().await?;
        let wrapped = keys.wrap(&with, &key, &bound).await?;
        Ok(Self {
            version: VERSION,
            key: with,
            wrapped: Bytes(wrapped),
            nonce: Bytes(nonce.to_vec()),
            text: Bytes(text),
        })
    }

    /// The secret.
    ///
    /// # Errors
    /// [`SealError`]: it was changed, is of something else, or the keys fail.
    pub async fn open(&self, keys: &dyn KeyProvider, label: &Label) -> Result<Secret, SealError> {
        let key = self.data_key(keys, label).await?;
        self.open_with(&key, label)
    }

    /// The same secret under the newest key; none when it is under that already. The text is not
    /// touched, only the wrapping of its data key.
    ///
    /// # Errors
    /// [`SealError`]: it was changed, is of something else, or the keys fail.
    pub async fn rewrap(
        &self,
        keys: &dyn KeyProvider,
        label: &Label,
    ) -> Result<Option<Self>, SealError> {
        let newest = keys.newest().await?;
        if newest == self.key {
            return Ok(None);
        }
        let key = self.data_key(keys, label).await?;
        // Or what was changed would look sound, with a new wrapping.
        self.open_with(&key, label)?;
        let wrapped = keys.wrap(&newest, &key, &self.bound(label)?).await?;
        Ok(Some(Self {
            key: newest,
            wrapped: Bytes(wrapped),
            ..self.clone()
        }))
    }

    /// The name of the key that wraps it.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key
    }

    pub(super) async fn data_key(
        &self,
        keys: &dyn KeyProvider,
        label: &Label,
    ) -> Result<DataKey, SealError> {
        let bound = self.bound(label)?;
        let unwrapped = keys.unwrap(&self.key, &self.wrapped.0, &bound).await;
        unwrapped.map_err(|error| match error.kind() {
            KeyErrorKind::Refused => SealError::Broken,
            _ => SealError::Keys(error),
        })
    }

    pub(super) fn open_with(&self, key: &DataKey, label: &Label) -> Result<Secret, SealError> {
        let bound = self.bound(label)?;
        let nonce: &Nonce = self.nonce.0.first_chunk().ok_or(SealError::Broken)?;
        if self.nonce.0.len() != NONCE_BYTES {
            return Err(SealError::Broken);
        }
        let plain = cipher::decrypt(key.expose(), &bound, nonce, &self.text.0);
        plain.map(Secret::new).ok_or(SealError::Broken)
    }

    fn bound(&self, label: &Label) -> Result<Vec<u8>, SealError> {
        match self.version {
            VERSION => Ok(label.bound(DOMAIN, VERSION)),
            version => Err(SealError::Newer { version }),
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("version", &self.version)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Bytes as base64 with its padding; another spelling of the same bytes is refused.
#[derive(Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = Base64::decode_vec(&text);
        bytes.map(Self).map_err(|_| de::Error::custom("no base64"))
    }
}

#[cfg(test)]
mod tests;
