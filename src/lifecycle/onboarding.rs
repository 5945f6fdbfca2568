//! The typed face: a handle per stage, with the operations that the stage allows.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};

use crate::flow::slot;
use crate::flow::{Answer, Approval, Clearance, Draft, EncodedFact, Evidence, Flow, Plan, Step};
use crate::id::{Actor, Key, OnboardingId, Reason, Revision, StepName, SubjectId, TenantId};
use crate::lifecycle::change::{Change, Intent, InvalidFact, PutFact};
use crate::lifecycle::digest::Digest;
use crate::lifecycle::shared::Shared;
use crate::lifecycle::stage::{
    CanAdopt, CanApprove, CanAttest, CanCancel, CanComplete, CanDismiss, CanDraft, CanErase,
    CanLogin, CanPark, CanReopen, CanRetry, CanRetryUndo, CanRevise, CanSkip, CanStart, CanSubmit,
    CanUnpark, CanWaive, Completed, InProgress, Stage,
};
use crate::lifecycle::state::{Common, State, StepState};

/// One subject in one flow, in a stage that was durably stored.
///
/// **The type proves that an operation is legal, not that the handle is fresh.** A handle is "as
/// of revision N"; only the commit decides whether that is still the newest.
///
/// Handles come from a store alone: they cannot be built, cloned or deserialised. Every operation
/// takes the handle and gives a [`Change`], which does nothing until it is committed.
///
/// [`login`](Self::login) is there in every stage.
///
/// | stage | operations |
/// |---|---|
/// | [`Pending`] | [`start`](Self::start), [`draft`](Self::draft), [`attest`](Self::attest), [`approve`](Self::approve), [`dismiss`](Self::dismiss), [`cancel`](Self::cancel) |
/// | [`InProgress`] | [`draft`](Self::draft), [`submit`](Self::submit), [`skip`](Self::skip), [`revise`](Self::revise), [`attest`](Self::attest), [`approve`](Self::approve), [`waive`](Self::waive), [`dismiss`](Self::dismiss), [`park`](Self::park), [`unpark`](Self::unpark), [`adopt`](Self::adopt), [`complete`](Self::complete), [`cancel`](Self::cancel) |
/// | [`Completed`] | [`reopen`](Self::reopen), [`erase`](Self::erase) |
/// | [`Failed`] | [`retry`](Self::retry), [`retry_undo`](Self::retry_undo), [`attest`](Self::attest), [`approve`](Self::approve), [`erase`](Self::erase) |
///
/// ```compile_fail
/// # use onramp::lifecycle::{Completed, Onboarding};
/// fn again<F: onramp::flow::Flow>(done: Onboarding<F, Completed>) {
///     done.retry(); // an onboarding that is `Completed` cannot be retried
/// }
/// ```
///
/// [`Pending`]: crate::lifecycle::Pending
/// [`Failed`]: crate::lifecycle::Failed
#[must_use = "a handle is the only way to go on without loading again"]
pub struct Onboarding<F, S> {
    pub(super) common: Shared<Common>,
    pub(super) stage: S,
    #[cfg_attr(
        not(feature = "store"),
        expect(dead_code, reason = "what the next commit is chained to")
    )]
    pub(super) head: Digest,
    pub(super) flow: PhantomData<fn() -> F>,
}

impl<F: Flow, S: Stage> Onboarding<F, S> {
    /// Begins. Needs the proof that the gates were checked.
    pub fn start(self, clearance: Clearance<F>) -> Change<F, S, InProgress>
    where
        S: CanStart<To = InProgress>,
    {
        let intent = Intent::Start {
            cleared: clearance.onboarding,
            cleared_at: clearance.at,
        };
        Change::new(self, Actor::Host, intent)
    }

    /// Gives the subject's answer. Checked by [`Answer::validate`] when it is committed.
    pub fn submit<A: Answer<F>>(self, answer: A) -> Change<F, S, S>
    where
        S: CanSubmit<To = S>,
    {
        let intent = Intent::Submit(PutFact::answer::<F, A>(&answer));
        Change::new(self, Actor::Subject, intent)
    }

    /// Saves what is filled in so far, in place of what was saved before: on top of exactly the revision
    /// that the handle is as of, so that a form that is open twice does not overwrite itself. It settles
    /// nothing, and is gone when the answer is submitted, revised or skipped.
    pub fn draft<A: Answer<F>>(self, draft: &Draft<A>) -> Change<F, S, S>
    where
        S: CanDraft<To = S>,
    {
        let step = StepName::from_static(A::STORED_AS);
        let put = PutFact {
            step: slot::draft(&step),
            fact: draft.encode().map_err(InvalidFact::Encoding),
        };
        let sources = draft.sources();
        let intent = Intent::Draft { step, put, sources };
        Change::new(self, Actor::Subject, intent)
    }

