//! Why a vault did not do what was asked. Never holds a secret.

use crate::id::{OnboardingId, SecretName};
use crate::lifecycle::Rejected;
use crate::store;
use crate::vault::api_key::ApiKeyError;
use crate::vault::keys::KeyError;
use crate::vault::random::NoRandomness;
use crate::vault::sealed::SealError;

/// Why a vault did not do what was asked. Never holds a secret, nor any part of a token.
///
/// What goes wrong with a token is told apart for the journal and for logs; tell whoever sent it one and
/// the same for all of it.
///
/// ```
/// use onramp::vault::VaultError;
/// fn status(error: &VaultError) -> u16 {
///     match error {
///         VaultError::Absent => 404,
///         VaultError::UnknownToken | VaultError::WrongToken { .. } | VaultError::Rejected(_) => 403,
///         error if error.is_retryable() => 503,
///         _ => 500,
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is no such onboarding in the tenant.
    #[error("there is no such onboarding in the tenant")]
    Absent,
    /// The rules said no.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// It does not seal or open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What is stored is not what the journal tells of: somebody wrote past it.
    #[error("what is stored of the secret {name} is not what the journal tells of: verify {id}")]
    Tampered {
        /// Whose secret.
        id: OnboardingId,
        /// Which.
        name: SecretName,
    },
    /// The token is of another offer, an older one say. Not counted: whoever has no token cannot use up
    /// somebody else's attempts.
    #[error("the token is of no open offer: use the newest one")]
    UnknownToken,
    /// The token is wrong, and that was counted.
    #[error("the token is wrong: {left} more attempts")]
    WrongToken {
        /// Attempts that are left before the right one serves no more.
        left: u32,
    },
    /// What is kept under the name is no key of that prefix.
    #[error("what is kept is no such API key: {0}")]
    NotApiKey(#[from] ApiKeyError),
}

impl VaultError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Seal(SealError::Keys(error)) => error.is_retryable(),
            _ => false,
        }
    }
}

impl From<NoRandomness> for VaultError {
    fn from(error: NoRandomness) -> Self {
        Self::Seal(SealError::Keys(KeyError::from(error)))
    }
}
