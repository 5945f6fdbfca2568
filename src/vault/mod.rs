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
//! - [`RevealToken`] shows a secret once; another one needs [`Reauthenticated`].
//! - [`Vault`] keeps them: beside the facts, in the same commit as the journal's word of it.
//!
//! What the keys in this process protect is the database: whoever can read its rows, its backups, its
//! log, reads no secret; whoever can write rows cannot move one elsewhere. Whoever reads the memory of
//! the process can have them all.

mod api_key;
mod base62;
mod cipher;
mod error;
mod fingerprint;
mod keep;
mod kept;
mod keys;
mod label;
mod local_keys;
mod random;
mod reveal;
mod reveal_token;
mod rewrap;
mod sealed;
mod secret;

pub use api_key::{ApiKey, ApiKeyError, KeyPrefix};
pub use error::VaultError;
pub use fingerprint::{ApiKeyHash, Fingerprint, NoHash};
pub use keep::Vault;
pub use keys::{DataKey, KeyError, KeyErrorKind, KeyId, KeyProvider};
pub use label::Label;
pub use local_keys::LocalKeys;
pub use random::NoRandomness;
pub use reveal::Reauthenticated;
pub use reveal_token::{NoToken, RevealToken};
pub use rewrap::{NotRewrapped, Rewrapped};
pub use sealed::{SealError, Sealed};
pub use secret::Secret;
