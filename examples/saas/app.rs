//! What every page works with.

use std::sync::Arc;

use onramp::http::webhook::Verifier;
use onramp::prelude::*;
use onramp::vault::Vault;

use crate::keys::Keys;
use crate::platform::Platform;
use crate::workspace::Workspace;

pub(crate) struct App {
    pub(crate) platform: Platform,
    /// Beside the front door, because accounts are created in one transaction with their onboarding.
    pub(crate) store: SqliteStore,
    pub(crate) onramp: Onramp<Workspace>,
    pub(crate) vault: Vault,
    pub(crate) keys: Keys,
    pub(crate) verifier: Verifier,
    /// How long one may be where it is before operators see it as stuck.
    pub(crate) patience: std::time::Duration,
}

pub(crate) type Shared = Arc<App>;
