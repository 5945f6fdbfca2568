//! API keys that are made here, and recognised wherever they turn up.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::vault::base62::{CHECKSUM_LEN, checksum, push_random};
use crate::vault::fingerprint::{ApiKeyHash, Fingerprint};
use crate::vault::random::NoRandomness;
use crate::vault::secret::Secret;

/// Random digits of a key: 190 bits.
const RANDOM_LEN: usize = 32;

/// What every key of a product begins with, so that scanners know whose a leaked one is.
///
/// ```
/// use onramp::vault::KeyPrefix;
/// let prefix = KeyPrefix::new("acme_live")?;
/// assert_eq!(prefix.as_str(), "acme_live");
/// // For the scanner's list: what to look for. The checksum tells real ones from look-alikes.
/// assert_eq!(prefix.pattern(), r"\bacme_live_[0-9A-Za-z]{38}\b");
/// # Ok::<(), onramp::vault::ApiKeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// Takes 2 to 24 of `a-z`, `0-9` and `_`, a letter first and no `_` last.
    ///
    /// # Errors
    /// [`ApiKeyError::Prefix`].
    pub fn new(text: impl Into<String>) -> Result<Self, ApiKeyError> {
        let text = text.into();
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let valid = (2..=24).contains(&text.len())
            && text.as_bytes()[0].is_ascii_lowercase()
            && !text.ends_with('_')
            && text.bytes().all(known);
        match valid {
            true => Ok(Self(text)),
            false => Err(ApiKeyError::Prefix),
        }
    }

    /// The prefix, without the `_` that follows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A regular expression that finds such keys in texts.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!(
            r"\b{}_[0-9A-Za-z]{{{}}}\b",
            self.0,
            RANDOM_LEN + CHECKSUM_LEN
        )
    }
}

impl TryFrom<String> for KeyPrefix {
    type Error = ApiKeyError;
    fn try_from(text: String) -> Result<Self, ApiKeyError> {
        Self::new(text)
    }
}

impl From<KeyPrefix> for String {
    fn from(prefix: KeyPrefix) -> Self {
        prefix.0
    }
}

/// An API key: `prefix_`, 32 random letters and digits, six more that check the rest.
///
/// As secret as a [`Secret`]: seal it, show it once, store its [`hash`](Self::hash) and
/// [`fingerprint`](Self::fingerprint).
///
/// ```
/// use onramp::vault::{ApiKey, KeyPrefix};
/// let prefix = KeyPrefix::new("acme_live")?;
/// let key = ApiKey::generate(&prefix)?;
/// let (hash, fingerprint) = (key.hash(), key.fingerprint()); // what is stored
///
/// let sent = key.expose().to_owned(); // what a client sends
/// let sent = ApiKey::parse(&prefix, &sent)?;
/// assert!(hash.is_of(&sent));
/// assert_eq!(sent.fingerprint(), fingerprint);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ApiKey {
    text: Zeroizing<String>,
    /// Bytes of the prefix.
    prefix: usize,
}

/// Why a text is no API key. Never holds any of it.
///
/// ```
/// use onramp::vault::{ApiKey, ApiKeyError, KeyPrefix};
/// let error = ApiKey::parse(&KeyPrefix::new("acme")?, "sk_1234").err();
/// assert_eq!(error, Some(ApiKeyError::Foreign { expected: "acme_".into() }));
/// # Ok::<(), ApiKeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The prefix is none.
    #[error("the prefix is none: use 2 to 24 of a-z, 0-9 and _, a letter first and no _ last")]
    Prefix,
    /// It is a key of something else.
    #[error("the key does not begin with {expected}: it is of something else")]
    Foreign {
        /// What it should begin with.
        expected: String,
    },
    /// Something was cut off or added.
    #[error("the key is {len} characters long, not {expected}: copy the whole of it")]
    Length {
        /// Its characters.
        len: usize,
        /// What it should have.
        expected: usize,
    },
    /// A character is none of a key's.
    #[error(
        "the character at place {place} of the key is neither a letter nor a digit: copy it again"
    )]
    Character {
        /// Counted from 1.
        place: usize,
    },
    /// The checksum is wrong, so it was never given out.
    #[error("the key's checksum is wrong: a character was mistyped, copy it again")]
    Checksum,
}

