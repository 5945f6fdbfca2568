//! What is known of one onboarding: the row that the rules read and events change.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::{Cohort, Failure, Plan, PlanStep};
use crate::id::{Key, OnboardingId, Reason, Revision, SecretName, SourceName, StepName};
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::import::Origin;
use crate::lifecycle::secret::SecretState;
use crate::lifecycle::shared::Shared;
use crate::lifecycle::stage::{InProgress, Pending, StageData, StageKind, Undoing};
use crate::lifecycle::steps::Steps;
use crate::lifecycle::wait::Wait;

/// Everything the rules know of one onboarding. Holds no answers: only that they exist.
///
/// ```
/// use onramp::flow::{Kind, Plan, PlanStep};
/// use onramp::lifecycle::{StageKind, State};
/// use onramp::{Clock, Key, OnboardingId, SubjectId, SystemClock, TenantId};
///
/// let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
/// let key = Key {
///     tenant: TenantId::new("acme")?,
///     flow: plan.flow().clone(),
///     subject: SubjectId::new("org-001")?,
/// };
/// let (state, _created) = State::create(OnboardingId::fresh(), key, &plan, SystemClock.now());
/// assert_eq!(state.stage(), StageKind::Pending);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    #[serde(flatten)]
    /// Elsewhere, so that a state or a handle is cheap to move, and to copy until it is changed.
    pub(crate) common: Shared<Common>,
    #[serde(flatten)]
    pub(crate) stage: StageData,
}

/// What is known in every stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Common {
    pub(crate) id: OnboardingId,
    #[serde(flatten)]
    pub(crate) key: Key,
    pub(crate) flow_version: u32,
    pub(crate) revision: Revision,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) erased_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dismissed_at: Option<DateTime<Utc>>,
    /// Boxed, as it is mostly not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parked: Option<Box<Parked>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) login_at: Option<DateTime<Utc>>,
    /// When it was completed first. Kept from the first reopening on; until then the stage knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) completed_at: Option<DateTime<Utc>>,
    /// The newest version of the flow that it goes on under, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adopted: Option<u32>,
    /// After it was completed: what it was reopened for. Nothing else is due then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reopened_for: Option<Vec<StepName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<Wait>,
    /// Boxed, as it is mostly not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) imported: Option<Box<Origin>>,
    pub(crate) steps: Steps,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secrets: BTreeMap<SecretName, SecretState>,
}

/// Since when and why workers do nothing, by an operator's wish.
///
/// ```
/// # use onramp::lifecycle::Parked;
/// fn say(parked: &Parked) -> String {
///     format!("stopped on {}: {}", parked.at, parked.reason)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Parked {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

/// What is known of one step.
///
/// ```
/// use onramp::lifecycle::StepState;
/// assert_eq!(StepState::default().attempts(), 0);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepState {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fact: Option<FactMark>,
    /// Boxed, as what else is mostly not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) draft: Option<Box<FactMark>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sources: Vec<SourceName>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) skipped: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) waived: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) elapsed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applies: Option<bool>,
    /// Not in rows of programs that did not note it.
    #[serde(
        rename = "at",
        with = "chrono::serde::ts_microseconds_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) settled_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) attempts: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) undo_attempts: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) round: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) drifts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How far a step is.
///
/// ```
/// use onramp::lifecycle::Progress;
/// assert!(Progress::Skipped.is_settled());
/// assert!(!Progress::Unjudged.is_settled());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// Nothing yet.
    Open,
    /// Conditional, and not yet known whether it applies.
    Unjudged,
    /// Its fact exists; a pause: it is over.
    Done,
    /// Optional, and passed by.
    Skipped,
    /// An operator exempted the subject from it.
    Waived,
    /// Conditional, and does not apply.
    NotApplicable,
}

impl Progress {
    /// Whether the steps after it can be reached.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Skipped | Self::Waived | Self::NotApplicable
        )
    }
}

impl StepState {
    /// Attempts at the task that were reported on, the last crashes before them included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How often its effect was taken back.
    #[must_use]
    pub fn round(&self) -> u32 {
        self.round
    }

    /// Why the last attempt failed, until one succeeds.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// When the next attempt is due, after a failed one.
    #[must_use]
    pub fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.retry_at
    }

    /// The mark of what is filled in and not submitted yet.
    #[must_use]
    pub fn draft(&self) -> Option<&FactMark> {
        self.draft.as_deref()
    }

    /// The sources whose prefill the subject has not changed, as of the newest draft; kept when the
    /// answer is submitted.
    #[must_use]
    pub fn sources(&self) -> &[SourceName] {
        &self.sources
    }

    /// When it was settled: got its fact, was skipped, waived, or found not to apply. None when that
    /// was not noted (by a program before this one), and when nothing happened (the step is of a
    /// newer version, and not for this one).
    #[must_use]
    pub fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.settled_at
    }

    /// The fact's mark.
    #[must_use]
    pub fn fact(&self) -> Option<&FactMark> {
        self.fact.as_ref()
    }
}

