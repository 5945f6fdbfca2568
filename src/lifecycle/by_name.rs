//! Operations on a step that is known by its name alone, because what it yields came as text or is
//! encoded already.
//!
//! Each makes the same intent as the typed operation beside it, so the same rules decide.

use crate::flow::{EncodedFact, Flow, slot};
use crate::id::{Actor, SourceName, StepName};
use crate::lifecycle::change::{Change, Intent, PutFact};
use crate::lifecycle::onboarding::Onboarding;
use crate::lifecycle::stage::{CanAttest, CanDraft, CanRevise, CanSkip, CanSubmit, Stage};

impl<F: Flow, S: Stage> Onboarding<F, S> {
    /// As [`submit`](Self::submit), of a fact that its answer's rules have checked.
    pub(crate) fn submit_named(self, fact: EncodedFact) -> Change<F, S, S>
    where
        S: CanSubmit<To = S>,
    {
        Change::new(self, Actor::Subject, Intent::Submit(checked(fact)))
    }

    /// As [`revise`](Self::revise), of a fact that its answer's rules have checked.
    pub(crate) fn revise_named(self, fact: EncodedFact) -> Change<F, S, S>
    where
        S: CanRevise<To = S>,
    {
        Change::new(self, Actor::Subject, Intent::Revise(checked(fact)))
    }

    /// As [`attest`](Self::attest).
    pub(crate) fn attest_named(self, fact: EncodedFact) -> Change<F, S, S>
    where
        S: CanAttest<To = S>,
    {
        Change::new(self, Actor::Host, Intent::Attest(checked(fact)))
    }

    /// As [`skip`](Self::skip).
    pub(crate) fn skip_named(self, step: StepName) -> Change<F, S, S>
    where
        S: CanSkip<To = S>,
    {
        Change::new(self, Actor::Subject, Intent::Skip { step })
    }

    /// As [`draft`](Self::draft).
    pub(crate) fn draft_named(
        self,
        step: StepName,
        draft: EncodedFact,
        sources: Vec<SourceName>,
    ) -> Change<F, S, S>
    where
        S: CanDraft<To = S>,
    {
        let put = PutFact {
            step: slot::draft(&step),
            fact: Ok(draft),
        };
        Change::new(self, Actor::Subject, Intent::Draft { step, put, sources })
    }
}

fn checked(fact: EncodedFact) -> PutFact {
    PutFact {
        step: fact.step().clone(),
        fact: Ok(fact),
    }
}
