//! Forms that are not finished, and what is known elsewhere to fill them in with.

use std::time::Instant;

use crate::flow::{Answer, Draft, EncodedFact, Flow, PrefillError, slot};
use crate::id::{Actor, Key, OnboardingId, SourceName, StepName, TenantId};
use crate::lifecycle::{CanDraft, Onboarding, Stage};
use crate::onramp::Onramp;
use crate::onramp::within::{Ended, all};
use crate::store::{CommitError, Error, NotAppliedBecause, Row, not_applied};

/// A form with what is known elsewhere filled in.
///
/// ```
/// # use onramp::Prefilled;
/// # use onramp::prelude::*;
/// fn say<F: Flow, A: Answer<F>>(form: &Prefilled<F, InProgress, A>) {
///     for (name, field) in form.draft.fields() {
///         match field.source() {
///             Some(source) => println!("{name}: from {source}, please check"),
///             None => println!("{name}: as you left it"),
///         }
///     }
/// }
/// ```
#[must_use = "it holds the handle to go on with"]
pub struct Prefilled<F, S, A> {
    /// The onboarding; at a new revision when a source knew something new.
    pub onboarding: Onboarding<F, S>,
    /// What is filled in.
    pub draft: Draft<A>,
    /// Sources that could not be asked, and why, for logs.
    pub unavailable: Vec<(SourceName, PrefillError)>,
}

impl<F, S: std::fmt::Debug, A> std::fmt::Debug for Prefilled<F, S, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prefilled")
            .field("onboarding", &self.onboarding)
            .field("draft", &self.draft)
            .field("unavailable", &self.unavailable)
            .finish()
    }
}

impl<F: Flow> Onramp<F> {
    /// What was filled in of an answer and not submitted; `None` when nothing was. Asks no source.
    ///
    /// # Errors
    /// Of the store; of kind `Corrupt` when it does not decode.
    pub async fn draft<A: Answer<F>>(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<Draft<A>>, Error> {
        let slot = slot::draft(&StepName::from_static(A::STORED_AS));
        let records = self.store.facts(tenant, id).await?;
        let saved = records.iter().find(|record| *record.fact.step() == slot);
        let decoded = saved.map(|record| Draft::decode(&record.fact)).transpose();
        decoded.map_err(|error| Error::corrupt(error.to_string()).because(error))
    }

    /// Asks the sources of an answer's form what they know, and saves what is new, on the host's behalf,
    /// with where it came from. It completes nothing, and changes nothing that the subject has filled
    /// in; so it may be called whenever a form is opened. A source that cannot be asked, panics or takes
    /// too long is left out, and named. Once the answer is given no source is asked.
    ///
    /// # Errors
    /// [`CommitError`]: as [`commit`](Self::commit).
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn show<F: Flow, A: Answer<F>>(
    /// #     onramp: &Onramp<F>, running: Onboarding<F, InProgress>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> where A: 'static {
    /// let form = onramp.prefill::<A, _>(running).await?;
    /// let edited = form.draft.with("name", "Acme Inc.")?;
    /// let running = onramp.commit(form.onboarding.draft(&edited)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn prefill<A: Answer<F>, S>(
        &self,
        onboarding: Onboarding<F, S>,
    ) -> Result<Prefilled<F, S, A>, CommitError<F, S>>
    where
        S: Stage + CanDraft<To = S>,
    {
        let (tenant, id) = (onboarding.tenant().clone(), onboarding.id());
        let saved = match self.draft::<A>(&tenant, id).await {
            Ok(saved) => saved.unwrap_or_default(),
            Err(error) => {
                let (state, head) = onboarding.into_stored();
                let because = NotAppliedBecause::Store(error);
                return Err(not_applied(Row { state, head }, because));
            }
        };
        let mut form = Prefilled {
            onboarding,
            draft: saved.clone(),
            unavailable: Vec::new(),
        };
        if form.onboarding.has::<A>() {
            return Ok(form);
        }
        for (source, known) in self.known::<A, S>(&form.onboarding).await {
            match known {
                Ok(known) => form.draft = form.draft.over(&source, known),
                Err(why) => form.unavailable.push((source, why)),
            }
        }
        if form.draft != saved {
            let change = form.onboarding.draft(&form.draft).by(Actor::Host);
            form.onboarding = self.commit(change).await?;
        }
        Ok(form)
    }

    /// What each source knows, in the order in which the flow names them.
    async fn known<A: Answer<F>, S: Stage>(
        &self,
        onboarding: &Onboarding<F, S>,
    ) -> Vec<(SourceName, Result<Draft<A>, PrefillError>)> {
        let known = self.asked(onboarding.key(), A::STORED_AS).await;
        let known = known.into_iter().map(|(source, known)| {
            let known = known.and_then(|known| Draft::decode(&known).map_err(PrefillError::new));
            (source, known)
        });
        known.collect()
    }

    /// What each source knows of a step's answer, as it would be stored.
    pub(crate) async fn asked(
        &self,
        whom: &Key,
        step: &str,
    ) -> Vec<(SourceName, Result<EncodedFact, PrefillError>)> {
        let begun = Instant::now();
        let sources = self.flow.parts().prefills.iter();
        let sources: Vec<_> = sources.filter(|s| s.step() == step).collect();
        let calls = sources
            .iter()
            .map(|source| (source.known(whom), begun + source.timeout()));
        let ended = all(calls.collect(), begun).await;
        let known = sources.iter().zip(ended).map(|(source, (ended, _))| {
            let known = match ended {
                Ended::Gave(known) => known,
                Ended::TookTooLong => Err(PrefillError::new("it took too long")),
                Ended::Panicked => Err(PrefillError::new("it panicked")),
            };
            (SourceName::from_static(source.name()), known)
        });
        known.collect()
    }
}
