//! What is known inside, as it goes over the wire.

use super::{
    ClosedGate, FailureText, Field, NextAction, Outstanding, Requirement, Requirements, Status,
    Step, Times, Working,
};
use crate::flow::{DraftField, Failure, GateClosed};
use crate::lifecycle::Obstacle;
use crate::status;
use crate::store::StepProgress;

impl From<status::Status> for Status {
    fn from(status: status::Status) -> Self {
        let names =
            |names: Vec<crate::id::StepName>| names.iter().map(ToString::to_string).collect();
        Self {
            onboarding: status.onboarding.to_string(),
            tenant: status.tenant.into(),
            flow: status.flow.to_string(),
            subject: status.subject.into(),
            flow_version: status.flow_version,
            revision: status.revision.get(),
            needs_onboarding: status.needs_onboarding,
            dismissed: status.dismissed,
            stage: status.stage.into(),
            phase: status.phase.map(Into::into),
            percent: status.percent,
            current_step: status.current_step.map(|step| step.to_string()),
            completed_steps: names(status.completed_steps),
            steps: status.steps.into_iter().map(Into::into).collect(),
            requirements: status.requirements.into(),
            next_action: status.next_action.into(),
            failure: status.failure.as_ref().map(Into::into),
            secrets: Vec::new(),
            times: Times {
                first_seen: status.times.first_seen,
                first_login: status.times.first_login,
                started: status.times.started,
                completed: status.times.completed,
            },
        }
    }
}

impl From<status::StepStatus> for Step {
    fn from(step: status::StepStatus) -> Self {
        Self {
            key: step.key.to_string(),
            title: step.title.to_string(),
            kind: step.kind.into(),
            state: step.state.into(),
            failure: step.failure.as_ref().map(Into::into),
        }
    }
}

impl From<&Failure> for FailureText {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code().to_owned(),
            message: failure.message().to_owned(),
        }
    }
}

impl From<status::Requirements> for Requirements {
    fn from(all: status::Requirements) -> Self {
        let list = |list: Vec<status::Requirement>| list.into_iter().map(Into::into).collect();
        Self {
            due_now: list(all.due_now),
            past_due: list(all.past_due),
            due_later: list(all.due_later),
            waiting: list(all.waiting),
            optional: list(all.optional),
        }
    }
}

impl From<status::Requirement> for Requirement {
    fn from(requirement: status::Requirement) -> Self {
        Self {
            step: requirement.step.to_string(),
            code: requirement.code.into(),
            deadline: requirement.deadline,
        }
    }
}

impl From<status::NextAction> for NextAction {
    fn from(next: status::NextAction) -> Self {
        use status::NextAction as Theirs;
        match next {
            Theirs::Enroll => Self::Enroll,
            Theirs::Start => Self::Start,
            Theirs::Answer { step, optional } => {
                let step = step.to_string();
                Self::Answer { step, optional }
            }
            Theirs::Wait { on, step, until } => Self::Wait {
                on: on.into(),
                step: step.map(|step| step.to_string()),
                until,
            },
            Theirs::Complete => Self::Complete,
            Theirs::Retry => Self::Retry,
            Theirs::Escalate => Self::Escalate,
            Theirs::Nothing => Self::Nothing,
            Theirs::Proceed => Self::Proceed,
        }
    }
}

impl From<&Obstacle> for Outstanding {
    fn from(obstacle: &Obstacle) -> Self {
        Self {
            kind: obstacle.kind.into(),
            step: obstacle.step.as_ref().map(ToString::to_string),
            on: obstacle.on.into(),
            since: obstacle.since,
            until: obstacle.until,
            failure: obstacle.failure.as_ref().map(Into::into),
        }
    }
}

impl ClosedGate {
    pub(in crate::http) fn of(gate: &str, closed: &GateClosed) -> Self {
        let problem = closed.problem();
        Self {
            gate: gate.to_owned(),
            code: problem.code().to_owned(),
            message: problem.message().to_owned(),
        }
    }
}

impl From<&DraftField> for Field {
    fn from(field: &DraftField) -> Self {
        Self {
            value: field.value().clone(),
            from: field.source().map(ToString::to_string),
        }
    }
}

impl From<StepProgress> for Working {
    fn from(progress: StepProgress) -> Self {
        Self {
            step: progress.step.to_string(),
            attempt: progress.attempt,
            done: progress.done,
            of: progress.of,
            message: progress.message,
        }
    }
}
