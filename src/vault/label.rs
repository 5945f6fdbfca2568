//! What a secret is sealed for.

use std::borrow::Cow;
use std::fmt;

use crate::id::{InvalidId, OnboardingId, TenantId, check_name};
use crate::vault::cipher::parts;

/// The name a secret is kept under: a provider or a purpose.
///
/// ```
/// use onramp::vault::SecretName;
/// const OPENAI: SecretName = SecretName::from_static("openai");
/// assert_eq!(SecretName::new(String::from("openai"))?, OPENAI);
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(Cow<'static, str>);

impl SecretName {
    /// The longest, in bytes: it is stored with a prefix.
    pub const MAX_LEN: usize = 48;

    /// A name known when the program was written. As a constant it is checked by the compiler.
    ///
    /// # Panics
    /// When it is not 1 to 48 of `a-z`, `0-9` and `_`, a letter first.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut valid = !bytes.is_empty() && bytes.len() <= Self::MAX_LEN;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            valid &=
                byte.is_ascii_lowercase() || (at > 0 && (byte.is_ascii_digit() || byte == b'_'));
            at += 1;
        }
        assert!(
            valid,
            "a secret's name is 1 to 48 of a-z, 0-9 and _, a letter first"
        );
        Self(Cow::Borrowed(name))
    }

    /// A name that came from somewhere.
    ///
    /// # Errors
    /// [`InvalidId`] says what is wrong with it.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
        let name = name.into();
        check_name("secret name", &name)?;
        if name.len() > Self::MAX_LEN {
            // No name at all, so that it is refused in the words that are there for it.
            check_name("secret name", "")?;
        }
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

/// What a secret is sealed for: whose it is, and what it is. It opens for nothing else.
///
/// ```
/// use onramp::vault::{Label, SecretName};
/// use onramp::{OnboardingId, TenantId};
/// let label = Label::new(
///     TenantId::new("acme")?,
///     OnboardingId::fresh(),
///     SecretName::from_static("openai"),
/// );
/// assert_eq!(label.purpose().as_str(), "openai");
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    tenant: TenantId,
    record: OnboardingId,
    purpose: SecretName,
}

impl Label {
    /// A secret of this tenant and onboarding, for this purpose.
    #[must_use]
    pub fn new(tenant: TenantId, record: OnboardingId, purpose: SecretName) -> Self {
        Self {
            tenant,
            record,
            purpose,
        }
    }

    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> &SecretName {
        &self.purpose
    }

    /// What is bound to a text: (domain, tenant, record, purpose, version). A domain for each kind of
    /// text keeps one from being taken for another.
    pub(super) fn bound(&self, domain: &str, version: u32) -> Vec<u8> {
        parts(&[
            domain.as_bytes(),
            self.tenant.as_str().as_bytes(),
            self.record.as_uuid().as_bytes(),
            self.purpose.as_str().as_bytes(),
            &version.to_be_bytes(),
        ])
    }
}
