//! What happened. Events hold names, digests and fixed texts, never an answer.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::Failure;
use crate::id::{Key, OnboardingId, Reason, SecretName, SourceName, StepName};
use crate::lifecycle::digest::FactMark;
use crate::lifecycle::import::Past;
use crate::lifecycle::stage::UndoReason;

/// Something that happened to an onboarding, and when.
///
/// ```
/// use onramp::lifecycle::{Event, Happened};
/// use onramp::{Clock, SystemClock};
/// let event = Event { at: SystemClock.now(), happened: Happened::StepSkipped { step: "branding".into() } };
/// assert!(serde_json::to_string(&event)?.contains("\"event\":\"step_skipped\""));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub happened: Happened,
}

/// What happened.
///
/// ```
/// use onramp::lifecycle::Happened;
/// assert_eq!(Happened::Started.name(), "started");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields say what their names say")]
pub enum Happened {
    /// The onboarding exists.
    Created {
        id: OnboardingId,
        #[serde(flatten)]
        key: Key,
        flow_version: u32,
        fingerprint: Uuid,
    },
    /// The gates were open, and it began.
    Started,
    /// The subject gave an answer.
    AnswerSubmitted { step: StepName, fact: FactMark },
    /// The subject changed an answer; conditions that read it are judged again.
    AnswerRevised {
        step: StepName,
        fact: FactMark,
        rejudge: Vec<StepName>,
    },
    /// What is filled in so far was saved; gone with the answer.
    DraftSaved {
        step: StepName,
        fact: FactMark,
        /// Where what nobody has changed since came from.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sources: Vec<SourceName>,
    },
    /// The subject passed an optional step by, or let its time run out.
    StepSkipped { step: StepName },
    /// An operator exempted the subject from a step.
    StepWaived { step: StepName, reason: Reason },
    /// The subject does not want to be asked for now. Nothing is settled by that.
    Dismissed,
    /// An operator stopped it: workers do nothing until it is unparked.
    Parked { reason: Reason },
    /// An operator lets it go on.
    Unparked,
    /// The subject signed in for the first time.
    LoggedIn,
    /// It was taken over from another system, with what that knew. No gate was checked for it, and no
    /// rule has decided that it is complete.
    Imported {
        source: SourceName,
        #[serde(flatten)]
        past: Past,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        facts: BTreeMap<StepName, FactMark>,
    },
    /// The host attested evidence.
    EvidenceAttested { step: StepName, fact: FactMark },
    /// An operator approved.
    Approved { step: StepName, fact: FactMark },
    /// A step for which the time matters begins to wait.
    WaitBegan { step: StepName },
    /// Somebody who is waited for is reminded.
    Reminded { step: StepName, nth: u32 },
    /// A pause is over.
    PauseElapsed { step: StepName },
    /// A conditional step was judged.
    ConditionJudged { step: StepName, applies: bool },
    /// A task produced its fact.
    FactRecorded {
        step: StepName,
        attempt: u32,
        fact: FactMark,
    },
    /// An attempt at a task failed.
    AttemptFailed {
        step: StepName,
        attempt: u32,
        failure: Failure,
        retry_at: Option<DateTime<Utc>>,
    },
    /// A verification found an effect gone.
    DriftFound { step: StepName, failure: Failure },
    /// Effects are being taken back, in this order.
    UndoStarted {
        reason: UndoReason,
        steps: Vec<StepName>,
    },
    /// An effect was taken back; its fact is gone.
    StepUndone { step: StepName, attempt: u32 },
    /// An attempt at taking an effect back failed.
    UndoAttemptFailed {
        step: StepName,
        attempt: u32,
        failure: Failure,
        retry_at: Option<DateTime<Utc>>,
    },
    /// Everything was taken back; it goes on.
    UndoFinished,
    /// Every step is settled and verified.
    Completed,
    /// It goes on for steps that a newer version of the flow has added.
    Reopened { due: Vec<StepName> },
    /// It goes on under another version of the flow.
    FlowAdopted {
        flow_version: u32,
        fingerprint: Uuid,
    },
    /// Given up.
    Failed {
        failure: Failure,
        step: Option<StepName>,
        remaining: Vec<StepName>,
    },
    /// It goes on after a failure.
    Retried,
    /// A secret is kept, sealed, in place of an older one of the name.
    SecretKept { name: SecretName, fact: FactMark },
    /// The same secret is under another key.
    SecretRewrapped { name: SecretName, fact: FactMark },
    /// A secret is gone for good.
    SecretBurnt { name: SecretName },
    /// A token was given out that shows a secret once.
    RevealOffered {
        name: SecretName,
        /// What proves the token.
        token: FactMark,
        until: DateTime<Utc>,
        /// When the person proved again who they are, if they had to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proven_at: Option<DateTime<Utc>>,
    },
    /// A wrong token was tried; so often by now.
    RevealRefused { name: SecretName, wrong: u32 },
    /// The token serves no more: too many wrong ones were tried.
    RevealBurnt { name: SecretName },
    /// The secret was shown. The token serves no more.
    Revealed { name: SecretName },
    /// The facts of these steps are gone, and their salts: nobody can tell any more what they were.
    FactsErased { steps: Vec<StepName> },
}

impl Happened {
    /// The stable name of the event, as it is stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Started => "started",
            Self::AnswerSubmitted { .. } => "answer_submitted",
            Self::AnswerRevised { .. } => "answer_revised",
            Self::DraftSaved { .. } => "draft_saved",
            Self::StepSkipped { .. } => "step_skipped",
            Self::EvidenceAttested { .. } => "evidence_attested",
            Self::StepWaived { .. } => "step_waived",
            Self::Dismissed => "dismissed",
            Self::Parked { .. } => "parked",
            Self::Unparked => "unparked",
            Self::LoggedIn => "logged_in",
            Self::Imported { .. } => "imported",
            Self::Approved { .. } => "approved",
            Self::WaitBegan { .. } => "wait_began",
            Self::Reminded { .. } => "reminded",
            Self::PauseElapsed { .. } => "pause_elapsed",
            Self::ConditionJudged { .. } => "condition_judged",
            Self::FactRecorded { .. } => "fact_recorded",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::DriftFound { .. } => "drift_found",
            Self::UndoStarted { .. } => "undo_started",
            Self::StepUndone { .. } => "step_undone",
            Self::UndoAttemptFailed { .. } => "undo_attempt_failed",
            Self::UndoFinished => "undo_finished",
            Self::Completed => "completed",
            Self::Reopened { .. } => "reopened",
            Self::FlowAdopted { .. } => "flow_adopted",
            Self::Failed { .. } => "failed",
            Self::Retried => "retried",
            Self::SecretKept { .. } => "secret_kept",
            Self::SecretRewrapped { .. } => "secret_rewrapped",
            Self::SecretBurnt { .. } => "secret_burnt",
            Self::RevealOffered { .. } => "reveal_offered",
            Self::RevealRefused { .. } => "reveal_refused",
            Self::RevealBurnt { .. } => "reveal_burnt",
            Self::Revealed { .. } => "revealed",
            Self::FactsErased { .. } => "facts_erased",
        }
    }
}
