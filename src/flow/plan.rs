//! The flow without its types: what the rules work on.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::{Cohort, RetryPolicy, Waits};
use crate::id::{FlowName, StepName};

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

/// One step of a [`Plan`].
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

    /// What it reads: the needs of its task, then those of its condition.
    pub fn reads(&self) -> impl Iterator<Item = &Need> {
        self.needs.iter().chain(self.condition.iter().flatten())
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

/// A flow without its types: names, order, kinds, needs, policies, versions.
///
/// ```
/// use onramp::flow::{Kind, Plan, PlanStep};
/// let plan = Plan::new("workspace", 1, vec![
///     PlanStep::new("company", Kind::Answer),
///     PlanStep::new("payment", Kind::Evidence),
/// ])?;
/// assert_eq!(plan.step("payment").map(|s| s.kind()), Some(Kind::Evidence));
///
/// let twice = vec![PlanStep::new("a", Kind::Answer), PlanStep::new("a", Kind::Task)];
/// let error = Plan::new("workspace", 1, twice).unwrap_err();
/// assert_eq!(error.to_string(), "flow \"workspace\": step \"a\" occurs twice (places 1 and 2)");
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    flow: FlowName,
    version: u32,
    steps: Vec<PlanStep>,
    fingerprint: Uuid,
    deadline: Option<Duration>,
    retired: Vec<StepName>,
}

impl Plan {
    /// A plan of these steps, in this order.
    ///
    /// # Errors
    /// [`InvalidFlow`] when a name is not storable or occurs twice, or a step reads a fact that no
    /// earlier step yields (which also rules out cycles).
    pub fn new(
        flow: impl Into<FlowName>,
        version: u32,
        steps: Vec<PlanStep>,
    ) -> Result<Self, InvalidFlow> {
        let flow = flow.into();
        let mut problems = problems(&flow, &steps);
        problems.extend(
            steps
                .iter()
                .filter(|step| step.since > version)
                .map(|step| {
                    let (name, since) = (step.name.as_str(), step.since);
                    format!(
                        "step {name:?} is there since version {since}, the flow is at {version}"
                    )
                }),
        );
        if !problems.is_empty() {
            return Err(InvalidFlow { flow, problems });
        }
        let fingerprint = fingerprint(&flow, version, &steps);
        Ok(Self {
            flow,
            version,
            steps,
            fingerprint,
            deadline: None,
            retired: Vec::new(),
        })
    }

    /// The same plan, which knowingly does without steps that an older version had: what they
    /// yielded is kept and read by nobody.
    ///
    /// # Errors
    /// [`InvalidFlow`] when it has such a step.
    pub fn retiring(mut self, retired: Vec<StepName>) -> Result<Self, InvalidFlow> {
        let present = retired
            .iter()
            .filter(|name| self.step(name.as_str()).is_some());
        let problems: Vec<_> = present
            .map(|name| format!("step {:?} is retired and present", name.as_str()))
            .collect();
        if !problems.is_empty() {
            let flow = self.flow;
            return Err(InvalidFlow { flow, problems });
        }
        self.retired = retired;
        Ok(self)
    }

    /// Steps that an older version had, and that this one knowingly does without.
    #[must_use]
    pub fn retired(&self) -> &[StepName] {
        &self.retired
    }

    /// The same plan, to be completed so long after the start: whoever is not is given up.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long after the start it has to be completed.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The flow's name.
    #[must_use]
    pub fn flow(&self) -> &FlowName {
        &self.flow
    }

    /// The flow's version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[PlanStep] {
        &self.steps
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&PlanStep> {
        self.steps.iter().find(|s| s.name == *name)
    }

    /// A stable digest of the plan's shape: names, order, kinds, needs, versions. Retry policies
    /// and times are left out, so tuning them changes nothing. A UUID version 5 (RFC 9562).
    #[must_use]
    pub fn fingerprint(&self) -> Uuid {
        self.fingerprint
    }

    /// Whether a step comes before another one.
    pub(crate) fn is_before(&self, one: &PlanStep, other: &PlanStep) -> bool {
        let place = |step: &PlanStep| self.steps.iter().position(|s| s.name == step.name);
        place(one) < place(other)
    }

    /// Everything that was built, directly or not, on the fact of `step`; in plan order.
    pub(crate) fn built_on(&self, step: &str) -> Vec<&PlanStep> {
        let mut found: Vec<&PlanStep> = Vec::new();
        // Needs point backwards only, so one pass in plan order is enough.
        for candidate in &self.steps {
            let depends = candidate
                .reads()
                .any(|need| need.step == *step || found.iter().any(|f| f.name == need.step));
            if depends {
                found.push(candidate);
            }
        }
        found
    }
}