impl State {
    pub(crate) fn newborn(
        id: OnboardingId,
        key: Key,
        flow_version: u32,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            common: Shared::new(Common {
                id,
                key,
                flow_version,
                revision: Revision::new(0),
                created_at: now,
                started_at: None,
                erased_at: None,
                dismissed_at: None,
                parked: None,
                login_at: None,
                completed_at: None,
                adopted: None,
                reopened_for: None,
                wait: None,
                imported: None,
                steps: Steps::default(),
                secrets: BTreeMap::new(),
            }),
            stage: StageData::Pending(Pending {}),
        }
    }

    /// The onboarding's identity.
    #[must_use]
    pub fn id(&self) -> OnboardingId {
        self.common.id
    }

    /// Tenant, flow and subject.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.common.key
    }

    /// The version of the flow that the onboarding is in.
    #[must_use]
    pub fn flow_version(&self) -> u32 {
        self.common.flow_version
    }

    /// How many commits there were.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.common.revision
    }

    /// When it was created.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        self.common.created_at
    }

    /// When it was started for the first time, here or in the system that it was imported from.
    #[must_use]
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        let imported = self.common.imported.as_ref();
        let elsewhere = imported.and_then(|origin| origin.started_at);
        elsewhere.or(self.common.started_at)
    }

    /// When the subject signed in for the first time, as the host has told.
    #[must_use]
    pub fn first_login_at(&self) -> Option<DateTime<Utc>> {
        self.common.login_at
    }

    /// When it was completed for the first time; also after it was reopened.
    #[must_use]
    pub fn completed_at(&self) -> Option<DateTime<Utc>> {
        self.common.completed_at.or(match &self.stage {
            StageData::Completed(completed) => Some(completed.at),
            _ => None,
        })
    }

    /// When its facts were erased.
    #[must_use]
    pub fn erased_at(&self) -> Option<DateTime<Utc>> {
        self.common.erased_at
    }

    /// The version of the flow that it goes on under: the one that it was created with, or the newest
    /// that it has adopted.
    #[must_use]
    pub fn runs_under(&self) -> u32 {
        self.common.adopted.unwrap_or(self.common.flow_version)
    }

    /// When the subject last said that it does not want to be asked for now; none once it goes on.
    #[must_use]
    pub fn dismissed_at(&self) -> Option<DateTime<Utc>> {
        self.common.dismissed_at
    }

    /// Since when workers do nothing, by an operator's wish.
    #[must_use]
    pub fn parked(&self) -> Option<&Parked> {
        self.common.parked.as_deref()
    }

    /// Since when a step waits, if the time matters.
    #[must_use]
    pub fn wait(&self) -> Option<&Wait> {
        self.common.wait.as_ref()
    }

    /// The stage.
    #[must_use]
    pub fn stage(&self) -> StageKind {
        self.stage.kind()
    }

    /// What people are told when it is `Failed`, and which step failed.
    #[must_use]
    pub fn failed(&self) -> Option<&crate::lifecycle::Failed> {
        match &self.stage {
            StageData::Failed(failed) => Some(failed),
            _ => None,
        }
    }

    /// What is known of a step; nothing when nothing has happened to it yet.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&StepState> {
        self.common.steps.get(name)
    }

    /// The steps to which something has happened, by name.
    pub fn steps(&self) -> impl Iterator<Item = (&StepName, &StepState)> {
        self.common.steps.iter()
    }

    /// What is being taken back, if anything.
    #[must_use]
    pub fn undoing(&self) -> Option<&Undoing> {
        match &self.stage {
            StageData::InProgress(InProgress { undoing, .. }) => undoing.as_ref(),
            _ => None,
        }
    }

    /// When it last began: at the start, with a retry, or when it was reopened.
    #[cfg(feature = "store")]
    pub(crate) fn in_progress_since(&self) -> Option<DateTime<Utc>> {
        match &self.stage {
            StageData::InProgress(running) => Some(running.since),
            _ => None,
        }
    }

    /// How far a step of the plan is.
    #[must_use]
    pub fn progress(&self, step: &PlanStep) -> Progress {
        self.common.progress(step)
    }

    /// The first step that is not settled, in plan order.
    #[must_use]
    pub fn current<'p>(&self, plan: &'p Plan) -> Option<&'p PlanStep> {
        plan.steps()
            .iter()
            .find(|step| !self.progress(step).is_settled())
    }

    /// How much of the longest path is settled, in whole percent: below 100 until completed.
    ///
    /// Never falls while facts are added; it does when they are taken back.
    #[must_use]
    pub fn percent(&self, plan: &Plan) -> u8 {
        if self.stage() == StageKind::Completed {
            return 100;
        }
        let settled = plan
            .steps()
            .iter()
            .filter(|step| self.progress(step).is_settled());
        let percent = settled.count() * 100 / plan.steps().len().max(1);
        u8::try_from(percent.min(99)).unwrap_or(99)
    }
}

impl Common {
    /// Whether it gets a step that a newer version of the flow has added.
    fn is_of_cohort(&self, step: &PlanStep) -> bool {
        let late = self.flow_version < step.added_in();
        let new_starts = late && step.cohort() == Cohort::NewStarts;
        let reopened = self.reopened_for.as_ref();
        !new_starts && reopened.is_none_or(|due| due.contains(step.name()))
    }

    pub(crate) fn progress(&self, step: &PlanStep) -> Progress {
        let known = self.steps.get(step.name().as_str());
        let settled = known.is_some_and(|k| k.fact.is_some() || k.elapsed || k.waived || k.skipped);
        if !settled && !self.is_of_cohort(step) {
            return Progress::NotApplicable;
        }
        let applies = known.and_then(|k| k.applies);
        match known {
            _ if step.is_conditional() && applies != Some(true) => match applies {
                Some(_) => Progress::NotApplicable,
                None => Progress::Unjudged,
            },
            Some(k) if k.fact.is_some() || k.elapsed => Progress::Done,
            Some(k) if k.waived => Progress::Waived,
            Some(k) if k.skipped => Progress::Skipped,
            _ => Progress::Open,
        }
    }
}
