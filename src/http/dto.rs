//! What goes over the wire: types of this room's own, so that nothing gets out that was not meant to.

mod from;
mod insight;
mod secrets;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::Kind;
use crate::lifecycle::{ObstacleKind, Phase, StageKind, WaitingFor};
use crate::status::{RequirementCode, Standing};

pub(super) use insight::{Funnel, StuckList};
#[cfg(feature = "vault")]
pub(super) use secrets::Encoding;
pub(super) use secrets::{KeptSecret, Offered, Revealed, Showing, Token};

/// An enum of another room, as it is written here. One that is added there does not compile here.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident of $theirs:path: $($variant:ident)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum $name {
            $($variant,)+
        }

        impl From<$theirs> for $name {
            fn from(theirs: $theirs) -> Self {
                use $theirs as Theirs;
                match theirs {
                    $(Theirs::$variant => Self::$variant,)+
                }
            }
        }
    };
}

mirror! {
    /// The stage.
    Stage of StageKind: Pending InProgress Completed Failed
}
mirror! {
    /// What an onboarding in progress is about.
    PhaseName of Phase: Advancing Waiting Undoing
}
mirror! {
    /// Who provides a step's fact.
    StepKind of Kind: Answer Evidence Approval Task Pause
}
mirror! {
    /// How a step stands.
    StepState of Standing: Pending InProgress Completed Skipped Failed Waiting NotApplicable Waived
}
mirror! {
    /// What is required.
    #[expect(clippy::enum_variant_names, reason = "its names in JSON end so")]
    Required of RequirementCode: AnswerRequired AnswerOptional EvidenceRequired ApprovalRequired
}
mirror! {
    /// For whom or what it waits.
    Whom of WaitingFor: Host Subject ThirdParty Operator Time Worker
}
mirror! {
    /// What kind of thing is outstanding.
    OutstandingKind of ObstacleKind: NotStarted TooManyStarts GateClosed Parked Open Later Retrying Undoing Unverified GivenUp NotTakenBack Erased
}

/// Where an onboarding is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Status {
    /// Its identity.
    pub(super) onboarding: String,
    /// The tenant.
    pub(super) tenant: String,
    /// The flow.
    pub(super) flow: String,
    /// Who is being onboarded.
    pub(super) subject: String,
    /// The version of the flow that it goes on under.
    pub(super) flow_version: u32,
    /// How many changes it has seen; the `ETag`.
    pub(super) revision: u64,
    /// Whether it is not completed. Says nothing of who may pass.
    pub(super) needs_onboarding: bool,
    /// Whether the subject does not want to be asked for now.
    pub(super) dismissed: bool,
    /// The stage.
    pub(super) stage: Stage,
    /// What it is about, while it is in progress.
    pub(super) phase: Option<PhaseName>,
    /// How much of the longest path is settled.
    pub(super) percent: u8,
    /// The first step that is not settled.
    pub(super) current_step: Option<String>,
    /// The steps whose fact is there, in the flow's order.
    pub(super) completed_steps: Vec<String>,
    /// Every step, in the flow's order.
    pub(super) steps: Vec<Step>,
    /// What people still have to give.
    pub(super) requirements: Requirements,
    /// What is to be done next.
    pub(super) next_action: NextAction,
    /// Why it was given up, or is being given up.
    pub(super) failure: Option<FailureText>,
    /// The secrets that the subject may see; left out when there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) secrets: Vec<KeptSecret>,
    /// When what happened first.
    pub(super) times: Times,
}

/// A step, as it stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Step {
    /// Its name in addresses, which never changes.
    pub(super) key: String,
    /// The name that people know it by.
    pub(super) title: String,
    /// Who provides its fact.
    pub(super) kind: StepKind,
    /// How it stands.
    pub(super) state: StepState,
    /// Why the last attempt at it failed.
    pub(super) failure: Option<FailureText>,
}

/// Why something failed, in words for people.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct FailureText {
    /// The permanent code.
    pub(super) code: String,
    /// What people are told.
    pub(super) message: String,
}

/// What people still have to give, in buckets.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Requirements {
    /// The subject's turn.
    pub(super) due_now: Vec<Requirement>,
    /// The deadline is over.
    pub(super) past_due: Vec<Requirement>,
    /// Its turn will come, or may.
    pub(super) due_later: Vec<Requirement>,
    /// The turn of a third party or an operator.
    pub(super) waiting: Vec<Requirement>,
    /// May be skipped.
    pub(super) optional: Vec<Requirement>,
}

/// One thing that somebody still has to give.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Requirement {
    /// The step.
    pub(super) step: String,
    /// What is required.
    pub(super) code: Required,
    /// By when, where that is known.
    pub(super) deadline: Option<DateTime<Utc>>,
}

/// What is to be done next. Never an address: only the host knows its pages.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(super) enum NextAction {
    /// Enrol.
    Enroll,
    /// Start.
    Start,
    /// Ask the subject.
    Answer {
        /// For this step.
        step: String,
        /// Whether it may be skipped.
        optional: bool,
    },
    /// Wait.
    Wait {
        /// For whom or what.
        on: Whom,
        /// The step that waits.
        step: Option<String>,
        /// Until when, where that is known.
        until: Option<DateTime<Utc>>,
    },
    /// Ask for completion.
    Complete,
    /// It was given up: it can be tried again.
    Retry,
    /// An operator has to look at it.
    Escalate,
    /// Nothing can be done any more.
    Nothing,
    /// It is completed: let the subject on.
    Proceed,
}

/// When what happened first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Times {
    /// It was created.
    pub(super) first_seen: DateTime<Utc>,
    /// The subject signed in.
    pub(super) first_login: Option<DateTime<Utc>>,
    /// It was started.
    pub(super) started: Option<DateTime<Utc>>,
    /// It was completed.
    pub(super) completed: Option<DateTime<Utc>>,
}

/// One thing that stands between an onboarding and its completion.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Outstanding {
    /// What kind of thing it is.
    pub(super) kind: OutstandingKind,
    /// The step, if it is about one.
    pub(super) step: Option<String>,
    /// Who can do something about it.
    pub(super) on: Whom,
    /// Since when it is waited for.
    pub(super) since: Option<DateTime<Utc>>,
    /// Until when it is waited for.
    pub(super) until: Option<DateTime<Utc>>,
    /// What went wrong.
    pub(super) failure: Option<FailureText>,
}

/// A prerequisite that does not hold.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ClosedGate {
    /// Its name.
    pub(super) gate: String,
    /// The permanent code of why.
    pub(super) code: String,
    /// What people are told.
    pub(super) message: String,
}

/// What is filled in of a form, before it is submitted; or what was answered, to revise it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Form {
    /// The step.
    pub(super) step: String,
    /// What the draft is on top of: send it back as `If-Match`.
    pub(super) revision: u64,
    /// Whether it was submitted: then the fields are those of the answer.
    pub(super) answered: bool,
    /// What is filled in, by the names of the fields.
    pub(super) fields: std::collections::BTreeMap<String, Field>,
    /// Sources that could not be asked what they know.
    pub(super) unavailable: Vec<String>,
}

/// A field that is filled in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Field {
    /// What it says.
    pub(super) value: serde_json::Value,
    /// The source it was filled in from, and nobody has changed since; none when the subject gave it.
    pub(super) from: Option<String>,
}

/// How far a task under way is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Working {
    /// Its step.
    pub(super) step: String,
    /// Which attempt it is.
    pub(super) attempt: u32,
    /// So many parts are done.
    pub(super) done: u32,
    /// Of so many.
    pub(super) of: u32,
    /// What people are told.
    pub(super) message: String,
}
