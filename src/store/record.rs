//! What goes into a store and comes out of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::EncodedFact;
use crate::id::{
    Actor, CommandId, Fence, FlowName, Key, OnboardingId, Revision, StepName, TenantId,
};
use crate::lifecycle::{Digest, Event, StageKind, State};
use crate::store::chain::Salt;

/// The stored row of an onboarding: its state, and the head of its journal's hash chain.
///
/// ```
/// # use onramp::store::Row;
/// fn is_newer(a: &Row, b: &Row) -> bool {
///     a.state.revision() > b.state.revision()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the rules know of it. [`State::revision`] is what a commit is compared against.
    pub state: State,
    /// The hash of the newest journal entry.
    pub head: Digest,
}

/// A new onboarding, to be created unless one exists for its key.
///
/// ```
/// # use onramp::store::{NewOnboarding, verify};
/// fn is_whole(new: &NewOnboarding) -> bool {
///     verify([&new.entry]) == Ok(new.row.head)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct NewOnboarding {
    /// The row at revision 1.
    pub row: Row,
    /// The journal's first entry.
    pub entry: JournalEntry,
    /// Messages to be delivered because of it: of one that starts as it is created.
    pub outbox: Vec<OutboxMessage>,
    /// When a worker is to look at it, from now; none while it waits for the host or the subject.
    pub due: Option<Duration>,
}

impl NewOnboarding {
    /// What becomes of the queue.
    pub(crate) fn queue(&self) -> QueueChange {
        self.due.map_or(QueueChange::Keep, QueueChange::Wake)
    }
}

/// What a creation gave.
///
/// ```
/// # use onramp::store::Created;
/// fn say(created: &Created) -> &'static str {
///     if created.fresh { "welcome" } else { "welcome back" }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Created {
    /// The row, new or old.
    pub row: Row,
    /// Whether this call created it.
    pub fresh: bool,
}

/// Everything that one command changes; stored together or not at all.
///
/// ```
/// # use onramp::store::Commit;
/// fn follows(commit: &Commit) -> bool {
///     commit.row.state.revision() == commit.expected.next()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Commit {
    /// The revision that it was decided on; stored only on top of exactly this one.
    pub expected: Revision,
    /// The claim under which a worker writes; none when a host does.
    pub fence: Option<Fence>,
    /// The row at the revision after `expected`.
    pub row: Row,
    /// What becomes of facts.
    pub facts: Vec<FactChange>,
    /// What becomes of reservations, in this order. Mostly nothing.
    pub reservations: Vec<ReservationChange>,
    /// The journal entry of that revision. Its command is the commit's identity.
    pub entry: JournalEntry,
    /// Messages to be delivered because of it.
    pub outbox: Vec<OutboxMessage>,
    /// What becomes of the queue entry.
    pub queue: QueueChange,
}

impl Commit {
    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.row.state.key().tenant
    }

    /// The onboarding.
    #[must_use]
    pub fn id(&self) -> OnboardingId {
        self.row.state.id()
    }

    /// The commit's identity.
    #[must_use]
    pub fn command(&self) -> CommandId {
        self.entry.command
    }

    /// The second of two steps that reserve the same: to it, it is taken, whoever has it so far.
    #[must_use]
    pub fn reserved_twice(&self) -> Option<&StepName> {
        let mut first = BTreeMap::new();
        self.reservations.iter().find_map(|change| match change {
            ReservationChange::Take { step, held } => {
                (*first.entry(held.as_bytes()).or_insert(step) != step).then_some(step)
            }
            ReservationChange::Release { .. } => None,
        })
    }
}

/// An onboarding in a list: what a store knows of it without reading its state.
///
/// ```
/// # use onramp::lifecycle::StageKind;
/// # use onramp::store::Listed;
/// fn is_over(listed: &Listed) -> bool {
///     matches!(listed.stage, StageKind::Completed | StageKind::Failed)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The onboarding.
    pub id: OnboardingId,
    /// What it is found by.
    pub key: Key,
    /// The newest revision.
    pub revision: Revision,
    /// The stage it is in.
    pub stage: StageKind,
    /// When the newest revision was made.
    pub changed_at: DateTime<Utc>,
}

/// How far an attempt under way is, as its task has said last.
///
/// ```
/// # use onramp::store::StepProgress;
/// fn say(progress: &StepProgress) -> String {
///     format!("{}: {} ({} of {})", progress.step, progress.message, progress.done, progress.of)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepProgress {
    /// The step.
    pub step: StepName,
    /// The attempt at it.
    pub attempt: u32,
    /// So many parts are done.
    pub done: u32,
    /// Of so many.
    pub of: u32,
    /// What people are told.
    pub message: String,
}

impl StepProgress {
    /// How far an attempt is.
    #[must_use]
    pub fn new(step: StepName, attempt: u32, done: u32, of: u32, message: &'static str) -> Self {
        Self {
            step,
            attempt,
            done,
            of,
            message: message.to_owned(),
        }
    }
}

