//! Why the rules said no.

use crate::flow::Kind;
use crate::id::{Actor, FlowName, OnboardingId, SecretName, StepName};
use crate::lifecycle::stage::{Operation, StageKind};

/// The rules said no, and why. Nothing has happened.
///
/// ```
/// use onramp::lifecycle::{Operation, Rejected, StageKind};
/// let no = Rejected::WrongStage { operation: Operation::Retry, stage: StageKind::Pending };
/// assert_eq!(no.to_string(), "retry is not legal while pending: it is in failed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message says what each is")]
pub enum Rejected {
    #[error("{} is not legal while {stage}: it is in {}", operation.as_str(), list(operation.stages()))]
    WrongStage {
        operation: Operation,
        stage: StageKind,
    },
    #[error("{} is not open to the actor {actor}", operation.as_str())]
    WrongActor { operation: Operation, actor: Actor },
    #[error("the onboarding is in flow {found}, not in {expected}")]
    WrongFlow { expected: FlowName, found: FlowName },
    #[error("the flow has no step {step}")]
    UnknownStep { step: StepName },
    #[error("step {step} yields {}, not {}", found.as_str(), expected.as_str())]
    WrongKind {
        step: StepName,
        expected: Kind,
        found: Kind,
    },
    #[error("step {step} is settled already: revise it to change it")]
    AlreadySettled { step: StepName },
    #[error("step {step} has no answer yet: submit one")]
    NothingToRevise { step: StepName },
    #[error("step {step} is not reached yet")]
    NotReached { step: StepName },
    #[error("step {step} does not apply to this subject")]
    NotApplicable { step: StepName },
    #[error("step {step} is required and cannot be skipped")]
    Required { step: StepName },
    #[error("step {step} cannot be waived{}", needed_by(by))]
    Needed { step: StepName, by: Vec<StepName> },
    #[error(
        "step {step} cannot be revised any more: {} was built on it",
        names(by)
    )]
    Immutable { step: StepName, by: Vec<StepName> },
    #[error("the flow has no step that is new for everyone and not settled here")]
    NothingNew,
    #[error("it is not time for that")]
    NotDue,
    #[error("step {step} is not conditional")]
    Unconditional { step: StepName },
    #[error("not complete yet: {}", names(steps))]
    Outstanding { steps: Vec<StepName> },
    #[error("not complete yet: what was built is still to be verified by a worker")]
    Unverified,
    #[error("effects are being taken back: try again when that is done")]
    Undoing,
    #[error("an operator has parked it: it goes on when it is unparked")]
    Parked,
    #[error("nothing is being taken back")]
    NotUndoing,
    #[error(
        "some effects could not be taken back ({}): retry the undo first",
        names(remaining)
    )]
    UndoRemains { remaining: Vec<StepName> },
    #[error("it was given up before it was started, so no gate was checked: it cannot be retried")]
    NeverStarted,
    #[error("the times do not fit: {problem}")]
    ImpossibleTimes { problem: &'static str },
    #[error("its facts were erased: it stays as it is")]
    Erased,
    #[error("every effect was taken back: nothing is left to undo")]
    NothingRemains,
    #[error("no secret {name} is kept")]
    NoSecret { name: SecretName },
    #[error("{max} secrets are kept already: burn one first")]
    TooManySecrets { max: usize },
    #[error("a secret is shown when the onboarding is completed: it is {stage}")]
    TooEarlyToShow { stage: StageKind },
    #[error(
        "the secret was offered before: let the person prove again who they are, or replace it"
    )]
    ProofNeeded,
    #[error("the proof is not of the last five minutes: ask for it again")]
    StaleProof,
    #[error("the proof is for the onboarding {proven}, not for this one")]
    ForeignProof { proven: OnboardingId },
    #[error("the token would end before it begins: give it a longer time")]
    NoTimeToShow,
    #[error("the secret is not offered")]
    NotOffered,
    #[error("the token's time is over: offer the secret again, with a proof")]
    RevealExpired,
    #[error("the token was used: offer the secret again, with a proof")]
    RevealUsed,
    #[error("too many wrong tokens were tried: offer the secret again, with a proof")]
    RevealBurnt,
    #[error("the clearance is for the onboarding {cleared}, not for this one")]
    ForeignClearance { cleared: OnboardingId },
    #[error("the gates were checked more than five minutes ago: clear again")]
    StaleClearance,
}

fn list(stages: &[StageKind]) -> String {
    let names: Vec<_> = stages.iter().map(|stage| stage.as_str()).collect();
    names.join(", ")
}

fn needed_by(steps: &[StepName]) -> String {
    match steps {
        [] => ": it is a task".to_owned(),
        steps => format!(": {} cannot do without", names(steps)),
    }
}

fn names(steps: &[StepName]) -> String {
    let names: Vec<_> = steps.iter().map(StepName::as_str).collect();
    names.join(", ")
}