    /// Passes an optional step by.
    pub fn skip<A: Answer<F>>(self) -> Change<F, S, S>
    where
        S: CanSkip<To = S>,
    {
        let step = StepName::from_static(A::STORED_AS);
        Change::new(self, Actor::Subject, Intent::Skip { step })
    }

    /// Changes an answer. What was built on it, directly or not, is undone and done again;
    /// nothing else is.
    pub fn revise<A: Answer<F>>(self, answer: A) -> Change<F, S, S>
    where
        S: CanRevise<To = S>,
    {
        let intent = Intent::Revise(PutFact::answer::<F, A>(&answer));
        Change::new(self, Actor::Subject, intent)
    }

    /// Attests what a third party has said, for instance in a verified webhook. Kept also when it
    /// comes early (before the start), out of order, or after a failure; a repetition changes
    /// nothing.
    pub fn attest<E: Evidence<F>>(self, evidence: E) -> Change<F, S, S>
    where
        S: CanAttest<To = S>,
    {
        let intent = Intent::Attest(PutFact::evidence(&evidence));
        Change::new(self, Actor::Host, intent)
    }

    /// Asks for completion. The rules check again: with anything outstanding, or with effects
    /// that a worker has not verified, it is rejected and says what is missing.
    pub fn complete(self) -> Change<F, S, Completed>
    where
        S: CanComplete<To = Completed>,
    {
        Change::new(self, Actor::Host, Intent::Complete)
    }

    /// Gives up. Effects are taken back by a worker, in reverse order; then it is `Failed`.
    pub fn cancel<To>(self) -> Change<F, S, To>
    where
        S: CanCancel<To = To>,
    {
        Change::new(self, Actor::Host, Intent::Cancel)
    }

    /// Goes on after a failure. Answers and evidence are kept; tasks run from the first one whose
    /// fact is missing.
    pub fn retry(self) -> Change<F, S, InProgress>
    where
        S: CanRetry<To = InProgress>,
    {
        Change::new(self, Actor::Host, Intent::Retry)
    }

    /// Goes on taking back effects that could not be taken back.
    pub fn retry_undo(self) -> Change<F, S, InProgress>
    where
        S: CanRetryUndo<To = InProgress>,
    {
        Change::new(self, Actor::Host, Intent::RetryUndo)
    }

    /// Erases every fact for good, for instance because the subject asks for it. The journal stays,
    /// still verifies, and says that it was done; it holds no personal data. Rejected while effects
    /// that could not be taken back remain: their undo needs the facts. An onboarding that is not
    /// finished is cancelled first.
    ///
    /// Tenant and subject stay: they are identities of the host's.
    pub fn erase<To>(self) -> Change<F, S, To>
    where
        S: CanErase<To = To>,
    {
        Change::new(self, Actor::Host, Intent::Erase)
    }

    /// An operator approves. Kept also when it comes early or after a failure; a repetition changes
    /// nothing.
    pub fn approve<A: Approval<F>>(
        self,
        approval: A,
        operator: impl Into<String>,
    ) -> Change<F, S, S>
    where
        S: CanApprove<To = S>,
    {
        let intent = Intent::Approve(PutFact::evidence(&approval));
        Change::new(self, Actor::Operator(operator.into()), intent)
    }

    /// An operator exempts the subject from a step, which is settled by that. Rejected when a task
    /// or a condition cannot do without its fact.
    pub fn waive<T: Step>(self, reason: Reason, operator: impl Into<String>) -> Change<F, S, S>
    where
        S: CanWaive<To = S>,
    {
        let step = StepName::from_static(T::STORED_AS);
        let intent = Intent::Waive { step, reason };
        Change::new(self, Actor::Operator(operator.into()), intent)
    }

    /// The subject does not want to be asked for now, until it goes on by itself. Settles nothing.
    pub fn dismiss(self) -> Change<F, S, S>
    where
        S: CanDismiss<To = S>,
    {
        Change::new(self, Actor::Subject, Intent::Dismiss)
    }

    /// Stops it: workers do nothing with it, forward or back, until it is [unparked](Self::unpark). What
    /// the subject and the host do meanwhile is kept. Times that run go on running: what was due
    /// meanwhile is due then.
    pub fn park(self, reason: Reason, operator: impl Into<String>) -> Change<F, S, S>
    where
        S: CanPark<To = S>,
    {
        let by = Actor::Operator(operator.into());
        Change::new(self, by, Intent::Park { reason })
    }

    /// Lets a parked one go on.
    pub fn unpark(self, operator: impl Into<String>) -> Change<F, S, S>
    where
        S: CanUnpark<To = S>,
    {
        Change::new(self, Actor::Operator(operator.into()), Intent::Unpark)
    }

    /// Goes on for steps that a newer version of the flow has added for everyone
    /// ([`Cohort::Everyone`](crate::flow::Cohort::Everyone)), and for nothing else. Rejected when there
    /// are none.
    pub fn reopen(self) -> Change<F, S, InProgress>
    where
        S: CanReopen<To = InProgress>,
    {
        Change::new(self, Actor::Host, Intent::Reopen)
    }

