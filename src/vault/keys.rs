//! Who holds the keys that data keys are wrapped with.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::vault::random::{self, NoRandomness};

/// Bytes of a key, of whichever kind.
pub(super) const KEY_BYTES: usize = 32;

/// The longest name of a key: the ARN of a cloud's key fits.
const MAX_KEY_ID: usize = 128;

/// Who holds the keys that data keys are wrapped with: a file, a key management service.
///
/// Every secret has a data key of its own, and only that is wrapped here; so a service never sees a
/// secret, and changing the wrapping key rewrites a few bytes for each. [`LocalKeys`](super::LocalKeys)
/// is an implementation to read. One for a service looks like this:
///
/// ```
/// use async_trait::async_trait;
/// use onramp::vault::{DataKey, KeyError, KeyErrorKind, KeyId, KeyProvider};
/// # struct Client;
/// # impl Client {
/// #     async fn encrypt(&self, _: &str, plain: &[u8], _: &[u8]) -> std::io::Result<Vec<u8>> { Ok(plain.to_vec()) }
/// #     async fn decrypt(&self, _: &str, blob: &[u8], _: &[u8]) -> std::io::Result<Vec<u8>> { Ok(blob.to_vec()) }
/// # }
///
/// struct Kms { client: Client, newest: KeyId }
///
/// fn down(error: std::io::Error) -> KeyError {
///     KeyError::new(KeyErrorKind::Unavailable, "the key service does not answer").because(error)
/// }
///
/// #[async_trait]
/// impl KeyProvider for Kms {
///     async fn newest(&self) -> Result<KeyId, KeyError> {
///         Ok(self.newest.clone())
///     }
///
///     async fn wrap(&self, with: &KeyId, key: &DataKey, context: &[u8]) -> Result<Vec<u8>, KeyError> {
///         self.client.encrypt(with.as_str(), key.expose(), context).await.map_err(down)
///     }
///
///     async fn unwrap(&self, with: &KeyId, wrapped: &[u8], context: &[u8]) -> Result<DataKey, KeyError> {
///         let bytes = self.client.decrypt(with.as_str(), wrapped, context).await.map_err(down)?;
///         DataKey::from_bytes(bytes)
///     }
/// }
/// ```
#[async_trait]
pub trait KeyProvider: Send + Sync + 'static {
    /// The key that new data keys are wrapped with.
    async fn newest(&self) -> Result<KeyId, KeyError>;

    /// Wraps a data key with the key of this name. `context` is what the secret is sealed for: bind
    /// it, if the service can (an encryption context, associated data), so that it refuses what was
    /// moved elsewhere. The secret itself is bound to it in any case.
    async fn wrap(&self, with: &KeyId, key: &DataKey, context: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// The data key that was wrapped with the key of this name, for the same context.
    ///
    /// # Errors
    /// Of kind [`KeyErrorKind::Unknown`] when there is no such key (any more), of kind
    /// [`KeyErrorKind::Refused`] when it is not what was wrapped.
    async fn unwrap(
        &self,
        with: &KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<DataKey, KeyError>;
}

/// Holds that it can be used as a trait object.
const _: fn(&dyn KeyProvider) = |_| {};

/// The name of a wrapping key. Not a secret: it is stored beside what was wrapped.
///
/// ```
/// use onramp::vault::KeyId;
/// assert_eq!(KeyId::new("2026-11")?.as_str(), "2026-11");
/// let error = KeyId::new("two words").err().map(|error| error.to_string());
/// assert!(error.is_some_and(|error| error.contains("use 1 to 128 of")));
/// # Ok::<(), onramp::vault::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// Takes 1 to 128 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `:`, `/` and `-`.
    ///
    /// # Errors
    /// Of kind `Invalid` for anything else. The text is not repeated: it may be the key itself.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        if text.is_empty() || text.len() > MAX_KEY_ID || !text.bytes().all(known) {
            let message = format!(
                "the name of a key is none: use 1 to {MAX_KEY_ID} of letters, digits and . _ : / -"
            );
            return Err(KeyError::new(KeyErrorKind::Invalid, message));
        }
        Ok(Self(text))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

/// The key of one sealed secret. As secret as that: no `Debug`, no `Clone`, overwritten when dropped.
///
/// ```
/// use onramp::vault::DataKey;
/// let key = DataKey::from_bytes(vec![7; 32])?;
/// assert_eq!(key.expose().len(), 32);
/// assert!(DataKey::from_bytes(vec![7; 31]).is_err());
/// # Ok::<(), onramp::vault::KeyError>(())
/// ```
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// What a provider has unwrapped.
    ///
    /// # Errors
    /// Of kind `Refused` unless it is 32 bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            let message = format!("a data key has {KEY_BYTES} bytes, not {}", bytes.len());
            return Err(KeyError::new(KeyErrorKind::Refused, message));
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// The bytes, for a provider to wrap.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(super) fn fresh() -> Result<Self, NoRandomness> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random::fill(&mut *key)?;
        Ok(Self(key))
    }
}

/// What kind of failure it was, and so who can do something about it.
///
/// ```
/// use onramp::vault::KeyErrorKind;
/// assert_ne!(KeyErrorKind::Unavailable, KeyErrorKind::Refused);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The keys could not be reached. Try again.
    Unavailable,
    /// There is no key of that name (any more): give it back, and re-wrap before it is taken away.
    Unknown,
    /// What was to be unwrapped was changed, or wrapped for something else.
    Refused,
    /// The settings cannot be used.
    Invalid,
}

/// A failure of a [`KeyProvider`]. Never holds a key.
///
/// ```
/// use onramp::vault::{KeyError, KeyErrorKind};
/// let error = KeyError::new(KeyErrorKind::Unavailable, "the key service does not answer");
/// assert!(error.is_retryable());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct KeyError {
    kind: KeyErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl KeyError {
    /// A failure of this kind.
    pub fn new(kind: KeyErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind == KeyErrorKind::Unavailable
    }
}

impl From<NoRandomness> for KeyError {
    fn from(error: NoRandomness) -> Self {
        Self::new(KeyErrorKind::Unavailable, error.to_string())
    }
}
