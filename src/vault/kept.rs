//! What is stored of a secret, and how it is changed: by one commit on exactly what was read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::flow::{EncodedFact, slot};
use crate::id::{CommandId, OnboardingId, SecretName, StepName, TenantId};
use crate::lifecycle::{FactMark, RevealState, SecretWish};
use crate::store::{
    CommitOutcome, Error, ErrorKind, FactRecord, Refused, Row, mark, prepare_secret, seal,
};
use crate::vault::error::VaultError;
use crate::vault::keep::Vault;
use crate::vault::label::Label;
use crate::vault::reveal_token::StoredToken;
use crate::vault::sealed::Sealed;

/// How often it is tried again when the onboarding moves on meanwhile: each time somebody else's commit
/// came through, so it ends; and a worker at full speed is not in the way for long.
pub(super) const TRIES: u32 = 50;

/// The form of what is stored in a slot.
const VERSION: u32 = 1;

/// A secret of an onboarding.
pub(super) struct Of<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) id: OnboardingId,
    pub(super) name: &'a SecretName,
}

impl Of<'_> {
    pub(super) fn label(&self) -> Label {
        Label::new(self.tenant.clone(), self.id, self.name.clone())
    }

    pub(super) fn moved(&self) -> VaultError {
        let message = format!("onboarding {} kept moving on: try again", self.id);
        Error::unavailable(message).into()
    }

    fn tampered(&self) -> VaultError {
        VaultError::Tampered {
            id: self.id,
            name: self.name.clone(),
        }
    }
}

/// What is stored of a secret, as of one revision.
pub(super) struct Kept {
    pub(super) row: Row,
    /// None when no secret of the name is kept.
    pub(super) sealed: Option<Sealed>,
    /// None when no token is out.
    pub(super) token: Option<StoredToken>,
}

/// What became of a commit.
pub(super) enum Done {
    Stored,
    /// What is wished holds already.
    Held,
    /// Somebody else was first: look again.
    Moved,
}

/// What is to be stored in a slot, and its mark.
pub(super) struct Record {
    record: FactRecord,
    pub(super) mark: FactMark,
}

impl Vault {
    pub(super) async fn row(&self, of: &Of<'_>) -> Result<Row, VaultError> {
        let row = self.store.load(of.tenant, of.id).await?;
        row.ok_or(VaultError::Absent)
    }

    /// Reads a secret, and holds it to what the journal tells of it.
    pub(super) async fn kept(&self, of: &Of<'_>) -> Result<Kept, VaultError> {
        for _ in 0..TRIES {
            let row = self.row(of).await?;
            let Some(known) = row.state.secret(of.name) else {
                return Ok(Kept {
                    row,
                    sealed: None,
                    token: None,
                });
            };
            let facts = self.store.facts(of.tenant, of.id).await?;
            let sealed = decode::<Sealed>(&facts, &slot::sealed(of.name), known.mark());
            let expected = known.reveal().and_then(RevealState::token);
            let token =
                expected.map(|mark| decode::<StoredToken>(&facts, &slot::reveal(of.name), mark));
            if let (Some(sealed), None | Some(Some(_))) = (sealed, &token) {
                return Ok(Kept {
                    sealed: Some(sealed),
                    token: token.flatten(),
                    row,
                });
            }
            // What is read one after another is of one moment only if nobody wrote meanwhile.
            if self.row(of).await?.state.revision() == row.state.revision() {
                return Err(of.tampered());
            }
        }
        Err(of.moved())
    }

    pub(super) fn record(
        &self,
        slot: StepName,
        content: &impl Serialize,
    ) -> Result<Record, VaultError> {
        let invalid = |message: String| Error::new(ErrorKind::Invalid, message);
        let json = serde_json::to_string(content).map_err(|error| invalid(error.to_string()))?;
        let fact = EncodedFact::from_stored(slot, VERSION, json);
        let fact = fact.map_err(|error| invalid(error.to_string()))?;
        let (mark, salt) = seal(&fact);
        let record = FactRecord {
            fact,
            salt,
            by: self.by.clone(),
            at: self.clock.now(),
        };
        Ok(Record { record, mark })
    }

    /// Commits what becomes of a secret, on top of exactly the row that was read.
    pub(super) async fn commit(
        &self,
        of: &Of<'_>,
        before: &Row,
        wish: &SecretWish,
        record: Option<Record>,
    ) -> Result<Done, VaultError> {
        let command = CommandId::fresh();
        let record = record.map(|record| record.record);
        let now = self.clock.now();
        let commit = match prepare_secret(before, command, &self.by, of.name, wish, record, now) {
            Ok(Some(commit)) => commit,
            Ok(None) => return Ok(Done::Held),
            Err(Refused::Rejected(why)) => return Err(why.into()),
            Err(Refused::Store(error)) => return Err(error.into()),
        };
        match self.store.commit(commit).await {
            Ok(CommitOutcome::Committed | CommitOutcome::Replayed { .. }) => Ok(Done::Stored),
            Ok(
                CommitOutcome::Conflict { .. }
                | CommitOutcome::Fenced
                | CommitOutcome::Taken { .. },
            ) => Ok(Done::Moved),
            Ok(CommitOutcome::Absent) => Err(VaultError::Absent),
            Err(error) if error.kind() == ErrorKind::InDoubt => {
                // One look: it often is stored. When it is not found it may still be on its way.
                match self.store.committed(of.tenant, of.id, command).await {
                    Ok(Some(_)) => Ok(Done::Stored),
                    _ => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What is stored in a slot, if it is what was committed to.
fn decode<T: DeserializeOwned>(
    facts: &[FactRecord],
    slot: &StepName,
    committed: &FactMark,
) -> Option<T> {
    let mut facts = facts.iter();
    let record = facts.find(|record| record.fact.step() == slot)?;
    let same = mark(&record.fact, &record.salt) == *committed;
    same.then(|| serde_json::from_str(record.fact.json()).ok())?
}
