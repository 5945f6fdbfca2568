//! Which secrets people may see, and what became of showing them.
//!
//! Without the feature `vault` there are none, and nothing else is different.

use std::collections::BTreeSet;
#[cfg(feature = "vault")]
use std::sync::Arc;

use chrono::{DateTime, Utc};

#[cfg(feature = "vault")]
use crate::http::api::Api;
use crate::http::dto::{KeptSecret, Showing};
#[cfg(feature = "vault")]
use crate::http::reauthenticate::{Proves, Reauthenticator};
use crate::id::SecretName;
use crate::lifecycle::{RevealState, SecretState, StageKind, State};
#[cfg(feature = "vault")]
use crate::vault::Vault;

/// What an API shows of secrets.
#[derive(Default)]
pub(super) struct Secrets {
    shown: BTreeSet<SecretName>,
    #[cfg(feature = "vault")]
    pub(super) vault: Option<Vault>,
    #[cfg(feature = "vault")]
    pub(super) proofs: Option<Arc<dyn Proves>>,
}

#[cfg(feature = "vault")]
impl<F, A> Api<F, A> {
    /// Adds the routes that show secrets: those of these names, once each, to the subject alone. **Any
    /// other secret is absent**, because a vault also keeps what is the host's. The vault is one of the
    /// same store.
    ///
    /// A page posts to `/onboarding/secrets/{name}/offer`, when somebody is there to see it, and then the
    /// token in the body to `/onboarding/secrets/{name}/reveal`. The status says what became of each.
    ///
    /// ```
    /// use onramp::SecretName;
    /// use onramp::http::{Api, Authorizer, Reauthenticator};
    /// use onramp::vault::Vault;
    /// # use onramp::prelude::*;
    ///
    /// static API_KEY: SecretName = SecretName::from_static("api_key");
    ///
    /// # fn serve<F: Flow>(
    /// #     onramp: Onramp<F>, vault: Vault, sessions: impl Authorizer, passkeys: impl Reauthenticator,
    /// # ) -> axum::Router {
    /// Api::new(onramp)
    ///     .vault(vault, [API_KEY.clone()])
    ///     .reauthenticate(passkeys) // who asks again proves again who they are
    ///     .authorize(sessions)
    ///     .into_router()
    /// # }
    /// ```
    pub fn vault(mut self, vault: Vault, shown: impl IntoIterator<Item = SecretName>) -> Self {
        self.secrets.vault = Some(vault);
        self.secrets.shown = shown.into_iter().collect();
        self
    }

    /// Who tells whether somebody proved again who they are. Without one a secret is offered once only.
    pub fn reauthenticate(mut self, reauthenticator: impl Reauthenticator) -> Self {
        self.secrets.proofs = Some(Arc::new(reauthenticator));
        self
    }
}

impl Secrets {
    /// The names of those that people may see.
    pub(super) fn names(&self) -> impl Iterator<Item = &SecretName> {
        self.shown.iter()
    }

    /// Those that are kept of an onboarding, and that people may see.
    pub(super) fn told(&self, state: &State, now: DateTime<Utc>) -> Vec<KeptSecret> {
        let kept = self.names().filter_map(|name| {
            let known = state.secret(name)?;
            let reveal = known.reveal();
            Some(KeptSecret {
                name: name.to_string(),
                state: showing(known, state.stage(), now),
                until: reveal.map(RevealState::until),
                shown_at: reveal.and_then(RevealState::revealed_at),
            })
        });
        kept.collect()
    }
}

/// As the rules would answer to the right token.
fn showing(known: &SecretState, stage: StageKind, now: DateTime<Utc>) -> Showing {
    match known.reveal() {
        None if stage == StageKind::Completed => Showing::Ready,
        None => Showing::TooEarly,
        Some(reveal) if reveal.revealed_at().is_some() => Showing::Shown,
        Some(reveal) if reveal.token().is_none() => Showing::Burnt,
        Some(reveal) if now >= reveal.until() => Showing::Expired,
        Some(_) => Showing::Offered,
    }
}
