//! What several rules ask of the state and the plan.

use chrono::{DateTime, Utc};

use crate::flow::{Failure, Kind, Plan, PlanStep, Roll};
use crate::id::StepName;
use crate::lifecycle::event::Happened;
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::{StageData, UndoReason, Undoing};
use crate::lifecycle::state::{Progress, State};

/// What a rule gives.
pub(super) type Decision = Result<Vec<Happened>, Rejected>;

/// The rules, about to be asked about one state at one time.
pub(super) struct Rules<'a> {
    pub(super) state: &'a State,
    pub(super) plan: &'a Plan,
    pub(super) now: DateTime<Utc>,
}

impl Rules<'_> {
    pub(super) fn planned(&self, step: &StepName, expected: Kind) -> Result<&PlanStep, Rejected> {
        let planned = self.plan.step(step.as_str());
        let planned = planned.ok_or_else(|| Rejected::UnknownStep { step: step.clone() })?;
        if planned.kind() != expected {
            return Err(Rejected::WrongKind {
                step: step.clone(),
                expected,
                found: planned.kind(),
            });
        }
        Ok(planned)
    }

    pub(super) fn not_undoing(&self) -> Result<(), Rejected> {
        match self.state.undoing() {
            Some(_) => Err(Rejected::Undoing),
            None => Ok(()),
        }
    }

    /// An answer that is open: it may be given ahead of its turn, unless it is not yet known
    /// whether it applies.
    pub(super) fn answerable(&self, step: &StepName) -> Result<&PlanStep, Rejected> {
        self.not_undoing()?;
        let planned = self.planned(step, Kind::Answer)?;
        let step = step.clone();
        match self.state.progress(planned) {
            Progress::Open => Ok(planned),
            Progress::Unjudged => Err(Rejected::NotReached { step }),
            Progress::NotApplicable => Err(Rejected::NotApplicable { step }),
            // Whoever was exempted may give it all the same.
            Progress::Waived => Ok(planned),
            Progress::Done | Progress::Skipped => Err(Rejected::AlreadySettled { step }),
        }
    }

    /// The step that every earlier step has made way for.
    pub(super) fn reached(&self, step: &StepName) -> Result<&PlanStep, Rejected> {
        if self.plan.step(step.as_str()).is_none() {
            return Err(Rejected::UnknownStep { step: step.clone() });
        }
        let current = self.state.current(self.plan);
        current
            .filter(|current| current.name() == step)
            .ok_or_else(|| Rejected::NotReached { step: step.clone() })
    }

    /// A task that a worker may report on: the one reached, or one that was under way when
    /// effects began to be taken back, so that its effect is known to the undo.
    pub(super) fn recordable(&self, step: &StepName) -> Result<&PlanStep, Rejected> {
        let planned = self.planned(step, Kind::Task)?;
        match self.state.undoing() {
            None => {
                self.reached(step)?;
                match self.state.progress(planned) {
                    Progress::Open => Ok(planned),
                    _ => Err(Rejected::NotReached { step: step.clone() }),
                }
            }
            Some(undoing) => {
                let known = self.state.step(step.as_str());
                let unreported = known.is_none_or(|k| k.fact.is_none());
                if unreported && undoing.steps.contains(step) {
                    Ok(planned)
                } else {
                    Err(Rejected::Undoing)
                }
            }
        }
    }

    pub(super) fn next_to_undo(&self, step: &StepName) -> Result<&Undoing, Rejected> {
        let undoing = self.state.undoing().ok_or(Rejected::NotUndoing)?;
        if undoing.steps.first() != Some(step) {
            return Err(Rejected::NotReached { step: step.clone() });
        }
        Ok(undoing)
    }

    pub(super) fn retry_at(
        &self,
        planned: &PlanStep,
        attempt: u32,
        retry: Option<Roll>,
    ) -> Option<DateTime<Utc>> {
        let delay = planned.retry().delay(attempt, retry?)?;
        Some(self.now + delay)
    }

    pub(super) fn give_up(&self, step: &StepName, failure: &Failure) -> Happened {
        let reason = UndoReason::Failed {
            step: step.clone(),
            failure: failure.clone(),
        };
        Happened::UndoStarted {
            reason,
            steps: self.effects(|_| true),
        }
    }

    pub(super) fn remaining(&self) -> Vec<StepName> {
        match &self.state.stage {
            StageData::Failed(failed) => failed.remaining.clone(),
            _ => Vec::new(),
        }
    }

    /// The effects that exist, or may: tasks with a fact, the one that is reached (an attempt may
    /// be under way), and those already being taken back. Last one first.
    pub(super) fn effects(&self, among: impl Fn(&PlanStep) -> bool) -> Vec<StepName> {
        let current = self.state.current(self.plan).map(PlanStep::name);
        let undoing = self.state.undoing();
        let may_exist = |step: &PlanStep| {
            let known = self.state.step(step.name().as_str());
            known.is_some_and(|k| k.fact.is_some())
                || current == Some(step.name())
                || undoing.is_some_and(|u| u.steps.contains(step.name()))
        };
        let tasks = self.plan.steps().iter().rev();
        tasks
            .filter(|step| step.kind() == Kind::Task && among(step) && may_exist(step))
            .map(|step| step.name().clone())
            .collect()
    }
}
