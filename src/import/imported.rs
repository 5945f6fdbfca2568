//! What a record says, in the words of the flow.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};

use super::reject::Reject;
use crate::admission::{LegacyPolicy, LegacyRow};
use crate::flow::{Answer, Approval, EncodedFact, Evidence, Kind, Step};
use crate::id::{SubjectId, TenantId};
use crate::lifecycle::Past;

/// What a record says of a subject: facts, times, and whether it was complete. What it does not say stays
/// open.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::import::{Imported, Record, Reject};
/// fn map<F: Flow, A: Answer<F> + From<String>>(record: &Record) -> Result<Imported<F>, Reject> {
///     let subject = SubjectId::new(record.text("user")?)?;
///     let mut imported = Imported::new(TenantId::new("acme")?, subject)
///         .first_login(record.maybe_time("first_login_at")?)
///         .complete(record.flag("done")?);
///     if let Some(name) = record.maybe_text("company")? {
///         imported = imported.answer(A::from(name.to_owned()));
///     }
///     Ok(imported)
/// }
/// ```
#[must_use = "it is what the record says"]
pub struct Imported<F> {
    pub(super) tenant: TenantId,
    pub(super) subject: SubjectId,
    pub(super) past: Past,
    pub(super) facts: Vec<(Kind, EncodedFact)>,
    /// The first fact that cannot be taken.
    pub(super) refused: Option<Reject>,
    flow: PhantomData<fn() -> F>,
}

impl<F> Imported<F> {
    /// Nothing but who it is.
    pub fn new(tenant: TenantId, subject: SubjectId) -> Self {
        Self {
            tenant,
            subject,
            past: Past::default(),
            facts: Vec::new(),
            refused: None,
            flow: PhantomData,
        }
    }

    /// An answer that the subject gave there. It is held to the answer's own rules.
    pub fn answer<A: Answer<F>>(self, answer: A) -> Self {
        match answer.validate() {
            Ok(()) => self.with(Kind::Answer, &answer),
            Err(invalid) => self.refuse(Reject::new(format!("{}: {invalid}", A::NAME))),
        }
    }

    /// Evidence that was attested there.
    pub fn evidence<E: Evidence<F>>(self, evidence: E) -> Self {
        self.with(Kind::Evidence, &evidence)
    }

    /// What was approved there.
    pub fn approval<P: Approval<F>>(self, approval: P) -> Self {
        self.with(Kind::Approval, &approval)
    }

    /// What a task would make and exists already: the task does not make it again, and its `verify` and
    /// `undo` get what is given here.
    pub fn built<T: Step>(self, output: T) -> Self {
        self.with(Kind::Task, &output)
    }

    /// When the subject signed in for the first time, if that is known. The earlier of this and
    /// [`started`](Self::started) is the time of its [cohort](crate::insight::Cohort).
    pub fn first_login(mut self, at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.past.first_login_at = at.into();
        self
    }

    /// When it was started, if that is known.
    pub fn started(mut self, at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.past.started_at = at.into();
        self
    }

    /// When it was completed, if that is known. Does not say that it counts as complete.
    pub fn completed(mut self, at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.past.completed_at = at.into();
        self
    }

    /// Whether it counts as complete. Unless told it does not.
    pub fn complete(mut self, complete: bool) -> Self {
        self.past.complete = complete;
        self
    }

    /// The same, by the rule that held in the older system.
    pub fn complete_by(self, policy: LegacyPolicy, row: LegacyRow) -> Self {
        self.complete(policy.is_complete(row))
    }

    fn with<T: Step>(mut self, kind: Kind, fact: &T) -> Self {
        match EncodedFact::encode(fact) {
            Ok(fact) => self.facts.push((kind, fact)),
            Err(error) => return self.refuse(error.into()),
        }
        self
    }

    fn refuse(mut self, why: Reject) -> Self {
        self.refused.get_or_insert(why);
        self
    }
}

impl<F> fmt::Debug for Imported<F> {
    /// Leaves the facts out: they are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imported")
            .field("tenant", &self.tenant)
            .field("subject", &self.subject)
            .field("past", &self.past)
            .finish_non_exhaustive()
    }
}