impl ApiKey {
    /// A new key, from the system's random generator.
    ///
    /// # Errors
    /// [`NoRandomness`]: no key was made.
    pub fn generate(prefix: &KeyPrefix) -> Result<Self, NoRandomness> {
        let prefix = prefix.as_str();
        // As large as it gets: a text that grows leaves copies behind.
        let room = prefix.len() + 1 + RANDOM_LEN + CHECKSUM_LEN;
        let mut text = Zeroizing::new(String::with_capacity(room));
        text.push_str(prefix);
        text.push('_');
        push_random(&mut text, RANDOM_LEN)?;
        let digits = checksum(&text);
        text.extend(digits.map(char::from));
        Ok(Self {
            text,
            prefix: prefix.len(),
        })
    }

    /// The key that a text is. Whether it was ever given out only its hash tells; but most slips are
    /// found here, before anything is looked up.
    ///
    /// # Errors
    /// [`ApiKeyError`] says what is wrong, never any of it.
    pub fn parse(prefix: &KeyPrefix, text: &str) -> Result<Self, ApiKeyError> {
        let expected = || format!("{}_", prefix.0);
        let rest = text
            .strip_prefix(prefix.as_str())
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or_else(|| ApiKeyError::Foreign {
                expected: expected(),
            })?;
        let digit = |c: char| c.is_ascii_alphanumeric();
        if let Some(place) = rest.chars().position(|c| !digit(c)) {
            let place = prefix.0.len() + 2 + place;
            return Err(ApiKeyError::Character { place });
        }
        let (len, full) = (text.len(), prefix.0.len() + 1 + RANDOM_LEN + CHECKSUM_LEN);
        if len != full {
            let expected = full;
            return Err(ApiKeyError::Length { len, expected });
        }
        let (body, check) = text.split_at(full - CHECKSUM_LEN);
        if !bool::from(checksum(body).ct_eq(check.as_bytes())) {
            return Err(ApiKeyError::Checksum);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            prefix: prefix.0.len(),
        })
    }

    /// The key. Whoever asks for it answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The same as a secret, to be sealed.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::from(self.text.as_str().to_owned())
    }

    /// What is stored to know it again.
    #[must_use]
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(&self.text)
    }

    /// What is shown to tell it from others.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.text[..self.prefix], &self.text)
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> KeyPrefix {
        KeyPrefix::new("acme_live").unwrap()
    }

    fn refused(text: &str) -> ApiKeyError {
        ApiKey::parse(&prefix(), text).map(|_| ()).unwrap_err()
    }

    #[test]
    fn keys_are_never_alike_and_read_back() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let key = ApiKey::generate(&prefix()).unwrap();
            assert_eq!(key.expose().len(), "acme_live_".len() + 38);
            let read = ApiKey::parse(&prefix(), key.expose()).unwrap();
            assert!(key.hash().is_of(&read));
            assert!(seen.insert(key.expose().to_owned()));
        }
    }

    #[test]
    fn any_other_character_anywhere_is_found() {
        let key = ApiKey::generate(&prefix()).unwrap();
        for at in "acme_live_".len()..key.expose().len() {
            for other in ('0'..='9').chain('a'..='z').chain('A'..='Z') {
                let mut changed = key.expose().to_owned();
                changed.replace_range(at..=at, &other.to_string());
                if changed != key.expose() {
                    assert_eq!(refused(&changed), ApiKeyError::Checksum, "at {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let key = ApiKey::generate(&prefix()).unwrap();
        let key = key.expose();
        let foreign = ApiKeyError::Foreign {
            expected: "acme_live_".into(),
        };
        for text in ["", "acme_live", "acme_test_0000", &key[1..]] {
            assert_eq!(refused(text), foreign);
        }
        let len = ApiKeyError::Length {
            len: 47,
            expected: 48,
        };
        assert_eq!(refused(&key[..47]), len);
        let spaced = format!("{key} ");
        assert_eq!(refused(&spaced), ApiKeyError::Character { place: 49 });
        for text in ["", "a", "A1", "1a", "a_", "with-dash", &"a".repeat(25)] {
            assert_eq!(KeyPrefix::new(text), Err(ApiKeyError::Prefix), "{text}");
        }
    }
}
