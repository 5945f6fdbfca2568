//! The name of a secret that is kept beside the facts.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::InvalidId;
use super::invalid::check_name;

/// The name a secret is kept under: a provider or a purpose. Not a secret: it is in the journal.
///
/// ```
/// use onramp::SecretName;
/// static OPENAI: SecretName = SecretName::from_static("openai");
/// assert_eq!(SecretName::new("openai")?, OPENAI);
/// let error = SecretName::new("Open AI").unwrap_err();
/// assert_eq!(error.to_string(), "secret name is no name: use 1 to 64 of a-z, 0-9 and _, a letter first");
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(Cow<'static, str>);

impl SecretName {
    /// A name known when the program was written. In a constant the compiler checks it.
    ///
    /// # Panics
    /// When it is not 1 to 64 of `a-z`, `0-9` and `_`, a letter first.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut valid = !bytes.is_empty() && bytes.len() <= 64;
        let mut at = 0;
        while at < bytes.len() {
            let later = at > 0 && (bytes[at].is_ascii_digit() || bytes[at] == b'_');
            valid &= bytes[at].is_ascii_lowercase() || later;
            at += 1;
        }
        assert!(
            valid,
            "a secret's name is 1 to 64 of a-z, 0-9 and _, a letter first"
        );
        Self(Cow::Borrowed(name))
    }

    /// A name that came from somewhere: 1 to 64 of `a-z`, `0-9` and `_`, a letter first.
    ///
    /// # Errors
    /// [`InvalidId`] says so.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
        let name = name.into();
        check_name("secret name", &name)?;
        Ok(Self(Cow::Owned(name)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SecretName {
    type Error = InvalidId;
    fn try_from(name: String) -> Result<Self, InvalidId> {
        Self::new(name)
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0.into_owned()
    }
}
