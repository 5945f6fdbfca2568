//! What workers report: the rule of each.

use crate::flow::{Failure, Kind, Problem, Roll};
use crate::id::StepName;
use crate::lifecycle::event::Happened;
use crate::lifecycle::next::{Next, next};
use crate::lifecycle::questions::{Decision, Rules};
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::UndoReason;
use crate::lifecycle::state::Progress;

impl Rules<'_> {
    pub(super) fn settle(&self, step: &StepName, applies: bool) -> Decision {
        self.not_undoing()?;
        let planned = self.reached(step)?;
        if !planned.is_conditional() {
            return Err(Rejected::Unconditional { step: step.clone() });
        }
        if self.state.progress(planned) != Progress::Unjudged {
            return Err(Rejected::AlreadySettled { step: step.clone() });
        }
        Ok(vec![Happened::ConditionJudged {
            step: step.clone(),
            applies,
        }])
    }

    /// Only what is next anyway: a worker's clock, or its view, may be late.
    pub(super) fn due(&self, expected: &Next) -> Result<(), Rejected> {
        match next(self.state, self.plan, self.now) == *expected {
            true => Ok(()),
            false => Err(Rejected::NotDue),
        }
    }

    pub(super) fn expire(&self, step: Option<&StepName>) -> Decision {
        let step = step.cloned();
        self.due(&Next::Expire { step: step.clone() })?;
        let planned = step.as_ref().and_then(|step| self.plan.step(step.as_str()));
        if let Some(optional) = planned.filter(|planned| planned.is_optional()) {
            let step = optional.name().clone();
            return Ok(vec![Happened::StepSkipped { step }]);
        }
        Ok(vec![Happened::UndoStarted {
            reason: UndoReason::Expired { step },
            steps: self.effects(|_| true),
        }])
    }

    pub(super) fn fail_attempt(
        &self,
        step: &StepName,
        attempt: u32,
        failure: &Failure,
        retry: Option<Roll>,
    ) -> Decision {
        let planned = self.recordable(step)?;
        if self.state.undoing().is_some() {
            // It is about to be taken back; how the attempt ended no longer matters.
            return Ok(Vec::new());
        }
        let retry_at = self.retry_at(planned, attempt, retry);
        let mut happened = vec![Happened::AttemptFailed {
            step: step.clone(),
            attempt,
            failure: failure.clone(),
            retry_at,
        }];
        if retry_at.is_none() {
            happened.push(self.give_up(step, failure));
        }
        Ok(happened)
    }

    pub(super) fn fail_undo(
        &self,
        step: &StepName,
        attempt: u32,
        failure: &Failure,
        retry: Option<Roll>,
    ) -> Decision {
        let undoing = self.next_to_undo(step)?;
        let planned = self.planned(step, Kind::Task)?;
        let retry_at = self.retry_at(planned, attempt, retry);
        let mut happened = vec![Happened::UndoAttemptFailed {
            step: step.clone(),
            attempt,
            failure: failure.clone(),
            retry_at,
        }];
        if retry_at.is_none() {
            // What is earlier may be what the stuck one stands on, so nothing more is taken back.
            let failed = failed_for(&undoing.reason, undoing.steps.clone());
            // Giving up takes everything back, not only what had to be built again.
            happened.push(failed.unwrap_or_else(|| Happened::Failed {
                failure: failure.clone(),
                step: Some(step.clone()),
                remaining: self.effects(|_| true),
            }));
        }
        Ok(happened)
    }

    pub(super) fn finish_undo(&self) -> Decision {
        let undoing = self.state.undoing().ok_or(Rejected::NotUndoing)?;
        if !undoing.steps.is_empty() {
            return Err(Rejected::Undoing);
        }
        let failed = failed_for(&undoing.reason, Vec::new());
        Ok(vec![failed.unwrap_or(Happened::UndoFinished)])
    }

    pub(super) fn drift(&self, step: &StepName, failure: &Failure) -> Decision {
        self.not_undoing()?;
        let planned = self.planned(step, Kind::Task)?;
        if let Some(open) = self.state.current(self.plan) {
            let step = open.name().clone();
            return Err(Rejected::Outstanding { steps: vec![step] });
        }
        if self.state.progress(planned) != Progress::Done {
            return Err(Rejected::NotApplicable { step: step.clone() });
        }
        let found = Happened::DriftFound {
            step: step.clone(),
            failure: failure.clone(),
        };
        let drifts = self.state.step(step.as_str()).map_or(0, |s| s.drifts);
        if drifts + 1 >= planned.retry().max_attempts() {
            return Ok(vec![found, self.give_up(step, failure)]);
        }
        let built = self.plan.built_on(step.as_str());
        let steps =
            self.effects(|s| s.name() == step || built.iter().any(|b| b.name() == s.name()));
        let reason = UndoReason::Drifted { step: step.clone() };
        Ok(vec![found, Happened::UndoStarted { reason, steps }])
    }
}

/// The failure that an undo for this reason ends in; none when it goes on afterwards.
fn failed_for(reason: &UndoReason, remaining: Vec<StepName>) -> Option<Happened> {
    let (failure, step) = match reason {
        UndoReason::Failed { step, failure } => (failure.clone(), Some(step.clone())),
        UndoReason::Cancelled => (Failure::from(Problem::CANCELLED), None),
        UndoReason::Expired { step } => (Failure::from(Problem::EXPIRED), step.clone()),
        UndoReason::Revised { .. } | UndoReason::Drifted { .. } => return None,
    };
    Some(Happened::Failed {
        failure,
        step,
        remaining,
    })
}
