//! Where one onboarding stands in its flow. Pure; the rules are asked, not repeated.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::{Kind, Plan, PlanStep};
use crate::lifecycle::{Progress, StageKind, State, StepState, UndoReason};

/// How a step went that an onboarding has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Completed,
    Skipped,
    Waived,
    NotApplicable,
    Failed,
    Abandoned,
    TakenBack,
    Open,
}

/// An onboarding beside its flow.
pub(super) struct Standing<'a> {
    state: &'a State,
    plan: &'a Plan,
    /// The first step that is not settled; how many there are when all are.
    first_open: usize,
}

impl<'a> Standing<'a> {
    pub(super) fn new(state: &'a State, plan: &'a Plan) -> Self {
        let settled = |step: &&PlanStep| state.progress(step).is_settled();
        let first_open = plan.steps().iter().take_while(settled).count();
        Self {
            state,
            plan,
            first_open,
        }
    }

    /// The furthest step that it has come to; none before the start.
    ///
    /// Also what was taken back since counts: a task is attempted only when it is its turn, so whatever
    /// a task has left behind says that it was.
    pub(super) fn reached(&self) -> Option<usize> {
        self.state.started_at()?;
        let last = self.plan.steps().len().checked_sub(1)?;
        if self.state.stage() == StageKind::Completed {
            return Some(last);
        }
        let steps = self.plan.steps().iter().enumerate();
        let attempted = steps.filter(|(_, step)| {
            let known = self.state.step(step.name().as_str());
            step.kind() == Kind::Task && known.is_some_and(was_attempted)
        });
        let furthest = attempted.map(|(place, _)| place).max();
        let places = [furthest, self.failing(), Some(self.first_open)];
        places.into_iter().flatten().max().map(|at| at.min(last))
    }

    /// How a step went, of those up to the one that is `reached`.
    pub(super) fn outcome(
        &self,
        place: usize,
        reached: usize,
        patience: TimeDelta,
        now: DateTime<Utc>,
    ) -> Outcome {
        if self.failing() == Some(place) {
            return Outcome::Failed;
        }
        let progress = self.plan.steps().get(place).map(|s| self.state.progress(s));
        match progress {
            Some(Progress::Done) => return Outcome::Completed,
            Some(Progress::Skipped) => return Outcome::Skipped,
            Some(Progress::Waived) => return Outcome::Waived,
            None | Some(Progress::NotApplicable) => return Outcome::NotApplicable,
            Some(_) => {}
        }
        if self.state.stage() == StageKind::Completed {
            // A newer version has it for others.
            return Outcome::NotApplicable;
        }
        let ends = self.is_given_up();
        match place {
            _ if ends && place == reached && self.failing().is_none() => Outcome::Failed,
            _ if ends || place != self.first_open => Outcome::TakenBack,
            _ if self.is_abandoned(patience, now) => Outcome::Abandoned,
            _ => Outcome::Open,
        }
    }

    /// How long a step took, from when it was its turn; none when that was not noted, for what came to
    /// nothing or was done again, and for steps that a newer version has put in its way.
    pub(super) fn took(&self, place: usize) -> Option<Duration> {
        let step = self.plan.steps().get(place)?;
        let added_later = self.state.flow_version() < step.added_in();
        let progress = self.state.progress(step);
        if added_later || progress == Progress::NotApplicable || !progress.is_settled() {
            return None;
        }
        let known = self.state.step(step.name().as_str())?;
        // Whether its turn came again with a retry or with a revision, nobody has noted.
        let settled = known.settled_at().filter(|_| known.round() == 0)?;
        let mut turn = self.state.started_at()?;
        for before in &self.plan.steps()[..place] {
            if self.state.progress(before) != Progress::NotApplicable {
                turn = turn.max(self.state.step(before.name().as_str())?.settled_at()?);
            }
        }
        // What came ahead of its turn took no time then.
        Some((settled - turn).to_std().unwrap_or_default())
    }

    /// Since when it is at the step where it is; as far as that was noted.
    pub(super) fn since(&self) -> DateTime<Utc> {
        let state = self.state;
        let begun = state.in_progress_since().or(state.started_at());
        let begun = begun.unwrap_or(state.created_at());
        let current = self.plan.steps().get(self.first_open);
        if let (Some(wait), Some(step)) = (state.wait(), current)
            && wait.step == *step.name()
        {
            return wait.since;
        }
        let before = &self.plan.steps()[..self.first_open];
        let settled = before
            .iter()
            .filter_map(|step| state.step(step.name().as_str())?.settled_at());
        settled.chain([begun]).max().unwrap_or(begun)
    }

    /// The step that it was, or is being, given up for.
    fn failing(&self) -> Option<usize> {
        let named = match self.state.undoing().map(|undoing| &undoing.reason) {
            Some(UndoReason::Failed { step, .. }) => Some(step),
            Some(UndoReason::Expired { step }) => step.as_ref(),
            Some(_) => None,
            None => self.state.failed().and_then(|failed| failed.step.as_ref()),
        }?;
        let mut steps = self.plan.steps().iter();
        steps.position(|step| step.name() == named)
    }

    fn is_given_up(&self) -> bool {
        let undoing = self.state.undoing();
        self.state.failed().is_some() || undoing.is_some_and(|u| u.reason.ends_in_failure())
    }

    /// Whether its subject has been waited for longer than that.
    fn is_abandoned(&self, patience: TimeDelta, now: DateTime<Utc>) -> bool {
        let Some(step) = self.plan.steps().get(self.first_open) else {
            return false;
        };
        let waits = step.kind() == Kind::Answer && self.state.progress(step) == Progress::Open;
        waits && self.state.undoing().is_none() && now - self.since() > patience
    }
}

fn was_attempted(known: &StepState) -> bool {
    known.fact().is_some() || known.attempts() > 0 || known.round() > 0 || known.failure().is_some()
}
