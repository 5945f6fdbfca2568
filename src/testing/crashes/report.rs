//! What was found by crashing everywhere.

use std::fmt;

use crate::id::StepName;
use crate::testing::point::{Point, Work};

/// A crash that left something else behind than an undisturbed run.
///
/// ```
/// use onramp::testing::{Finding, Point, Work};
/// fn is_not_idempotent(finding: &Finding) -> bool {
///     finding.work == Some(Work::Run) && finding.point == Point::AfterEffect
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The step whose task, or whose report, was under way; none when the end of all was reported.
    pub step: Option<StepName>,
    /// What its task was called for; none when no task was called, for instance to judge a condition.
    pub work: Option<Work>,
    /// Where it crashed.
    pub point: Point,
    /// Whether the onboarding was cancelled, before or after it crashed, so that all was taken back.
    pub cancelled: bool,
    /// What differs: `-` is how it is undisturbed, `+` how it was.
    pub difference: String,
    /// The journal of the run.
    pub story: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "{step}")?,
            None => f.write_str("the end")?,
        }
        if let Some(work) = self.work {
            write!(f, ", {}", work.as_str())?;
        }
        match (self.point, self.cancelled) {
            (Point::Undisturbed, _) => {
                f.write_str(": leaves something behind when all is taken back")?;
            }
            (point, true) if self.work == Some(Work::Run) => write!(
                f,
                ": crashed {point}, and cancelled: its undo, which is not given the fact then, does \
                 not take all back"
            )?,
            (point @ Point::Overtaken(_), _) => write!(f, ": {point}")?,
            (point, true) => write!(f, ": crashed {point}, and cancelled")?,
            (point, false) => write!(f, ": crashed {point}")?,
        }
        write!(f, "\n{}\n{}", self.difference, self.story)
    }
}

/// What [`crashes`](super::crashes) or [`overtakes`](super::overtakes) has found.
///
/// ```
/// use onramp::testing::Crashes;
/// fn print(crashes: &Crashes) {
///     println!("{} runs, {} findings", crashes.runs(), crashes.findings().len());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "look at what was found, or `expect_none`"]
pub struct Crashes {
    pub(super) runs: usize,
    pub(super) missed: usize,
    pub(super) findings: Vec<Finding>,
}

impl Crashes {
    /// How many runs were disturbed.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// How many runs did not get to the point where they were to be disturbed: the host's own code does
    /// not wait as often each time.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.missed
    }

    /// What was found, in the order of the run.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Holds that nothing was found.
    ///
    /// # Panics
    /// When something was, with all of it; also when there was nothing to disturb.
    #[track_caller]
    pub fn expect_none(&self) {
        assert!(self.findings.is_empty(), "{self}");
        assert!(
            self.runs > 0,
            "nothing to disturb: the scenario runs no task, or none that waits"
        );
    }
}

impl fmt::Display for Crashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (runs, found) = (self.runs, self.findings.len());
        write!(
            f,
            "{found} of {runs} disturbed runs left something else behind"
        )?;
        for (index, finding) in self.findings.iter().enumerate() {
            write!(f, "\n\n{}. {finding}", index + 1)?;
        }
        Ok(())
    }
}
