//! What the host, the subject and operators wish: the rule of each.

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::{Cohort, Failure, Kind, PlanStep, Problem};
use crate::id::{OnboardingId, Reason, SourceName, StepName};
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::event::Happened;
use crate::lifecycle::questions::{Decision, Rules};
use crate::lifecycle::rejected::Rejected;
use crate::lifecycle::stage::{StageData, StageKind, UndoReason};
use crate::lifecycle::state::Progress;

/// How long a clearance serves.
const CLEARANCE_LIFETIME: TimeDelta = TimeDelta::minutes(5);

impl Rules<'_> {
    // What the host and the subject wish.

    pub(super) fn start(&self, cleared: OnboardingId, cleared_at: DateTime<Utc>) -> Decision {
        if cleared != self.state.id() {
            return Err(Rejected::ForeignClearance { cleared });
        }
        if self.now - cleared_at > CLEARANCE_LIFETIME {
            return Err(Rejected::StaleClearance);
        }
        Ok(vec![Happened::Started])
    }

    /// Also of an answer that was given, to revise it with, and of one that is not reached yet.
    pub(super) fn draft(&self, step: &StepName, fact: FactMark, from: &[SourceName]) -> Decision {
        let planned = self.planned(step, Kind::Answer)?;
        let step = step.clone();
        if self.state.progress(planned) == Progress::NotApplicable {
            return Err(Rejected::NotApplicable { step });
        }
        let sources = from.to_vec();
        Ok(vec![Happened::DraftSaved {
            step,
            fact,
            sources,
        }])
    }

    pub(super) fn skip(&self, step: &StepName) -> Decision {
        let planned = self.answerable(step)?;
        if !planned.is_optional() {
            return Err(Rejected::Required { step: step.clone() });
        }
        Ok(vec![Happened::StepSkipped { step: step.clone() }])
    }

    pub(super) fn revise(&self, step: &StepName, fact: FactMark) -> Decision {
        self.not_undoing()?;
        let planned = self.planned(step, Kind::Answer)?;
        match self.state.progress(planned) {
            Progress::Done | Progress::Skipped => {}
            Progress::Waived => return Err(Rejected::NothingToRevise { step: step.clone() }),
            Progress::NotApplicable => {
                return Err(Rejected::NotApplicable { step: step.clone() });
            }
            Progress::Open | Progress::Unjudged => {
                return Err(Rejected::NothingToRevise { step: step.clone() });
            }
        }
        let built = self.plan.built_on(step.as_str());
        let judged = built.iter().filter(|s| {
            let known = self.state.step(s.name().as_str());
            s.is_conditional() && known.is_some_and(|k| k.applies.is_some())
        });
        let rejudge: Vec<_> = judged.map(|s| s.name().clone()).collect();
        let undo = self.effects(|s| built.iter().any(|b| b.name() == s.name()));
        // A task that may be under way is overtaken when something before it is done again. Its
        // effect would be forgotten by then, so it is taken back as well.
        let overtaken = self.state.current(self.plan).filter(|current| {
            let mut steps = self.plan.steps().iter();
            let first = steps.find(|s| rejudge.contains(s.name()) || undo.contains(s.name()));
            first.is_some_and(|first| self.plan.is_before(first, current))
        });
        let steps = self.effects(|s| {
            undo.contains(s.name()) || overtaken.is_some_and(|o| o.name() == s.name())
        });
        if planned.is_immutable_once_used() && !steps.is_empty() {
            let (step, by) = (step.clone(), steps);
            return Err(Rejected::Immutable { step, by });
        }
        let mut happened = vec![Happened::AnswerRevised {
            step: step.clone(),
            fact,
            rejudge,
        }];
        if !steps.is_empty() {
            let reason = UndoReason::Revised { step: step.clone() };
            happened.push(Happened::UndoStarted { reason, steps });
        }
        Ok(happened)
    }

    /// A fact that somebody gives besides the subject.
    pub(super) fn given(&self, step: &StepName, kind: Kind, happened: Happened) -> Decision {
        self.planned(step, kind)?;
        let known = self.state.step(step.as_str());
        if known.is_some_and(|k| k.fact.is_some()) {
            // Webhooks are delivered more than once: the first one counts.
            return Ok(Vec::new());
        }
        self.not_erased()?;
        Ok(vec![happened])
    }

    /// Nobody may need what is never given.
    pub(super) fn waive(&self, step: &StepName, reason: &Reason) -> Decision {
        self.not_undoing()?;
        let planned = self.plan.step(step.as_str());
        let planned = planned.ok_or_else(|| Rejected::UnknownStep { step: step.clone() })?;
        let step = step.clone();
        match self.state.progress(planned) {
            Progress::Open => {}
            Progress::Unjudged => return Err(Rejected::NotReached { step }),
            Progress::NotApplicable => return Err(Rejected::NotApplicable { step }),
            Progress::Waived => return Ok(Vec::new()),
            Progress::Done | Progress::Skipped => return Err(Rejected::AlreadySettled { step }),
        }
        let needs = |s: &&PlanStep| s.reads().any(|need| need.step == step && !need.optional);
        let by = self.plan.steps().iter().filter(needs);
        let by: Vec<_> = by.map(|s| s.name().clone()).collect();
        if planned.kind() == Kind::Task || !by.is_empty() {
            return Err(Rejected::Needed { step, by });
        }
        let reason = reason.clone();
        Ok(vec![Happened::StepWaived { step, reason }])
    }

    pub(super) fn complete(&self, verified: bool) -> Decision {
        self.not_undoing()?;
        if self.state.parked().is_some() {
            return Err(Rejected::Parked);
        }
        let open = self
            .plan
            .steps()
            .iter()
            .filter(|step| !self.state.progress(step).is_settled());
        let steps: Vec<_> = open.map(|step| step.name().clone()).collect();
        if !steps.is_empty() {
            return Err(Rejected::Outstanding { steps });
        }
        let built = self.plan.steps().iter().any(|s| s.kind() == Kind::Task);
        if built && !verified {
            return Err(Rejected::Unverified);
        }
        Ok(vec![Happened::Completed])
    }

    pub(super) fn cancel(&self) -> Vec<Happened> {
        if self.state.stage() == StageKind::Pending {
            return vec![Happened::Failed {
                failure: Failure::from(Problem::CANCELLED),
                step: None,
                // What was imported exists, and nobody takes it back within this commit.
                remaining: self.effects(|step| {
                    let known = self.state.step(step.name().as_str());
                    known.is_some_and(|known| known.fact.is_some())
                }),
            }];
        }
        let undoing = self.state.undoing();
        if undoing.is_some_and(|u| u.reason.ends_in_failure()) {
            return Vec::new();
        }
        vec![Happened::UndoStarted {
            reason: UndoReason::Cancelled,
            steps: self.effects(|_| true),
        }]
    }

    pub(super) fn retry(&self) -> Decision {
        let remaining = self.remaining();
        if !remaining.is_empty() {
            return Err(Rejected::UndoRemains { remaining });
        }
        if !self.state.began_here() {
            // Its gates were never checked, and a retry must not be a way around them.
            return Err(Rejected::NeverStarted);
        }
        self.not_erased()?;
        Ok(vec![Happened::Retried])
    }

    /// The first time stays the first, also when it is told late or again.
    pub(super) fn login(&self) -> Decision {
        if self.state.first_login_at().is_some() {
            return Ok(Vec::new());
        }
        self.not_erased()?;
        Ok(vec![Happened::LoggedIn])
    }

    pub(super) fn not_erased(&self) -> Result<(), Rejected> {
        match self.state.erased_at() {
            Some(_) => Err(Rejected::Erased),
            None => Ok(()),
        }
    }

    pub(super) fn retry_undo(&self) -> Decision {
        let steps = self.remaining();
        let StageData::Failed(failed) = &self.state.stage else {
            return Err(Rejected::NothingRemains);
        };
        if steps.is_empty() {
            return Err(Rejected::NothingRemains);
        }
        let reason = match &failed.step {
            step if failed.failure == Failure::from(Problem::EXPIRED) => {
                let step = step.clone();
                UndoReason::Expired { step }
            }
            Some(step) => UndoReason::Failed {
                step: step.clone(),
                failure: failed.failure.clone(),
            },
            None => UndoReason::Cancelled,
        };
        Ok(vec![Happened::UndoStarted { reason, steps }])
    }

    /// Whoever is completed gets only what was added for everyone.
    pub(super) fn reopen(&self) -> Decision {
        self.not_erased()?;
        let for_all = |step: &&PlanStep| {
            let added = step.cohort() == Cohort::Everyone && step.added_in() > 1;
            let known = self.state.step(step.name().as_str());
            let settled =
                known.is_some_and(|k| k.fact.is_some() || k.skipped || k.waived || k.elapsed);
            added && !settled && known.is_none_or(|k| k.applies != Some(false))
        };
        let due = self.plan.steps().iter().filter(for_all);
        let due: Vec<_> = due.map(|step| step.name().clone()).collect();
        if due.is_empty() {
            return Err(Rejected::NothingNew);
        }
        Ok(vec![Happened::Reopened { due }])
    }
}