fn problems(flow: &FlowName, steps: &[PlanStep]) -> Vec<String> {
    let rule = "use 1 to 64 of a-z, 0-9 and _, beginning with a letter";
    let mut problems = Vec::new();
    if !crate::id::is_valid_name(flow.as_str()) {
        problems.push(format!(
            "flow name {:?} is not storable: {rule}",
            flow.as_str()
        ));
    }
    if steps.is_empty() {
        problems.push("there are no steps: add at least one".to_owned());
    }
    for (index, step) in steps.iter().enumerate() {
        let name = step.name.as_str();
        if !crate::id::is_valid_name(name) {
            problems.push(format!("step name {name:?} is not storable: {rule}"));
        }
        let earlier = &steps[..index];
        if let Some(first) = earlier.iter().position(|s| s.name == step.name) {
            problems.push(format!(
                "step {name:?} occurs twice (places {} and {})",
                first + 1,
                index + 1
            ));
        }
        if matches!(step.kind, Kind::Task | Kind::Pause) && step.waits.are_timed() {
            let kind = step.kind.as_str();
            problems.push(format!(
                "step {name:?} is a {kind}, which waits for nobody: it has no reminders and no expiry"
            ));
        }
        if step.immutable && step.kind != Kind::Answer {
            problems.push(format!("step {name:?} is no answer: nobody revises it"));
        }
        for need in step.reads() {
            let paused = earlier
                .iter()
                .any(|s| s.name == need.step && s.kind == Kind::Pause);
            if paused {
                let read = need.step.as_str();
                problems.push(format!(
                    "step {name:?} reads {read:?}, a pause, which has no fact"
                ));
            }
            if !earlier.iter().any(|s| s.name == need.step) {
                problems.push(format!(
                    "step {name:?} reads {:?}, which no earlier step yields",
                    need.step.as_str()
                ));
            }
        }
    }
    problems
}

fn fingerprint(flow: &FlowName, version: u32, steps: &[PlanStep]) -> Uuid {
    // Every text is followed by a separator that no valid name contains.
    let mut text = format!("onramp.plan.1|{flow}|{version}");
    for step in steps {
        let kind = step.kind.as_str();
        text += &format!(
            "|{}:{kind}:{}:{}",
            step.name, step.data_version, step.optional
        );
        for need in &step.needs {
            text += &format!("<{}:{}", need.step, need.optional);
        }
        if let Some(condition) = &step.condition {
            text += "?";
            for need in condition {
                text += &format!("<{}:{}", need.step, need.optional);
            }
        }
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

/// Why a list of steps is not a flow. Lists every problem, with the names.
///
/// ```
/// use onramp::flow::Plan;
/// let error = Plan::new("Work space", 1, vec![]).unwrap_err().to_string();
/// assert!(error.contains("flow name \"Work space\" is not storable"));
/// assert!(error.contains("there are no steps"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("flow {:?}: {}", flow.as_str(), problems.join("; "))]
pub struct InvalidFlow {
    flow: FlowName,
    problems: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(step: &'static str) -> Need {
        Need {
            step: step.into(),
            optional: false,
        }
    }

    #[test]
    fn every_problem_is_named() {
        let steps = vec![
            PlanStep::new("Company", Kind::Answer),
            PlanStep::new("slug", Kind::Task).needing(vec![need("dataset")]),
            PlanStep::new("dataset", Kind::Task).needing(vec![need("slug")]),
            PlanStep::new("slug", Kind::Task),
        ];
        let text = Plan::new("workspace", 1, steps).unwrap_err().to_string();
        for part in [
            "\"Company\" is not storable",
            "\"slug\" reads \"dataset\", which no earlier step yields",
            "\"slug\" occurs twice (places 2 and 4)",
        ] {
            assert!(text.contains(part), "{part:?} in {text:?}");
        }
    }

    #[test]
    fn fingerprint_is_pinned_and_follows_the_shape_alone() {
        let steps = || {
            vec![
                PlanStep::new("company", Kind::Answer),
                PlanStep::new("slug", Kind::Task).needing(vec![need("company")]),
            ]
        };
        let print = |steps| Plan::new("workspace", 1, steps).unwrap().fingerprint();
        let base = print(steps());
        // A stored value: if this changes, every stored fingerprint in the world is stale.
        assert_eq!(base.to_string(), "61515052-6118-5732-8275-4c3a23ad8856");

        let mut tuned = steps();
        tuned[1].retry = RetryPolicy::new(99);
        assert_eq!(print(tuned), base);

        let mut optional = steps();
        optional[0].optional = true;
        let mut unneedy = steps();
        unneedy[1].needs.clear();
        let mut newer = steps();
        newer[0].data_version = 2;
        let mut conditional = steps();
        conditional[1].condition = Some(vec![]);
        for changed in [optional, unneedy, newer, conditional] {
            assert_ne!(print(changed.clone()), base, "{changed:?}");
        }
    }

    #[test]
    fn built_on_is_transitive_and_follows_conditions() {
        let plan = Plan::new(
            "workspace",
            1,
            vec![
                PlanStep::new("company", Kind::Answer),
                PlanStep::new("plan", Kind::Answer),
                PlanStep::new("slug", Kind::Task).needing(vec![need("company")]),
                PlanStep::new("tables", Kind::Task).needing(vec![need("slug")]),
                PlanStep::new("terms", Kind::Answer).conditional_on(vec![need("plan")]),
            ],
        )
        .unwrap();
        let names = |step| -> Vec<String> {
            let built = plan.built_on(step);
            built.iter().map(|s| s.name().to_string()).collect()
        };
        assert_eq!(names("company"), ["slug", "tables"]);
        assert_eq!(names("plan"), ["terms"]);
        assert!(names("tables").is_empty());
    }
}
