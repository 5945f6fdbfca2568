//! Wrapping keys that the process itself holds, from a file or an environment variable.

mod read;

use std::path::Path;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::vault::cipher::{self, NONCE_BYTES, Nonce, TAG_BYTES, parts};
use crate::vault::keys::{DataKey, KEY_BYTES, KeyError, KeyErrorKind, KeyId, KeyProvider};

/// Wrapping keys that the process itself holds. **The first one wraps what is new**; the others only
/// unwrap what is old.
///
/// One key a line, or several in a line with commas between: `name = key`, the key 32 bytes in base64
/// or hex. Lines that begin with `#` say something to people. `openssl rand -base64 32` makes a key.
///
/// To change keys while several processes run: add the new key as the last one, everywhere; then make
/// it the first one, everywhere; re-wrap; take the old one away when nothing is under it any more.
///
/// ```
/// use onramp::vault::LocalKeys;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = LocalKeys::parse(
///     "# since November\n\
///      2026-11 = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=\n\
///      2025-06 = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa",
/// )?;
/// assert_eq!(keys.newest().as_str(), "2026-11");
///
/// let short = LocalKeys::parse("2026-11 = c2hvcnQ=").err().map(|error| error.to_string());
/// assert_eq!(
///     short.as_deref(),
///     Some("the keys: entry 1: the key is 5 bytes long: use 32, \
///           `openssl rand -base64 32` makes some"),
/// );
/// # Ok(()) }
/// ```
pub struct LocalKeys {
    /// At least one; the first is the newest.
    keys: Vec<LocalKey>,
}

/// A wrapping key and its name.
struct LocalKey {
    id: KeyId,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl LocalKeys {
    /// The keys in a text.
    ///
    /// # Errors
    /// Of kind `Invalid`: what is wrong, in which entry, and what to do. Never any part of a key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        read::parse("the keys", text)
    }

    /// The keys in an environment variable. A file is better where there is one: the environment can be
    /// read from outside the process for as long as it runs.
    ///
    /// # Errors
    /// Of kind `Invalid`: it is not set, or what [`parse`](Self::parse) says.
    ///
    /// ```
    /// use onramp::vault::LocalKeys;
    /// let error = LocalKeys::from_env("NO_SUCH_KEYS").err().map(|error| error.to_string());
    /// assert!(error.is_some_and(|error| error.starts_with("NO_SUCH_KEYS is not set")));
    /// ```
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        read::from_env(variable)
    }

    /// The keys in a file that only its owner can read.
    ///
    /// # Errors
    /// Of kind `Invalid`: it cannot be read, others can read it (on Unix), or what
    /// [`parse`](Self::parse) says.
    ///
    /// ```no_run
    /// use onramp::vault::LocalKeys;
    /// let keys = LocalKeys::from_file("/run/secrets/onramp-keys")?;
    /// # Ok::<(), onramp::vault::KeyError>(())
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        read::from_file(path.as_ref())
    }

    /// The name of the key that wraps what is new.
    #[must_use]
    pub fn newest(&self) -> &KeyId {
        // `read::parse` gives one at least.
        &self.keys[0].id
    }

    fn key(&self, id: &KeyId) -> Result<&LocalKey, KeyError> {
        let found = self.keys.iter().find(|key| key.id == *id);
        found.ok_or_else(|| {
            let message = format!("there is no key {id}: give it back until nothing is under it");
            KeyError::new(KeyErrorKind::Unknown, message)
        })
    }
}

#[async_trait]
impl KeyProvider for LocalKeys {
    async fn newest(&self) -> Result<KeyId, KeyError> {
        Ok(Self::newest(self).clone())
    }

    async fn wrap(&self, with: &KeyId, key: &DataKey, context: &[u8]) -> Result<Vec<u8>, KeyError> {
        let bound = bound(with, context);
        let (nonce, text) = cipher::encrypt(&self.key(with)?.key, &bound, key.expose())?;
        Ok([nonce.as_slice(), &text].concat())
    }

    async fn unwrap(
        &self,
        with: &KeyId,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<DataKey, KeyError> {
        let refused = || {
            let message = "the data key was changed, or is of something else";
            KeyError::new(KeyErrorKind::Refused, message)
        };
        let key = &self.key(with)?.key;
        if wrapped.len() != NONCE_BYTES + KEY_BYTES + TAG_BYTES {
            return Err(refused());
        }
        let (nonce, text): (&Nonce, _) = wrapped.split_first_chunk().ok_or_else(refused)?;
        let plain = cipher::decrypt(key, &bound(with, context), nonce, text);
        DataKey::from_bytes(plain.ok_or_else(refused)?)
    }
}

fn bound(with: &KeyId, context: &[u8]) -> Vec<u8> {
    parts(&[b"onramp.wrapped.1", with.as_str().as_bytes(), context])
}

impl std::fmt::Debug for LocalKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.keys.iter().map(|key| &key.id);
        f.debug_list().entries(names).finish()
    }
}
