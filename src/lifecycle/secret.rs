//! Secrets beside the facts: what is known of each, and the rules of keeping, showing and burning.
//!
//! No flow is asked, so the rules serve whatever is stored, in every stage. They know neither a secret nor
//! a token: whether a token is the right one is looked at before they are asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::slot;
use crate::id::{SecretName, StepName};
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::event::Happened;
use crate::lifecycle::state::State;

#[cfg(feature = "vault")]
pub(crate) use rules::{MAX_WRONG, Proof, SecretWish, decide_secret};

/// What is known of a secret: that it is kept, and what became of showing it.
///
/// ```
/// # use onramp::SecretName;
/// # use onramp::lifecycle::State;
/// fn was_shown(state: &State, name: &SecretName) -> bool {
///     let reveal = state.secret(name).and_then(|secret| secret.reveal());
///     reveal.is_some_and(|reveal| reveal.revealed_at().is_some())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretState {
    mark: FactMark,
    kept_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reveal: Option<RevealState>,
}

impl SecretState {
    /// The mark of what is stored.
    #[must_use]
    pub fn mark(&self) -> &FactMark {
        &self.mark
    }

    /// Since when this secret is kept; a new one in its place counts anew.
    #[must_use]
    pub fn kept_at(&self) -> DateTime<Utc> {
        self.kept_at
    }

    /// The newest offer to show it; none when it was never offered.
    #[must_use]
    pub fn reveal(&self) -> Option<&RevealState> {
        self.reveal.as_ref()
    }
}

/// What became of an offer to show a secret once.
///
/// ```
/// # use chrono::{DateTime, Utc};
/// # use onramp::lifecycle::RevealState;
/// fn is_open(reveal: &RevealState, now: DateTime<Utc>) -> bool {
///     reveal.token().is_some() && now < reveal.until()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevealState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<FactMark>,
    until: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "is_zero")]
    wrong: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revealed_at: Option<DateTime<Utc>>,
}

impl RevealState {
    /// The mark of what proves the token; none when it serves no more.
    #[must_use]
    pub fn token(&self) -> Option<&FactMark> {
        self.token.as_ref()
    }

    /// When the token's time is over.
    #[must_use]
    pub fn until(&self) -> DateTime<Utc> {
        self.until
    }

    /// How many wrong tokens were tried.
    #[must_use]
    pub fn wrong(&self) -> u32 {
        self.wrong
    }

    /// When the secret was shown.
    #[must_use]
    pub fn revealed_at(&self) -> Option<DateTime<Utc>> {
        self.revealed_at
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl State {
    /// What is known of a secret; nothing when none of the name is kept.
    #[must_use]
    pub fn secret(&self, name: &SecretName) -> Option<&SecretState> {
        self.common.secrets.get(name)
    }

    /// The secrets that are kept, by name.
    pub fn secrets(&self) -> impl Iterator<Item = (&SecretName, &SecretState)> {
        self.common.secrets.iter()
    }

    /// Where everything is that is kept of secrets.
    pub(super) fn secret_slots(&self) -> impl Iterator<Item = StepName> {
        self.secrets().flat_map(|(name, known)| {
            let token = known.reveal.as_ref().and_then(|reveal| reveal.token);
            let token = token.map(|_| slot::reveal(name));
            std::iter::once(slot::sealed(name)).chain(token)
        })
    }

    /// Part of `apply`.
    pub(super) fn change_secret(&mut self, happened: &Happened, at: DateTime<Utc>) {
        let secrets = &mut self.common.secrets;
        match happened {
            Happened::SecretKept { name, fact } => {
                let known = SecretState {
                    mark: *fact,
                    kept_at: at,
                    reveal: None,
                };
                secrets.insert(name.clone(), known);
            }
            Happened::SecretRewrapped { name, fact } => {
                if let Some(known) = secrets.get_mut(name) {
                    known.mark = *fact;
                }
            }
            Happened::SecretBurnt { name } => {
                secrets.remove(name);
            }
            Happened::RevealOffered {
                name, token, until, ..
            } => {
                if let Some(known) = secrets.get_mut(name) {
                    known.reveal = Some(RevealState {
                        token: Some(*token),
                        until: *until,
                        wrong: 0,
                        revealed_at: None,
                    });
                }
            }
            Happened::RevealRefused { name, wrong } => {
                if let Some(reveal) = self.reveal_mut(name) {
                    reveal.wrong = *wrong;
                }
            }
            Happened::RevealBurnt { name } => {
                if let Some(reveal) = self.reveal_mut(name) {
                    reveal.token = None;
                }
            }
            Happened::Revealed { name } => {
                if let Some(reveal) = self.reveal_mut(name) {
                    reveal.token = None;
                    reveal.revealed_at = Some(at);
                }
            }
            _ => {}
        }
    }

    fn reveal_mut(&mut self, name: &SecretName) -> Option<&mut RevealState> {
        self.common.secrets.get_mut(name)?.reveal.as_mut()
    }
}

#[cfg(feature = "vault")]
mod rules;
