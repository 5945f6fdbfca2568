//! What the rules, the commit and the store refuse, as problems. The one place that says which.

use std::time::Duration;

use crate::flow::{FactError, Flow, NotCleared, Unstorable};
use crate::http::authorize::Denied;
use crate::http::call::malformed;
use crate::http::catalogue::Code;
use crate::http::dto::ClosedGate;
use crate::http::problem::Problem;
use crate::id::StepName;
use crate::lifecycle::{InvalidFact, Rejected, Stage};
use crate::onramp::{NotBegun, NotDone};
use crate::store::{CommitError, Error, ErrorKind, NotAppliedBecause};

impl From<Rejected> for Problem {
    fn from(no: Rejected) -> Self {
        let of = |code: Code, step: &StepName| Self::new(code).with("step", step);
        match &no {
            Rejected::WrongStage { stage, .. } => {
                Self::new(Code::WrongStage).with("stage", stage.as_str().replace('_', " "))
            }
            Rejected::WrongActor { .. } => Code::NotYours.into(),
            Rejected::WrongFlow { .. } => Code::NotFound.into(),
            Rejected::UnknownStep { .. } => Code::StepNotFound.into(),
            // Evidence and approvals are others' to give, and what tasks yield is nobody's.
            Rejected::WrongKind { .. } => Code::NotYours.into(),
            Rejected::AlreadySettled { step } => of(Code::AlreadySettled, step),
            Rejected::NothingToRevise { step } => of(Code::NothingToRevise, step),
            Rejected::NotReached { step } => of(Code::NotReached, step),
            Rejected::NotApplicable { step } => of(Code::NotApplicable, step),
            Rejected::Required { step } => of(Code::StepRequired, step),
            Rejected::Needed { step, .. } => of(Code::StepNeeded, step),
            Rejected::Immutable { step, .. } => of(Code::Immutable, step),
            Rejected::NothingNew => Code::NothingNew.into(),
            Rejected::NotDue => Code::NotDue.into(),
            Rejected::Outstanding { .. } => Code::Outstanding.into(),
            Rejected::Unverified => Code::Unverified.into(),
            Rejected::Undoing => Code::Undoing.into(),
            Rejected::Parked => Code::Parked.into(),
            Rejected::NotUndoing => Code::NotUndoing.into(),
            Rejected::UndoRemains { .. } => Code::UndoRemains.into(),
            Rejected::NeverStarted => Code::NeverStarted.into(),
            Rejected::Erased => Code::Erased.into(),
            Rejected::NothingRemains => Code::NothingRemains.into(),
            Rejected::NoSecret { .. } => Code::NotFound.into(),
            Rejected::TooEarlyToShow { .. } => Code::TooEarlyToShow.into(),
            Rejected::NotOffered => Code::NotOffered.into(),
            Rejected::ProofNeeded | Rejected::StaleProof => Code::ProofNeeded.into(),
            Rejected::RevealExpired => Code::RevealExpired.into(),
            Rejected::RevealUsed => Code::RevealUsed.into(),
            Rejected::RevealBurnt => Code::RevealBurnt.into(),
            // The gates are checked with every start, so it was only slow.
            Rejected::StaleClearance => Code::MovedOn.into(),
            Rejected::ForeignClearance { .. }
            | Rejected::Unconditional { .. }
            | Rejected::TooManySecrets { .. }
            | Rejected::ImpossibleTimes { .. }
            | Rejected::ForeignProof { .. }
            | Rejected::NoTimeToShow => Self::new(Code::Internal).because(no),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated => Code::Unauthenticated.into(),
            Denied::Forbidden => Code::Forbidden.into(),
            Denied::Unknown(cause) => Self::new(Code::Unavailable).because(cause),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = match error.kind() {
            ErrorKind::Unavailable => Self::new(Code::Unavailable),
            ErrorKind::InDoubt => Self::new(Code::InDoubt),
            // A newer or older program is about to take over.
            ErrorKind::Schema => Self::new(Code::Unavailable).retry_after(60),
            ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Config => {
                Self::new(Code::Internal)
            }
        };
        problem.because(error)
    }
}

impl From<NotAppliedBecause> for Problem {
    fn from(because: NotAppliedBecause) -> Self {
        match because {
            NotAppliedBecause::Rejected(no) => no.into(),
            NotAppliedBecause::Invalid(InvalidFact::Answer(invalid)) => Self::invalid(&invalid),
            NotAppliedBecause::Invalid(InvalidFact::Encoding(error)) => unstorable(error),
            NotAppliedBecause::IdentityReused => Code::IdempotencyKeyReused.into(),
            NotAppliedBecause::Taken { step } => Self::new(Code::Taken).with("step", &step),
            NotAppliedBecause::TooManyStarts { retry_after } => too_many_starts(retry_after),
            NotAppliedBecause::Store(error) => error.into(),
        }
    }
}

/// Only where nothing is tried again.
impl<F: Flow, S: Stage> From<CommitError<F, S>> for Problem {
    fn from(error: CommitError<F, S>) -> Self {
        match error {
            CommitError::NotApplied(not) => not.because.into(),
            CommitError::Conflict(_) => Code::MovedOn.into(),
            CommitError::Unknown(unknown) => Self::new(Code::InDoubt).because(unknown.cause),
        }
    }
}

impl From<crate::flow::Unread> for Problem {
    fn from(unread: crate::flow::Unread) -> Self {
        use crate::flow::Unread;
        match unread {
            Unread::NotJson { line, column } => malformed(line, column),
            Unread::Invalid(invalid) => Self::invalid(&invalid),
            Unread::Unstorable(error) => unstorable(error),
        }
    }
}

impl From<NotCleared> for Problem {
    fn from(not: NotCleared) -> Self {
        let gates = not.closed().map(|(gate, why)| ClosedGate::of(gate, why));
        let problem = Self::new(Code::GatesClosed).gates(gates.collect());
        let details = not
            .closed()
            .map(|(gate, why)| format!("{gate}: {}", why.detail()));
        problem.because(details.collect::<Vec<_>>().join("; "))
    }
}

/// In whole seconds, and never sooner than it helps.
fn too_many_starts(wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
    Problem::new(Code::TooManyStarts)
        .with("seconds", seconds)
        .retry_after(seconds)
}

impl From<NotBegun> for Problem {
    fn from(not: NotBegun) -> Self {
        match not {
            NotBegun::NotCleared(closed) => closed.into(),
            NotBegun::NotApplied(because) => because.into(),
            NotBegun::Store(error) => error.into(),
        }
    }
}

impl From<NotDone> for Problem {
    fn from(not: NotDone) -> Self {
        match not {
            NotDone::Absent => Code::NotFound.into(),
            NotDone::Rejected(no) => no.into(),
            NotDone::Stale { .. } => Code::Stale.into(),
            NotDone::IdentityReused => Code::IdempotencyKeyReused.into(),
            NotDone::Store(error) => error.into(),
        }
    }
}

/// What was sent, and cannot be kept.
fn unstorable(error: FactError) -> Problem {
    match error.unstorable() {
        Some(Unstorable::TooLarge { limit, .. }) => {
            Problem::new(Code::TooLarge).with("limit", limit)
        }
        Some(Unstorable::TooDeep { limit, .. }) => Problem::new(Code::TooDeep).with("limit", limit),
        Some(Unstorable::Nul | Unstorable::HalfCharacter) => Code::Unstorable.into(),
        None => Problem::new(Code::Internal).because(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Kind;
    use crate::id::{Actor, FlowName, OnboardingId, SecretName};
    use crate::lifecycle::{Operation, StageKind};
    use crate::store::Error;

    fn step() -> StepName {
        StepName::from_static("company")
    }

    fn every_refusal() -> Vec<Rejected> {
        let (operation, stage) = (Operation::Submit, StageKind::InProgress);
        let (by, remaining, steps) = (vec![step()], vec![step()], vec![step()]);
        let flow = FlowName::from_static("workspace");
        let (expected, found) = (Kind::Answer, Kind::Evidence);
        let actor = Actor::Subject;
        let name = SecretName::from_static("api_key");
        vec![
            Rejected::WrongStage { operation, stage },
            Rejected::WrongActor { operation, actor },
            Rejected::WrongFlow {
                expected: flow.clone(),
                found: flow,
            },
            Rejected::UnknownStep { step: step() },
            Rejected::WrongKind {
                step: step(),
                expected,
                found,
            },
            Rejected::AlreadySettled { step: step() },
            Rejected::NothingToRevise { step: step() },
            Rejected::NotReached { step: step() },
            Rejected::NotApplicable { step: step() },
            Rejected::Required { step: step() },
            Rejected::Needed {
                step: step(),
                by: by.clone(),
            },
            Rejected::Immutable { step: step(), by },
            Rejected::NothingNew,
            Rejected::NotDue,
            Rejected::Unconditional { step: step() },
            Rejected::Outstanding { steps },
            Rejected::Unverified,
            Rejected::Undoing,
            Rejected::Parked,
            Rejected::NotUndoing,
            Rejected::UndoRemains { remaining },
            Rejected::NeverStarted,
            Rejected::Erased,
            Rejected::NothingRemains,
            Rejected::ForeignClearance {
                cleared: OnboardingId::fresh(),
            },
            Rejected::StaleClearance,
            Rejected::NoSecret { name },
            Rejected::TooEarlyToShow { stage },
            Rejected::NotOffered,
            Rejected::ProofNeeded,
            Rejected::StaleProof,
            Rejected::RevealExpired,
            Rejected::RevealUsed,
            Rejected::RevealBurnt,
            Rejected::NoTimeToShow,
        ]
    }

    #[test]
    fn every_refusal_has_a_code_with_all_of_its_arguments() {
        for no in every_refusal() {
            let text = no.to_string();
            let problem = Problem::from(no);
            let given: Vec<_> = problem.0.arguments.iter().map(|(name, _)| *name).collect();
            for wanted in problem.code().arguments() {
                assert!(given.contains(&wanted), "{text}: {wanted} is not said");
            }
        }
    }

    #[test]
    fn what_the_store_says_is_for_logs() {
        for kind in [
            ErrorKind::Unavailable,
            ErrorKind::InDoubt,
            ErrorKind::Corrupt,
            ErrorKind::Schema,
            ErrorKind::Invalid,
            ErrorKind::Config,
        ] {
            let problem = Problem::from(Error::new(kind, "canary"));
            assert!(problem.code().status() >= 500, "{kind:?}");
            assert!(problem.0.arguments.is_empty(), "{kind:?}");
            assert!(problem.0.cause.is_some(), "{kind:?}");
        }
    }
}
