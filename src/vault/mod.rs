//! Secrets: sealed where they are stored, shown once, recognised when they leak.
//!
//! ```text
//!   Secret ── seal ──> Sealed { text, wrapped data key } ── stored with the onboarding
//!                         │                    └── wrapped by a KeyProvider: a file, a KMS
//!                         └── bound to (tenant, onboarding, purpose): elsewhere it does not open
//! ```
//!
//! - [`Secret`] has no `Debug`, no `Serialize`, no `Clone`; its memory is overwritten.
//! - [`Sealed`] is what is stored. [`KeyProvider`] holds the keys, [`LocalKeys`] in the process.
//! - [`ApiKey`] is generated, [`ApiKeyHash`] and [`Fingerprint`] remain of it.
//! - [`RevealToken`] shows a secret once.

mod api_key;
mod base62;
mod cipher;
mod fingerprint;
mod keys;
mod label;
mod local_keys;
mod random;
mod reveal_token;
mod sealed;
mod secret;

pub use api_key::{ApiKey, ApiKeyError, KeyPrefix};
pub use fingerprint::{ApiKeyHash, Fingerprint, NoHash};
pub use keys::{DataKey, KeyError, KeyErrorKind, KeyId, KeyProvider};
pub use label::{Label, SecretName};
pub use local_keys::LocalKeys;
pub use random::NoRandomness;
pub use reveal_token::{NoToken, RevealToken};
pub use sealed::{SealError, Sealed};
pub use secret::Secret;
