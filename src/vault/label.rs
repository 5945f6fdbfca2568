//! What a secret is sealed for.

use crate::id::{OnboardingId, SecretName, TenantId};
use crate::vault::cipher::parts;

/// What a secret is sealed for: whose it is, and what it is. It opens for nothing else.
///
/// ```
/// use onramp::vault::Label;
/// use onramp::{OnboardingId, SecretName, TenantId};
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
