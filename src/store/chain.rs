//! Commitments to facts, and the hash chain over a journal.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::flow::{EncodedFact, Reservation};
use crate::id::{Actor, CommandId, OnboardingId, Revision, TenantId};
use crate::lifecycle::{Digest, Event, FactMark};
use crate::store::record::JournalEntry;

/// What a commitment is salted with; stored beside the fact and erased with it.
///
/// ```
/// let salt: onramp::store::Salt = [7; 16];
/// ```
pub type Salt = [u8; 16];

/// The mark of a fact, with a fresh salt.
pub(crate) fn seal(fact: &EncodedFact) -> (FactMark, Salt) {
    let salt = *Uuid::new_v4().as_bytes();
    (mark(fact, &salt), salt)
}

/// The mark of a fact: SHA-256 over the salt and the length-prefixed step, version and text.
///
/// ```
/// use onramp::flow::EncodedFact;
/// use onramp::store::mark;
/// let fact = EncodedFact::from_stored("slug".into(), 1, "\"acme\"".into())?;
/// assert_ne!(mark(&fact, &[1; 16]), mark(&fact, &[2; 16]));
/// # Ok::<(), onramp::flow::FactError>(())
/// ```
#[must_use]
pub fn mark(fact: &EncodedFact, salt: &Salt) -> FactMark {
    let mut hasher = Sha256::new();
    part(&mut hasher, b"onramp.fact.1");
    part(&mut hasher, salt);
    part(&mut hasher, fact.step().as_str().as_bytes());
    part(&mut hasher, &fact.version().to_be_bytes());
    part(&mut hasher, fact.json().as_bytes());
    FactMark {
        version: fact.version(),
        commitment: finish(hasher),
    }
}

/// The hash that a reservation is stored as: it may be personal data.
pub(crate) fn held(tenant: &TenantId, reservation: &Reservation) -> Digest {
    let tenant = match reservation.is_of_tenant() {
        true => tenant.as_str(),
        false => "",
    };
    let mut hasher = Sha256::new();
    part(&mut hasher, b"onramp.reservation.1");
    part(&mut hasher, tenant.as_bytes());
    part(&mut hasher, reservation.space().as_bytes());
    part(&mut hasher, reservation.value().as_bytes());
    finish(hasher)
}

/// A journal entry chained to the one before.
pub(crate) fn entry(
    previous: Digest,
    onboarding: OnboardingId,
    revision: Revision,
    command: CommandId,
    by: Actor,
    events: &[Event],
) -> Result<JournalEntry, serde_json::Error> {
    let mut entry = JournalEntry {
        onboarding,
        revision,
        command,
        by,
        at: events.first().map(|e| e.at).unwrap_or_default(),
        events: serde_json::to_string(events)?,
        hash: Digest::ZERO,
    };
    entry.hash = hash(previous, &entry);
    Ok(entry)
}

/// The hash of an entry that follows one whose hash is `previous`.
///
/// ```
/// # use onramp::store::{JournalEntry, hash};
/// # use onramp::lifecycle::Digest;
/// fn follows(entry: &JournalEntry, previous: Digest) -> bool {
///     entry.hash == hash(previous, entry)
/// }
/// ```
#[must_use]
pub fn hash(previous: Digest, entry: &JournalEntry) -> Digest {
    let mut hasher = Sha256::new();
    part(&mut hasher, b"onramp.journal.1");
    part(&mut hasher, previous.as_bytes());
    part(&mut hasher, entry.onboarding.as_uuid().as_bytes());
    part(&mut hasher, &entry.revision.get().to_be_bytes());
    part(&mut hasher, entry.command.as_uuid().as_bytes());
    part(&mut hasher, entry.by.to_string().as_bytes());
    part(&mut hasher, &entry.at.timestamp_micros().to_be_bytes());
    part(&mut hasher, entry.events.as_bytes());
    finish(hasher)
}

/// Checks a whole journal, oldest entry first. Gives the hash of the newest.
///
/// # Errors
/// [`BrokenChain`] names the first entry that was changed, moved, added or taken out.
///
/// ```
/// # use onramp::prelude::*;
/// # use onramp::{OnboardingId, Revision};
/// use onramp::store::verify;
/// # async fn check(store: &dyn Store, tenant: &TenantId, id: OnboardingId) -> Result<(), Box<dyn std::error::Error>> {
/// let journal = store.journal(tenant, id, Revision::new(0), usize::MAX).await?;
/// verify(&journal)?;
/// # Ok(()) }
/// ```
pub fn verify<'e>(
    entries: impl IntoIterator<Item = &'e JournalEntry>,
) -> Result<Digest, BrokenChain> {
    let mut chain = Chain::default();
    for entry in entries {
        chain.follow(entry)?;
    }
    Ok(chain.head())
}

/// How far a journal was checked.
pub(super) struct Chain {
    head: Digest,
    revision: Revision,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            head: Digest::ZERO,
            revision: Revision::new(0),
        }
    }
}

impl Chain {
    pub(super) fn head(&self) -> Digest {
        self.head
    }

    /// That of the newest entry so far.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Goes on by the next entry.
    pub(super) fn follow(&mut self, entry: &JournalEntry) -> Result<(), BrokenChain> {
        let revision = self.revision.next();
        if entry.revision != revision || entry.hash != hash(self.head, entry) {
            return Err(BrokenChain { revision });
        }
        self.head = entry.hash;
        self.revision = revision;
        Ok(())
    }
}

/// A journal that is not as it was written.
///
/// ```
/// # use onramp::store::{JournalEntry, verify};
/// fn first_bad(journal: &[JournalEntry]) -> Option<u64> {
///     verify(journal).err().map(|broken| broken.revision().get())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal is not as it was written, from revision {revision} on")]
pub struct BrokenChain {
    revision: Revision,
}

impl BrokenChain {
    /// The first revision that does not hold.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

/// Length first, so that no two lists of parts hash alike.
fn part(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

fn finish(hasher: Sha256) -> Digest {
    Digest::from_bytes(hasher.finalize().into())
}
