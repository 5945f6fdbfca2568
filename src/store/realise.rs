//! From what is wished to what is decided: the fact is sealed on the way.

use chrono::{DateTime, Utc};

use crate::id::Actor;
use crate::lifecycle::{Action, Intent, InvalidFact, PutFact};
use crate::store::chain;
use crate::store::record::{FactChange, FactRecord};

/// The action of an intent, and the fact that goes with it.
pub(super) fn realise(
    intent: Intent,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<(Action, Vec<FactChange>), InvalidFact> {
    let put = |put: PutFact| {
        let encoded = put.fact?;
        let (fact, salt) = chain::seal(&encoded);
        let record = FactRecord {
            fact: encoded,
            salt,
            by: by.clone(),
            at: now,
        };
        Ok((put.step, fact, vec![FactChange::Put(record)]))
    };
    Ok(match intent {
        Intent::Start {
            cleared,
            cleared_at,
        } => (
            Action::Start {
                cleared,
                cleared_at,
            },
            Vec::new(),
        ),
        Intent::Submit(fact) => {
            let (step, fact, facts) = put(fact)?;
            (Action::Submit { step, fact }, facts)
        }
        Intent::Revise(fact) => {
            let (step, fact, facts) = put(fact)?;
            (Action::Revise { step, fact }, facts)
        }
        Intent::Attest(fact) => {
            let (step, fact, facts) = put(fact)?;
            (Action::Attest { step, fact }, facts)
        }
        Intent::Approve(fact) => {
            let (step, fact, facts) = put(fact)?;
            (Action::Approve { step, fact }, facts)
        }
        Intent::Waive { step, reason } => (Action::Waive { step, reason }, Vec::new()),
        Intent::Draft {
            step,
            put: what,
            sources,
        } => {
            let (_slot, fact, facts) = put(what)?;
            (
                Action::Draft {
                    step,
                    fact,
                    sources,
                },
                facts,
            )
        }
        Intent::Dismiss => (Action::Dismiss, Vec::new()),
        Intent::Park { reason } => (Action::Park { reason }, Vec::new()),
        Intent::Unpark => (Action::Unpark, Vec::new()),
        Intent::Reopen => (Action::Reopen, Vec::new()),
        Intent::Adopt => (Action::Adopt, Vec::new()),
        Intent::Login => (Action::Login, Vec::new()),
        Intent::Skip { step } => (Action::Skip { step }, Vec::new()),
        Intent::Complete => (Action::Complete { verified: false }, Vec::new()),
        Intent::Cancel => (Action::Cancel, Vec::new()),
        Intent::Retry => (Action::Retry, Vec::new()),
        Intent::RetryUndo => (Action::RetryUndo, Vec::new()),
        Intent::Erase => (Action::Erase, Vec::new()),
    })
}