/// What became of a commit.
///
/// ```
/// # use onramp::store::CommitOutcome;
/// fn is_stored(outcome: &CommitOutcome) -> bool {
///     matches!(outcome, CommitOutcome::Committed | CommitOutcome::Replayed { .. })
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is stored.
    Committed,
    /// The same command was committed before; nothing is stored again.
    Replayed {
        /// The revision it made then.
        revision: Revision,
        /// The row as it is now.
        current: Box<Row>,
    },
    /// Someone else moved the onboarding on; nothing is stored.
    Conflict {
        /// The row as it is now: at least as new as what was in the way.
        current: Box<Row>,
    },
    /// The lease was lost; nothing is stored.
    Fenced,
    /// Another onboarding, or another step of this one, has what is to be reserved; nothing is stored.
    Taken {
        /// The step whose reservation it is.
        step: StepName,
    },
    /// There is no such onboarding in the tenant.
    Absent,
}

/// What becomes of a fact in a commit.
///
/// ```
/// use onramp::store::FactChange;
/// let undone = FactChange::Remove("create_dataset".into());
/// ```
#[derive(Debug, Clone)]
pub enum FactChange {
    /// It is stored, in place of an older one of the same step.
    Put(FactRecord),
    /// It is deleted.
    Remove(StepName),
}

/// A fact as it is stored. `Debug` leaves its text out.
///
/// ```
/// # use onramp::store::{FactRecord, mark};
/// # use onramp::lifecycle::FactMark;
/// fn is_what_was_committed_to(record: &FactRecord, journal: &FactMark) -> bool {
///     mark(&record.fact, &record.salt) == *journal
/// }
/// ```
#[derive(Clone)]
pub struct FactRecord {
    /// The fact.
    pub fact: EncodedFact,
    /// What its commitment in the journal was salted with.
    pub salt: Salt,
    /// Who gave or produced it.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
}

impl fmt::Debug for FactRecord {
    /// Leaves the fact's text out: it is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FactRecord")
            .field("step", self.fact.step())
            .field("by", &self.by)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What becomes of a reservation in a commit.
///
/// ```
/// use onramp::store::ReservationChange;
/// let free = ReservationChange::Release { step: "address".into() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationChange {
    /// The step takes it, unless somebody has it; one that has it already keeps it.
    Take {
        /// The step.
        step: StepName,
        /// The hash of what is reserved, and where.
        held: Digest,
    },
    /// Whatever the step has is free.
    Release {
        /// The step.
        step: StepName,
    },
}

/// What becomes of the queue entry of an onboarding in a commit.
///
/// An onboarding is in the queue while a worker has, or will have, something to do; finished and
/// waiting ones are not in it.
///
/// ```
/// use std::time::Duration;
/// use onramp::store::QueueChange;
/// let at_once = QueueChange::Wake(Duration::ZERO);
/// assert_ne!(at_once, QueueChange::Keep);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueChange {
    /// Stays as it is: somebody else is waited for.
    Keep,
    /// Due after this delay, with no attempts counted. An entry that is leased stays leased, with
    /// its first attempt at what is next: its worker meets the new revision at its next commit.
    Wake(Duration),
    /// The worker goes on under its lease, with its first attempt at what is next.
    Hold,
    /// The worker gives its lease back: due again after this delay, attempts kept.
    Release(Duration),
    /// Taken out.
    Remove,
}

/// One commit in the journal. Holds no personal data.
///
/// ```
/// # use onramp::store::JournalEntry;
/// fn print(entry: &JournalEntry) -> Result<(), onramp::store::Error> {
///     for event in entry.decode()? {
///         println!("{} {} by {}", entry.at, event.happened.name(), entry.by);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The onboarding.
    pub onboarding: OnboardingId,
    /// The revision that the commit made.
    pub revision: Revision,
    /// The commit's identity.
    pub command: CommandId,
    /// Who issued it.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// The events, as the JSON text that was hashed.
    pub events: String,
    /// The hash over all of this and the hash of the entry before.
    pub hash: Digest,
}

impl JournalEntry {
    /// The events.
    ///
    /// # Errors
    /// [`Error`](super::Error) of kind `Corrupt` when the text is not of this version's events.
    pub fn decode(&self) -> Result<Vec<Event>, super::Error> {
        serde_json::from_str(&self.events).map_err(|error| {
            super::Error::corrupt(format!(
                "journal entry {} of {} does not decode",
                self.revision, self.onboarding
            ))
            .because(error)
        })
    }
}

/// A message to be delivered because of a commit, at least once.
///
/// ```
/// # use onramp::store::OutboxMessage;
/// fn is_welcome(message: &OutboxMessage) -> bool {
///     message.topic == "completed"
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Stable over redeliveries: what a receiver tells repetitions by.
    pub id: Uuid,
    /// Tenant, flow and subject.
    pub key: Key,
    /// The onboarding.
    pub onboarding: OnboardingId,
    /// The revision whose commit it belongs to.
    pub revision: Revision,
    /// What happened, for instance `"completed"`.
    pub topic: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A worker's name, for operators. Not a fence: two workers may share one.
///
/// ```
/// use onramp::store::WorkerId;
/// assert_eq!(WorkerId::new("provisioning-1").as_str(), "provisioning-1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(String);

impl WorkerId {
    /// A worker of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A claim on an onboarding, for a while.
///
/// ```
/// # use onramp::store::Lease;
/// fn is_first_attempt(lease: &Lease) -> bool {
///     lease.attempt == 1
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowName,
    /// The onboarding.
    pub id: OnboardingId,
    /// The number of this claim: higher than that of any claim before.
    pub fence: Fence,
    /// Which attempt at what is next this is, counted from 1.
    pub attempt: u32,
}
