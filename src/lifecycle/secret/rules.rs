//! What may become of a secret.

use chrono::{DateTime, TimeDelta, Utc};

use super::{RevealState, SecretState};
use crate::id::{OnboardingId, SecretName};
use crate::lifecycle::decide::events;
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::event::{Event, Happened};
use crate::lifecycle::questions::Decision;
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::StageKind;
use crate::lifecycle::state::State;

/// Secrets of one onboarding: its row is read and written whole.
const MAX_SECRETS: usize = 32;

/// Wrong tokens after which the right one serves no more.
pub(crate) const MAX_WRONG: u32 = 5;

/// How long a proof serves.
const PROOF_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// How far a proof may be ahead of the clock here: whoever made it has another one.
const PROOF_SKEW: TimeDelta = TimeDelta::seconds(30);

/// What somebody wants to become of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretWish {
    /// Keep it, in place of an older one.
    Keep { fact: FactMark },
    /// Keep it, unless one is kept.
    KeepOnce { fact: FactMark },
    /// Keep the same under another key.
    Rewrap { fact: FactMark },
    /// Forget it for good.
    Burn,
    /// Give out a token that shows it.
    Offer {
        token: FactMark,
        until: DateTime<Utc>,
        proof: Option<Proof>,
    },
    /// Note that a wrong token was tried.
    Refuse,
    /// Show it: the token is the right one.
    Reveal,
}

/// That somebody proved again who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) of: OnboardingId,
    pub(crate) at: DateTime<Utc>,
}

/// What happens when a wish is granted, or why it is not. No events: it holds already.
pub(crate) fn decide_secret(
    state: &State,
    name: &SecretName,
    wish: &SecretWish,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, Rejected> {
    let known = state.secret(name);
    let kept = || known.ok_or_else(|| Rejected::NoSecret { name: name.clone() });
    let owned = || name.clone();
    let happened = match *wish {
        SecretWish::KeepOnce { .. } if known.is_some() => Vec::new(),
        SecretWish::Keep { fact } | SecretWish::KeepOnce { fact } => {
            keepable(state, name)?;
            vec![Happened::SecretKept {
                name: owned(),
                fact,
            }]
        }
        SecretWish::Rewrap { fact } => {
            kept()?;
            vec![Happened::SecretRewrapped {
                name: owned(),
                fact,
            }]
        }
        SecretWish::Burn => match known {
            Some(_) => vec![Happened::SecretBurnt { name: owned() }],
            None => Vec::new(),
        },
        SecretWish::Offer {
            token,
            until,
            proof,
        } => {
            offerable(state, kept()?, proof, now)?;
            if until <= now {
                return Err(Rejected::NoTimeToShow);
            }
            vec![Happened::RevealOffered {
                name: owned(),
                token,
                until,
                proven_at: proof.map(|proof| proof.at),
            }]
        }
        SecretWish::Refuse => refuse(name, open(kept()?, now)?)?,
        SecretWish::Reveal => {
            open(kept()?, now)?;
            vec![Happened::Revealed { name: owned() }]
        }
    };
    Ok(events(happened, now))
}

fn keepable(state: &State, name: &SecretName) -> Result<(), Rejected> {
    if state.erased_at().is_some() {
        return Err(Rejected::Erased);
    }
    let more = state.secret(name).is_none();
    if more && state.secrets().count() >= MAX_SECRETS {
        return Err(Rejected::TooManySecrets { max: MAX_SECRETS });
    }
    Ok(())
}

/// The first offer needs no proof: whoever completes is there. Any further one does, whatever became of
/// the one before.
fn offerable(
    state: &State,
    known: &SecretState,
    proof: Option<Proof>,
    now: DateTime<Utc>,
) -> Result<(), Rejected> {
    let stage = state.stage();
    if stage != StageKind::Completed {
        return Err(Rejected::TooEarlyToShow { stage });
    }
    match proof {
        None if known.reveal.is_some() => Err(Rejected::ProofNeeded),
        None => Ok(()),
        Some(Proof { of, .. }) if of != state.id() => Err(Rejected::ForeignProof { proven: of }),
        Some(Proof { at, .. }) if now - at > PROOF_LIFETIME || at - now > PROOF_SKEW => {
            Err(Rejected::StaleProof)
        }
        Some(_) => Ok(()),
    }
}

/// The offer, if its token can still show the secret.
fn open(known: &SecretState, now: DateTime<Utc>) -> Result<&RevealState, Rejected> {
    let reveal = known.reveal.as_ref().ok_or(Rejected::NotOffered)?;
    match reveal {
        RevealState {
            revealed_at: Some(_),
            ..
        } => Err(Rejected::RevealUsed),
        RevealState { token: None, .. } => Err(Rejected::RevealBurnt),
        reveal if now >= reveal.until => Err(Rejected::RevealExpired),
        reveal => Ok(reveal),
    }
}

fn refuse(name: &SecretName, reveal: &RevealState) -> Decision {
    let (name, wrong) = (name.clone(), reveal.wrong.saturating_add(1));
    let mut happened = vec![Happened::RevealRefused {
        name: name.clone(),
        wrong,
    }];
    if wrong >= MAX_WRONG {
        happened.push(Happened::RevealBurnt { name });
    }
    Ok(happened)
}

#[cfg(test)]
mod tests;
