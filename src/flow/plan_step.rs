//! One step of a flow, without its types.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::flow::{Cohort, RetryPolicy, Waits};
use crate::id::StepName;

/// What kind of step it is: who provides its fact.
///
/// ```
/// use onramp::flow::Kind;
/// assert_eq!(Kind::Evidence.as_str(), "evidence");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The subject gives it.
    Answer,
    /// The host attests it for a third party.
    Evidence,
    /// An operator gives it.
    Approval,
    /// A task produces it.
    Task,
    /// Nobody: time passes. It has no fact.
    Pause,
}

impl Kind {
    /// `"answer"`, `"evidence"`, `"approval"`, `"task"` or `"pause"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Evidence => "evidence",
            Self::Approval => "approval",
            Self::Task => "task",
            Self::Pause => "pause",
        }
    }
}

/// One fact that a step reads.
///
/// ```
/// use onramp::flow::Need;
/// let need = Need { step: "branding".into(), optional: true };
/// assert_eq!(need.step, "branding");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The step that yields the fact.
    pub step: StepName,
    /// Whether the reader goes on without it.
    pub optional: bool,
}

/// One step of a [`Plan`](crate::flow::Plan).
///
/// ```
/// use onramp::flow::{Kind, PlanStep};
/// let step = PlanStep::new("company", Kind::Answer);
/// assert!(!step.is_optional() && !step.is_conditional());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    pub(crate) name: StepName,
    pub(crate) kind: Kind,
    pub(crate) data_version: u32,
    pub(crate) optional: bool,
    pub(crate) condition: Option<Vec<Need>>,
    pub(crate) needs: Vec<Need>,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout: Duration,
    pub(crate) waits: Waits,
    pub(crate) pause: Duration,
    pub(crate) immutable: bool,
    pub(crate) title: StepName,
    pub(crate) since: u32,
    pub(crate) cohort: Cohort,
}

/// How long an attempt at a task may take unless it says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);

impl PlanStep {
    /// A required, unconditional step without needs.
    pub fn new(name: impl Into<StepName>, kind: Kind) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            since: 1,
            cohort: Cohort::default(),
            name,
            kind,
            data_version: 1,
            optional: false,
            condition: None,
            needs: Vec::new(),
            retry: RetryPolicy::default(),
            timeout: TIMEOUT,
            waits: Waits::default(),
            pause: Duration::ZERO,
            immutable: false,
        }
    }

    /// A step that lets time pass.
    pub fn pause(name: impl Into<StepName>, pause: Duration) -> Self {
        let mut step = Self::new(name, Kind::Pause);
        step.pause = pause;
        step
    }

    /// The same step, which a version of the flow has added, for these.
    #[must_use]
    pub fn since(mut self, version: u32, cohort: Cohort) -> Self {
        (self.since, self.cohort) = (version, cohort);
        self
    }

    /// The same step, which people know by another name than the stored one.
    #[must_use]
    pub fn titled(mut self, title: impl Into<StepName>) -> Self {
        self.title = title.into();
        self
    }

    /// The same step, which waits like this.
    #[must_use]
    pub fn waiting(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }

    /// The same step, whose answer cannot be revised any more once something was built on it.
    #[must_use]
    pub fn immutable_once_used(mut self) -> Self {
        self.immutable = true;
        self
    }

    /// The same step, which the subject may skip.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The same step, which applies only to some, judged on these facts.
    #[must_use]
    pub fn conditional_on(mut self, needs: Vec<Need>) -> Self {
        self.condition = Some(needs);
        self
    }

    /// The same step, reading these facts.
    #[must_use]
    pub fn needing(mut self, needs: Vec<Need>) -> Self {
        self.needs = needs;
        self
    }

    /// The same step with this retry policy.
    #[must_use]
    pub fn retrying(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The stored name.
    #[must_use]
    pub fn name(&self) -> &StepName {
        &self.name
    }

    /// Who provides the fact.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The version of the fact's serialised form.
    #[must_use]
    pub fn data_version(&self) -> u32 {
        self.data_version
    }

    /// The name that people know it by; the stored one, unless the step was given another.
    #[must_use]
    pub fn title(&self) -> &StepName {
        &self.title
    }

    /// Which version of the flow has added it; 1 when nothing is said of that.
    #[must_use]
    pub fn added_in(&self) -> u32 {
        self.since
    }

    /// Who gets it, once it was added.
    #[must_use]
    pub fn cohort(&self) -> Cohort {
        self.cohort
    }

    /// Whether the subject may skip it.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// Whether it applies only to some.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        self.condition.is_some()
    }

    /// What its task reads.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.needs.iter()
    }

    /// What its condition is judged on; nothing without a condition.
    pub fn condition(&self) -> impl Iterator<Item = &Need> {
        self.condition.iter().flatten()
    }

    /// What it reads: the needs of its task, then those of its condition.
    pub fn reads(&self) -> impl Iterator<Item = &Need> {
        self.needs().chain(self.condition())
    }

    /// How failed attempts are repeated.
    #[must_use]
    pub fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    /// How long an attempt may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What happens while it waits for somebody.
    #[must_use]
    pub fn waits(&self) -> &Waits {
        &self.waits
    }

    /// How long a pause lasts; zero for every other step.
    #[must_use]
    pub fn pauses_for(&self) -> Duration {
        self.pause
    }

    /// Whether its answer cannot be revised any more once something was built on it.
    #[must_use]
    pub fn is_immutable_once_used(&self) -> bool {
        self.immutable
    }

    /// Whether it matters since when it waits.
    pub(crate) fn is_timed(&self) -> bool {
        self.kind == Kind::Pause || self.waits.are_timed()
    }
}
