//! The flow without its types: what the rules work on.

use std::time::Duration;

use uuid::Uuid;

use crate::flow::{Kind, PlanStep};
use crate::id::{FlowName, StepName};

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

/// What a name that is stored consists of.
const NAME_RULE: &str = "use 1 to 64 of a-z, 0-9 and _, beginning with a letter";

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

    /// Whether sources that fill forms in have storable names, and answers to fill in.
    pub(crate) fn fillable<'s>(
        &self,
        sources: impl Iterator<Item = (&'s str, &'s str)>,
    ) -> Result<(), InvalidFlow> {
        let mut problems = Vec::new();
        for (source, step) in sources {
            if !crate::id::is_valid_name(source) {
                problems.push(format!("source {source:?}: {NAME_RULE}"));
            }
            if self.step(step).is_none_or(|s| s.kind() != Kind::Answer) {
                problems.push(format!(
                    "source {source:?} fills in {step:?}, which the flow does not ask for"
                ));
            }
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(InvalidFlow {
                flow: self.flow.clone(),
                problems,
            }),
        }
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
    let rule = NAME_RULE;
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
    use crate::flow::{Need, RetryPolicy};

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
