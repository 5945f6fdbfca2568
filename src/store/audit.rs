//! Is an onboarding as its journal says? For audits, and after a database was touched by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::flow::slot;
use crate::id::{Actor, OnboardingId, Revision, StepName, TenantId};
use crate::lifecycle::{Event, FactMark, Happened, RevealState, fold};
use crate::store::chain::{self, BrokenChain};
use crate::store::contract::Store;
use crate::store::error::Error;
use crate::store::record::{FactRecord, JournalEntry, Row};

/// Entries that are read at once.
const PAGE: usize = 500;

/// How often it is looked again when the onboarding moves on meanwhile.
const TRIES: u32 = 5;

/// What was verified.
///
/// ```
/// # use onramp::store::Verified;
/// fn say(verified: &Verified) -> String {
///     format!("{} entries hold, {} facts are gone", verified.entries, verified.erased.len())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The revision that it was verified at.
    pub revision: Revision,
    /// How many journal entries hold.
    pub entries: u64,
    /// How many facts are the ones that were committed to.
    pub facts: usize,
    /// Steps whose facts were erased, as the journal tells.
    pub erased: Vec<StepName>,
}

/// Why an onboarding could not be verified.
///
/// ```
/// # use onramp::store::Unverified;
/// fn is_tampering(why: &Unverified) -> bool {
///     !matches!(why, Unverified::Store(_) | Unverified::Absent)
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unverified {
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is no such onboarding in the tenant.
    #[error("there is no such onboarding")]
    Absent,
    /// An entry was changed, moved, added or taken out.
    #[error(transparent)]
    Journal(#[from] BrokenChain),
    /// Its newest entries are missing.
    #[error("the journal ends at revision {found}, the onboarding is at {expected}")]
    Shortened {
        /// The newest entry's.
        found: Revision,
        /// The stored row's.
        expected: Revision,
    },
    /// The stored row names another newest entry.
    #[error("the onboarding's head is not the hash of its newest journal entry")]
    Head,
    /// The stored state was changed.
    #[error("the stored state is not what the events add up to")]
    State,
    /// A fact is gone, and no event tells of that.
    #[error("the fact of step {step:?} is gone, and the journal does not tell of it", step = .step.as_str())]
    Missing {
        /// Its step.
        step: StepName,
    },
    /// A fact was changed, or put there, past the journal.
    #[error("the fact of step {step:?} is not one that the journal tells of", step = .step.as_str())]
    Fact {
        /// Its step.
        step: StepName,
    },
}

/// Verifies one onboarding as of one revision.
pub(super) async fn verify_journal<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Verified, Unverified> {
    for _ in 0..TRIES {
        let row = load(store, tenant, id).await?;
        let told = Told::read(store, tenant, &row).await;
        let facts = store.facts(tenant, id).await?;
        // What is read one after another is of one moment only if nobody wrote meanwhile.
        if load(store, tenant, id).await? != row {
            continue;
        }
        let told = told?;
        let commits = told.events.iter().map(Vec::as_slice);
        if fold(commits).as_ref() != Some(&row.state) {
            return Err(Unverified::State);
        }
        let erased = told.compare(&row, &facts)?;
        return Ok(Verified {
            revision: row.state.revision(),
            entries: row.state.revision().get(),
            facts: facts.len(),
            erased,
        });
    }
    let message = "the onboarding kept moving on while it was verified";
    Err(Error::unavailable(message).into())
}

async fn load<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Row, Unverified> {
    store.load(tenant, id).await?.ok_or(Unverified::Absent)
}

/// What the journal tells.
#[derive(Default)]
struct Told {
    events: Vec<Vec<Event>>,
    /// Of each step: its fact's mark, and who gave it when.
    facts: BTreeMap<StepName, (FactMark, Actor, DateTime<Utc>)>,
}

impl Told {
    /// Reads and checks the journal up to a row's revision.
    async fn read<S: Store + ?Sized>(
        store: &S,
        tenant: &TenantId,
        row: &Row,
    ) -> Result<Self, Unverified> {
        let expected = row.state.revision();
        let mut chain = chain::Chain::default();
        let mut told = Self::default();
        while chain.revision() < expected {
            let from = chain.revision();
            let page = store.journal(tenant, row.state.id(), from, PAGE).await?;
            if page.is_empty() {
                let found = chain.revision();
                return Err(Unverified::Shortened { found, expected });
            }
            // Whoever wrote after the row was read is none of it.
            for entry in page {
                if chain.revision() == expected {
                    break;
                }
                chain.follow(&entry)?;
                told.hear(&entry)?;
            }
        }
        if chain.head() != row.head {
            return Err(Unverified::Head);
        }
        Ok(told)
    }

    fn hear(&mut self, entry: &JournalEntry) -> Result<(), Error> {
        let events = entry.decode()?;
        for event in &events {
            match &event.happened {
                Happened::AnswerSubmitted { step, fact }
                | Happened::AnswerRevised { step, fact, .. }
                | Happened::EvidenceAttested { step, fact }
                | Happened::Approved { step, fact }
                | Happened::FactRecorded { step, fact, .. } => {
                    let given = (*fact, entry.by.clone(), entry.at);
                    self.facts.insert(step.clone(), given);
                }
                Happened::DraftSaved { step, fact, .. } => {
                    let given = (*fact, entry.by.clone(), entry.at);
                    self.facts.insert(slot::draft(step), given);
                }
                Happened::SecretKept { name, fact } | Happened::SecretRewrapped { name, fact } => {
                    let given = (*fact, entry.by.clone(), entry.at);
                    self.facts.insert(slot::sealed(name), given);
                }
                Happened::RevealOffered { name, token, .. } => {
                    let given = (*token, entry.by.clone(), entry.at);
                    self.facts.insert(slot::reveal(name), given);
                }
                Happened::Imported { facts, .. } => {
                    let given = |fact: &FactMark| (*fact, entry.by.clone(), entry.at);
                    let facts = facts.iter().map(|(step, fact)| (step.clone(), given(fact)));
                    self.facts.extend(facts);
                }
                _ => {}
            }
        }
        self.events.push(events);
        Ok(())
    }

    /// Holds the stored facts to what was told of them. Gives the steps whose facts are gone.
    fn compare(mut self, row: &Row, facts: &[FactRecord]) -> Result<Vec<StepName>, Unverified> {
        // What a step yielded before it was undone is not expected any more.
        let mut marks = BTreeMap::new();
        for (name, known) in row.state.steps() {
            marks.extend(known.fact().map(|mark| (name.clone(), *mark)));
            marks.extend(known.draft().map(|mark| (slot::draft(name), *mark)));
        }
        for (name, known) in row.state.secrets() {
            marks.insert(slot::sealed(name), *known.mark());
            let token = known.reveal().and_then(RevealState::token);
            marks.extend(token.map(|mark| (slot::reveal(name), *mark)));
        }
        self.facts
            .retain(|step, (mark, ..)| marks.get(step) == Some(mark));
        for record in facts {
            let step = record.fact.step();
            let is = (
                chain::mark(&record.fact, &record.salt),
                record.by.clone(),
                record.at,
            );
            if self.facts.remove(step) != Some(is) {
                let step = step.clone();
                return Err(Unverified::Fact { step });
            }
        }
        let gone: Vec<StepName> = self.facts.into_keys().collect();
        match (row.state.erased_at(), facts, gone.first()) {
            (None, _, Some(step)) => Err(Unverified::Missing { step: step.clone() }),
            // Put back past the journal, by a restored table say.
            (Some(_), [record, ..], _) => {
                let step = record.fact.step().clone();
                Err(Unverified::Fact { step })
            }
            _ => Ok(gone),
        }
    }
}
