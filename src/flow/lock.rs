//! The shape of a flow as text, to be kept beside the code, and what a newer shape may not do to those
//! who are half-way.

use serde::{Deserialize, Serialize};

use crate::flow::{Cohort, InvalidFlow, Kind, Need, Plan, PlanStep};
use crate::id::{FlowName, StepName};

/// A plan's shape as it is written down.
#[derive(Serialize, Deserialize)]
struct Locked {
    flow: FlowName,
    version: u32,
    steps: Vec<LockedStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retired: Vec<StepName>,
}

#[derive(Serialize, Deserialize)]
struct LockedStep {
    name: StepName,
    kind: Kind,
    data_version: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<Need>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<Vec<Need>>,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    since: u32,
    #[serde(default)]
    cohort: Cohort,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(version: &u32) -> bool {
    *version == 1
}

/// A text that is not the shape of a flow.
///
/// ```
/// use onramp::flow::Plan;
/// let error = Plan::from_lock("{}").unwrap_err();
/// assert!(error.to_string().starts_with("not the shape of a flow: missing field `flow`"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the shape of a flow: {0}")]
pub struct InvalidLock(String);

impl Plan {
    /// The plan's shape as text: what those who are half-way depend on. Times and policies are left
    /// out.
    ///
    /// ```
    /// use onramp::flow::{Kind, Plan, PlanStep};
    /// let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)])?;
    /// let again = Plan::from_lock(&plan.to_lock()).expect("it is one");
    /// assert_eq!(again.fingerprint(), plan.fingerprint());
    /// # Ok::<(), onramp::flow::InvalidFlow>(())
    /// ```
    #[must_use]
    pub fn to_lock(&self) -> String {
        let steps = self.steps().iter().map(|step| LockedStep {
            name: step.name().clone(),
            kind: step.kind(),
            data_version: step.data_version(),
            optional: step.is_optional(),
            needs: step.needs.clone(),
            condition: step.condition.clone(),
            since: step.added_in(),
            cohort: step.cohort(),
        });
        let locked = Locked {
            flow: self.flow().clone(),
            version: self.version(),
            steps: steps.collect(),
            retired: self.retired().to_vec(),
        };
        // Nothing in it can fail to serialise.
        let mut text = serde_json::to_string_pretty(&locked).unwrap_or_default();
        text.push('\n');
        text
    }

    /// A plan of the shape that a text gives.
    ///
    /// # Errors
    /// [`InvalidLock`] says what is wrong with the text.
    pub fn from_lock(text: &str) -> Result<Self, InvalidLock> {
        let locked: Locked =
            serde_json::from_str(text).map_err(|error| InvalidLock(error.to_string()))?;
        let steps = locked.steps.into_iter().map(|step| {
            let mut planned = PlanStep::new(step.name, step.kind).needing(step.needs);
            planned.data_version = step.data_version;
            planned.optional = step.optional;
            planned.condition = step.condition;
            planned.since(step.since, step.cohort)
        });
        let invalid = |error: InvalidFlow| InvalidLock(error.to_string());
        let plan = Self::new(locked.flow, locked.version, steps.collect()).map_err(invalid)?;
        plan.retiring(locked.retired).map_err(invalid)
    }

    /// What this plan would do to those who are half-way through an older one, and must not: each in
    /// words that say what to do. Nothing, when they can simply go on.
    ///
    /// ```
    /// use onramp::flow::{Kind, Plan, PlanStep};
    /// let step = |name: &'static str| PlanStep::new(name, Kind::Answer);
    /// let old = Plan::new("workspace", 1, vec![step("company"), step("branding")])?;
    /// let new = Plan::new("workspace", 2, vec![step("company")])?;
    /// assert!(new.breaks(&old)[0].contains("step \"branding\" is gone"));
    /// # Ok::<(), onramp::flow::InvalidFlow>(())
    /// ```
    #[must_use]
    pub fn breaks(&self, older: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        if self.flow() != older.flow() {
            let (now, was) = (self.flow(), older.flow());
            return vec![format!("it is the flow {now}, not {was}")];
        }
        if self.version() < older.version() {
            let (now, was) = (self.version(), older.version());
            broken.push(format!("its version is {now}, which was {was} already"));
        }
        if self.version() == older.version() && self.fingerprint() != older.fingerprint() {
            let version = self.version();
            broken.push(format!(
                "its steps are others than those of version {version}: count the version up"
            ));
        }
        for step in older.steps() {
            let name = step.name().as_str();
            let Some(now) = self.step(name) else {
                if !self.retired().contains(step.name()) {
                    broken.push(format!(
                        "step {name:?} is gone, and with it what it yielded: keep its name by \
                        `STORED_AS` if it has another one now, or say `.retired({name:?})`"
                    ));
                }
                continue;
            };
            if now.kind() != step.kind() {
                let (kind, was) = (now.kind().as_str(), step.kind().as_str());
                broken.push(format!(
                    "step {name:?} was {was} and is {kind}: give the new one another name"
                ));
            }
            if now.data_version() < step.data_version() {
                let (version, was) = (now.data_version(), step.data_version());
                broken.push(format!(
                    "step {name:?} has data version {version}, which was {was} already"
                ));
            }
        }
        for name in older.retired() {
            if self.step(name.as_str()).is_some() {
                let name = name.as_str();
                broken.push(format!(
                    "step {name:?} was retired: what it yielded then would count again"
                ));
            }
        }
        broken
    }
}
