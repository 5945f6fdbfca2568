//! Is a command that was committed before the one that is wished now?

use crate::flow::EncodedFact;
use crate::id::{CommandId, OnboardingId, Reason, Revision, StepName, TenantId};
use crate::lifecycle::{Intent, PutFact, State, fold};
use crate::store::contract::Store;
use crate::store::error::Error;
use crate::store::record::Row;

/// What is wished under an identity of the caller's, to be held against what was done under it.
pub(crate) struct Wish {
    command: CommandId,
    /// What the journal calls it.
    events: &'static [&'static str],
    step: Option<StepName>,
    fact: Option<EncodedFact>,
    reason: Option<Reason>,
}

/// Journal entries that are read at once.
const PAGE: usize = 100;

/// What became of the command before.
pub(crate) enum Before {
    /// Nothing.
    Never,
    /// The same: it counts once. The onboarding as it is now.
    Same(Box<Row>),
    /// Something else.
    Other,
}

impl Wish {
    pub(crate) fn of(command: CommandId, intent: &Intent) -> Self {
        let put = |put: &PutFact| {
            let fact = put.fact.as_ref().ok().cloned();
            (Some(put.step.clone()), fact)
        };
        let (events, (step, fact)): (&'static [&'static str], _) = match intent {
            Intent::Start { .. } => (&["started"], (None, None)),
            Intent::Submit(fact) => (&["answer_submitted"], put(fact)),
            Intent::Draft {
                step, put: what, ..
            } => (&["draft_saved"], (Some(step.clone()), put(what).1)),
            Intent::Skip { step } => (&["step_skipped"], (Some(step.clone()), None)),
            Intent::Revise(fact) => (&["answer_revised"], put(fact)),
            Intent::Attest(fact) => (&["evidence_attested"], put(fact)),
            Intent::Approve(fact) => (&["approved"], put(fact)),
            Intent::Waive { step, .. } => (&["step_waived"], (Some(step.clone()), None)),
            Intent::Park { .. } => (&["parked"], (None, None)),
            Intent::Unpark => (&["unparked"], (None, None)),
            Intent::Dismiss => (&["dismissed"], (None, None)),
            Intent::Reopen => (&["reopened"], (None, None)),
            Intent::Adopt => (&["flow_adopted"], (None, None)),
            Intent::Login => (&["logged_in"], (None, None)),
            Intent::Complete => (&["completed"], (None, None)),
            Intent::Cancel => (&["undo_started", "failed"], (None, None)),
            Intent::Retry => (&["retried"], (None, None)),
            Intent::RetryUndo => (&["undo_started"], (None, None)),
            Intent::Erase => (&["facts_erased"], (None, None)),
        };
        let reason = match intent {
            Intent::Waive { reason, .. } | Intent::Park { reason } => Some(reason.clone()),
            _ => None,
        };
        Self {
            command,
            events,
            step,
            fact,
            reason,
        }
    }

    /// Looks up what was done under the identity.
    pub(crate) async fn before<S: Store + ?Sized>(
        &self,
        store: &S,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Before, Error> {
        let Some(revision) = store.committed(tenant, id, self.command).await? else {
            return Ok(Before::Never);
        };
        let same = self.is_what_made(store, tenant, id, revision).await?;
        match store.load(tenant, id).await? {
            Some(row) if same => Ok(Before::Same(Box::new(row))),
            Some(_) => Ok(Before::Other),
            None => Ok(Before::Never),
        }
    }

    /// Whether it is what a revision was made by.
    async fn is_what_made<S: Store + ?Sized>(
        &self,
        store: &S,
        tenant: &TenantId,
        id: OnboardingId,
        revision: Revision,
    ) -> Result<bool, Error> {
        let earlier = Revision::new(revision.get().saturating_sub(1));
        let entries = store.journal(tenant, id, earlier, 1).await?;
        let Some(entry) = entries.first() else {
            return Ok(false);
        };
        let events: Vec<serde_json::Value> = serde_json::from_str(&entry.events).map_err(|_| {
            Error::corrupt(format!("journal entry {revision} of {id} does not decode"))
        })?;
        let is_it = |event: &serde_json::Value| {
            let named = event["event"]
                .as_str()
                .is_some_and(|name| self.events.contains(&name));
            let step = self.step.as_ref().map(StepName::as_str);
            let reason = self.reason.as_ref().map(Reason::as_str);
            named
                && (step.is_none() || event["step"].as_str() == step)
                && (reason.is_none() || event["reason"].as_str() == reason)
        };
        // What follows it is what came of it.
        if !events.first().is_some_and(is_it) {
            return Ok(false);
        }
        let Some(fact) = &self.fact else {
            return Ok(true);
        };
        // One that was replaced or erased since cannot be compared any more: then the name counts.
        let facts = store.facts(tenant, id).await?;
        let of_then = facts
            .iter()
            .find(|record| record.fact.step() == fact.step() && record.at == entry.at);
        Ok(of_then.is_none_or(|record| record.fact.json() == fact.json()))
    }
}

/// The state at a revision, by its journal; none when that does not reach so far back any more.
pub(crate) async fn state_as_of(
    store: &dyn Store,
    tenant: &TenantId,
    id: OnboardingId,
    revision: Revision,
) -> Result<Option<State>, Error> {
    let mut commits = Vec::new();
    let mut after = Revision::new(0);
    while after < revision {
        let page = store.journal(tenant, id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        after = last.revision;
        for entry in page.iter().filter(|entry| entry.revision <= revision) {
            commits.push(entry.decode()?);
        }
    }
    Ok(fold(commits.iter().map(Vec::as_slice)))
}
