//! What remains of an API key when it has been given out.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::vault::api_key::ApiKey;

/// Bytes that a fingerprint shows: enough to tell keys apart, too few to look one up by.
const SHOWN: usize = 6;

/// SHA-256 of an API key, to know it again. A key has 190 random bits, so it needs neither salt nor
/// slow hashing, and can be found by its hash.
///
/// ```
/// use onramp::vault::{ApiKey, ApiKeyHash, KeyPrefix};
/// let prefix = KeyPrefix::new("acme_live")?;
/// let (key, other) = (ApiKey::generate(&prefix)?, ApiKey::generate(&prefix)?);
/// let stored = key.hash().to_string();
/// let hash: ApiKeyHash = stored.parse()?;
/// assert!(hash.is_of(&key) && !hash.is_of(&other));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiKeyHash([u8; 32]);

/// A text is no hash of an API key.
///
/// ```
/// use onramp::vault::{ApiKeyHash, NoHash};
/// assert_eq!("sha256:12".parse::<ApiKeyHash>(), Err(NoHash));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no hash of an API key: it is `sha256:` and 64 digits of hex in lower case")]
pub struct NoHash;

impl ApiKeyHash {
    pub(super) fn of(key: &str) -> Self {
        Self(digest("onramp.api-key.1", key))
    }

    /// Whether it is of this key. Takes as long wherever they differ.
    #[must_use]
    pub fn is_of(&self, key: &ApiKey) -> bool {
        self.0.ct_eq(&key.hash().0).into()
    }
}

impl fmt::Display for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        hex(&self.0, f)
    }
}

impl std::str::FromStr for ApiKeyHash {
    type Err = NoHash;
    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digits = text.strip_prefix("sha256:").ok_or(NoHash)?.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64
            || !digits
                .iter()
                .all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(NoHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NoHash)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoHash)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for ApiKeyHash {
    type Error = NoHash;
    fn try_from(text: String) -> Result<Self, NoHash> {
        text.parse()
    }
}

impl From<ApiKeyHash> for String {
    fn from(hash: ApiKeyHash) -> Self {
        hash.to_string()
    }
}

/// What people tell keys apart by: the prefix, and some digits that say nothing about the key.
///
/// ```
/// use onramp::vault::{ApiKey, KeyPrefix};
/// let key = ApiKey::generate(&KeyPrefix::new("acme_live")?)?;
/// let shown = key.fingerprint().to_string(); // acme_live:3f9a77c10b2e
/// assert!(shown.starts_with("acme_live:") && shown.len() == "acme_live:".len() + 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    pub(super) fn of(prefix: &str, key: &str) -> Self {
        struct Shown<'a>(&'a [u8]);
        impl fmt::Display for Shown<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex(self.0, f)
            }
        }
        // Another hash than the stored one, or it would be a part of that.
        let digest = digest("onramp.fingerprint.1", key);
        Self(format!("{prefix}:{}", Shown(&digest[..SHOWN])))
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn digest(domain: &str, key: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(crate::vault::cipher::parts(&[domain.as_bytes()]));
    hasher.update(key.as_bytes());
    hasher.finalize().into()
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