    /// Goes on under the flow's version of this program: the journal says so, and a worker looks at
    /// it. Without this, too, whatever is done next is done by the newest rules; but one that waits
    /// is not looked at before somebody does something.
    pub fn adopt(self) -> Change<F, S, S>
    where
        S: CanAdopt<To = S>,
    {
        Change::new(self, Actor::Host, Intent::Adopt)
    }

    /// The subject signed in. Told at every sign-in; the first time is kept, as
    /// [`State::first_login_at`].
    pub fn login(self) -> Change<F, S, S>
    where
        S: CanLogin<To = S>,
    {
        Change::new(self, Actor::Host, Intent::Login)
    }

    /// Whether the subject does not want to be asked for now.
    #[must_use]
    pub fn is_dismissed(&self) -> bool {
        self.common.dismissed_at.is_some()
    }

    /// The onboarding's identity.
    #[must_use]
    pub fn id(&self) -> OnboardingId {
        self.common.id
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.common.key.tenant
    }

    /// Who is being onboarded.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.common.key.subject
    }

    /// The revision that the handle is as of.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.common.revision
    }

    /// When it was created.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        self.common.created_at
    }

    /// The stage's own data: for instance since when, or why it failed.
    #[must_use]
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// Whether the step whose fact is `T` has its fact. None has after they were erased.
    #[must_use]
    pub fn has<T: Step>(&self) -> bool {
        let has = self
            .step(T::STORED_AS)
            .is_some_and(|step| step.fact.is_some());
        has && self.common.erased_at.is_none()
    }

    /// Whether the step whose fact is `T` is settled: done, skipped or not applicable.
    #[must_use]
    pub fn is_settled<T: Step>(&self, plan: &Plan) -> bool {
        let step = plan.step(T::STORED_AS);
        step.is_some_and(|step| self.common.progress(step).is_settled())
    }

    /// What is known of a step; nothing when nothing has happened to it yet.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&StepState> {
        self.common.steps.get(name)
    }

    /// The same as untyped state, for the rules and for reading.
    #[must_use]
    pub fn into_state(self) -> State {
        State {
            common: self.common,
            stage: self.stage.give(),
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.common.key
    }

    /// What is stored: the state and the head of the journal's chain.
    #[cfg(feature = "store")]
    // Always: a handle becomes the rules' state and back in every commit, and it is large to move.
    #[inline(always)]
    pub(crate) fn into_stored(self) -> (State, Digest) {
        let head = self.head;
        (self.into_state(), head)
    }

    /// Only for what is durably stored. `None` in another stage.
    #[cfg(feature = "store")]
    #[inline(always)]
    pub(crate) fn from_stored(state: State, head: Digest) -> Option<Self> {
        let State { common, stage } = state;
        let stage = S::take(stage).ok()?;
        Some(Self {
            common,
            stage,
            head,
            flow: PhantomData,
        })
    }
}

#[cfg(feature = "testing")]
impl<F> Onboarding<F, crate::lifecycle::Pending> {
    /// Only for tests of the typed face without a store.
    pub(crate) fn newborn(state: State) -> Self {
        Self {
            common: state.common,
            stage: crate::lifecycle::Pending {},
            head: Digest::ZERO,
            flow: PhantomData,
        }
    }
}

impl<F, S: std::fmt::Debug> std::fmt::Debug for Onboarding<F, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Onboarding")
            .field("key", &self.common.key)
            .field("revision", &self.common.revision)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl PutFact {
    fn answer<F, A: Answer<F>>(answer: &A) -> Self {
        Self {
            step: StepName::from_static(A::STORED_AS),
            fact: answer
                .validate()
                .map_err(InvalidFact::Answer)
                .and_then(|()| EncodedFact::encode(answer).map_err(InvalidFact::Encoding)),
        }
    }

    fn evidence<T: Step>(fact: &T) -> Self {
        Self {
            step: StepName::from_static(T::STORED_AS),
            fact: EncodedFact::encode(fact).map_err(InvalidFact::Encoding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{Failed, Pending};

    struct Named;
    struct Large(#[expect(dead_code, reason = "only its size matters")] [u64; 64]);

    fn check<S: Stage>() {
        let size = size_of::<Onboarding<Named, S>>();
        assert_eq!(
            size,
            size_of::<Onboarding<Large, S>>(),
            "the flow adds something"
        );
        assert_eq!(
            size,
            size_of::<(Shared<Common>, Digest, S)>(),
            "more than its data"
        );
    }

    #[test]
    fn a_handle_is_as_large_as_its_data() {
        check::<Pending>();
        check::<InProgress>();
        check::<Completed>();
        check::<Failed>();
        let bare = size_of::<(Shared<Common>, Digest)>();
        assert_eq!(bare, size_of::<Onboarding<Named, Pending>>());
    }
}
