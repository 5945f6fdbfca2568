//! From commands to one [`Commit`]: decide, apply, chain, and say what becomes of the queue.
//!
//! The one place where the rules and a store's records meet; hosts' and workers' commits are both
//! made here.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::flow::{Plan, slot};
use crate::id::{Actor, CommandId, Fence, Key, OnboardingId, SecretName, StepName};
use crate::lifecycle::{
    Action, Command, Digest, Event, Happened, Next, Rejected, State, decide_all, decide_erasure,
    evolve, fold, next,
};
#[cfg(feature = "vault")]
use crate::lifecycle::{SecretWish, decide_secret};
use crate::store::chain;
use crate::store::error::{Error, ErrorKind};
#[cfg(feature = "vault")]
use crate::store::record::FactRecord;
use crate::store::record::{
    Commit, FactChange, NewOnboarding, OutboxMessage, QueueChange, ReservationChange, Row,
};

/// What is to be committed.
pub(crate) struct Proposal<'a> {
    pub(crate) before: &'a Row,
    pub(crate) plan: &'a Plan,
    /// The commit's identity.
    pub(crate) command: CommandId,
    /// Decided one after another; the first one's actor is the commit's.
    pub(crate) commands: &'a [Command],
    pub(crate) facts: Vec<FactChange>,
    /// The claim of the worker; none for a host.
    pub(crate) fence: Option<Fence>,
    pub(crate) now: DateTime<Utc>,
}

/// Why there is nothing to commit.
#[derive(Debug)]
pub(crate) enum Refused {
    Rejected(Rejected),
    Store(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// A commit, and what it says has happened.
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    #[cfg_attr(
        not(any(feature = "tokio", feature = "metrics")),
        expect(dead_code, reason = "for observers of engines, and for figures")
    )]
    pub(crate) events: Vec<Event>,
}

/// An onboarding at its first revision.
pub(crate) fn prepare_creation(
    id: OnboardingId,
    key: Key,
    plan: &Plan,
    command: CommandId,
    now: DateTime<Utc>,
) -> Result<NewOnboarding, Error> {
    let (state, created) = State::create(id, key, plan, now);
    newborn(state, command, Actor::Host, &[created])
}

/// A creation, and what it says has happened.
pub(crate) struct Beginning {
    pub(crate) new: NewOnboarding,
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "for figures"))]
    pub(crate) events: Vec<Event>,
}

/// An onboarding that starts as it is created, in one revision. Its gates were checked just now.
pub(crate) fn prepare_beginning(
    id: OnboardingId,
    key: Key,
    plan: &Plan,
    (by, command): &(Actor, CommandId),
    now: DateTime<Utc>,
) -> Result<Beginning, Refused> {
    let (pending, created) = State::create(id, key, plan, now);
    let start = Command {
        by: by.clone(),
        action: Action::Start {
            cleared: id,
            cleared_at: now,
        },
    };
    let started = decide_all(&pending, plan, &[start], now).map_err(Refused::Rejected)?;
    let events: Vec<_> = std::iter::once(created).chain(started).collect();
    let state = fold([events.as_slice()]).ok_or_else(|| {
        let message = "the first event is not the creation";
        Refused::Store(Error::new(ErrorKind::Invalid, message))
    })?;
    let due = match queue_change(&pending, &state, plan, false, now) {
        QueueChange::Wake(after) => Some(after),
        _ => None,
    };
    let mut new = newborn(state, *command, by.clone(), &events).map_err(Refused::Store)?;
    new.outbox = messages(&new.row.state, &events);
    new.due = due;
    Ok(Beginning { new, events })
}

fn newborn(
    state: State,
    command: CommandId,
    by: Actor,
    events: &[Event],
) -> Result<NewOnboarding, Error> {
    let (id, revision) = (state.id(), state.revision());
    let entry = chain::entry(Digest::ZERO, id, revision, command, by, events);
    let entry = entry.map_err(|error| {
        Error::new(ErrorKind::Invalid, "the events do not serialise").because(error)
    })?;
    let head = entry.hash;
    Ok(NewOnboarding {
        row: Row { state, head },
        entry,
        outbox: Vec::new(),
        due: None,
    })
}

/// The commit, or `None` when what is wished holds already.
pub(crate) fn prepare(proposal: Proposal<'_>) -> Result<Option<Prepared>, Refused> {
    let Proposal {
        before,
        plan,
        command,
        commands,
        facts,
        fence,
        now,
    } = proposal;
    let events = decide_all(&before.state, plan, commands, now).map_err(Refused::Rejected)?;
    let Some(first) = commands.first().filter(|_| !events.is_empty()) else {
        return Ok(None);
    };
    let mut commit = assemble(before, command, &first.by, &events, facts)?;
    commit.fence = fence;
    let after = &commit.row.state;
    if commands
        .iter()
        .any(|command| command.action == Action::Adopt)
    {
        // Its workers are to look at it, whatever it waited for.
        commit.queue = QueueChange::Wake(Duration::ZERO);
    } else {
        commit.queue = match queue_change(&before.state, after, plan, fence.is_some(), now) {
            // To hold is to count from one again, and so to go on for ever where no time is between.
            QueueChange::Hold if is_to_be_repeated(&events) => QueueChange::Release(Duration::ZERO),
            change => change,
        };
    }
    Ok(Some(Prepared { commit, events }))
}

/// Whether an attempt has failed and another one is allowed.
fn is_to_be_repeated(events: &[Event]) -> bool {
    events.iter().any(|event| {
        matches!(
            event.happened,
            Happened::AttemptFailed {
                retry_at: Some(_),
                ..
            } | Happened::UndoAttemptFailed {
                retry_at: Some(_),
                ..
            }
        )
    })
}

/// The commit that erases the facts of an onboarding that has ended, of whatever flow; `None` when
/// that was done.
pub(crate) fn prepare_erasure(
    before: &Row,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<Option<Commit>, Refused> {
    let events = decide_erasure(&before.state, by, now).map_err(Refused::Rejected)?;
    if events.is_empty() {
        return Ok(None);
    }
    assemble(before, CommandId::fresh(), by, &events, Vec::new()).map(Some)
}

/// The commit of what becomes of a secret, in whatever flow and stage; `None` when what is wished holds
/// already. It asks nothing of the workers.
#[cfg(feature = "vault")]
pub(crate) fn prepare_secret(
    before: &Row,
    command: CommandId,
    by: &Actor,
    name: &SecretName,
    wish: &SecretWish,
    fact: Option<FactRecord>,
    now: DateTime<Utc>,
) -> Result<Option<Commit>, Refused> {
    let events = decide_secret(&before.state, name, wish, now).map_err(Refused::Rejected)?;
    if events.is_empty() {
        return Ok(None);
    }
    let facts = fact.into_iter().map(FactChange::Put).collect();
    assemble(before, command, by, &events, facts).map(Some)
}

/// The commit of events, which does nothing to the queue yet.
fn assemble(
    before: &Row,
    command: CommandId,
    by: &Actor,
    events: &[Event],
    mut facts: Vec<FactChange>,
) -> Result<Commit, Refused> {
    let state = evolve(before.state.clone(), events);
    let (id, revision) = (state.id(), state.revision());
    let entry = chain::entry(before.head, id, revision, command, by.clone(), events);
    let entry = entry.map_err(|error| {
        let message = "the events do not serialise";
        Refused::Store(Error::new(ErrorKind::Invalid, message).because(error))
    })?;
    for change in &mut facts {
        if let FactChange::Put(record) = change {
            // What the journal says of it, which is what an audit holds it against.
            (record.by, record.at) = (entry.by.clone(), entry.at);
        }
    }
    let reservations = reservations(before, &facts, events);
    let gone = events
        .iter()
        .flat_map(|event| gone(before, &event.happened));
    facts.extend(gone.map(FactChange::Remove));
    Ok(Commit {
        expected: before.state.revision(),
        fence: None,
        facts,
        reservations,
        outbox: messages(&state, events),
        queue: QueueChange::Keep,
        row: Row {
            head: entry.hash,
            state,
        },
        entry,
    })
}

/// What is free because of what happened, and what the new facts take.
fn reservations(before: &Row, facts: &[FactChange], events: &[Event]) -> Vec<ReservationChange> {
    let mut changes = Vec::new();
    for event in events {
        let free = match &event.happened {
            Happened::StepUndone { step, .. } | Happened::AnswerRevised { step, .. } => {
                std::slice::from_ref(step)
            }
            Happened::FactsErased { steps } => steps,
            _ => &[],
        };
        let steps = free.iter().cloned();
        changes.extend(steps.map(|step| ReservationChange::Release { step }));
    }
    let tenant = &before.state.key().tenant;
    for change in facts {
        let FactChange::Put(record) = change else {
            continue;
        };
        let takes = record.fact.reserves().iter().map(|reservation| {
            let held = chain::held(tenant, reservation);
            let step = record.fact.step().clone();
            ReservationChange::Take { step, held }
        });
        changes.extend(takes);
    }
    changes
}

/// The facts and drafts that are gone because of what happened.
fn gone(before: &Row, happened: &Happened) -> Vec<StepName> {
    match happened {
        Happened::StepUndone { step, .. } => vec![step.clone()],
        Happened::FactsErased { steps } => steps.clone(),
        Happened::AnswerSubmitted { step, .. }
        | Happened::AnswerRevised { step, .. }
        | Happened::StepSkipped { step } => {
            let known = before.state.step(step.as_str());
            let drafted = known.is_some_and(|known| known.draft().is_some());
            drafted.then(|| slot::draft(step)).into_iter().collect()
        }
        Happened::SecretBurnt { name } => {
            let sealed = before.state.secret(name).map(|_| slot::sealed(name));
            sealed.into_iter().chain(offered(before, name)).collect()
        }
        Happened::SecretKept { name, .. }
        | Happened::RevealBurnt { name }
        | Happened::Revealed { name } => offered(before, name).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Where it is kept what proves a token, if one is out.
fn offered(before: &Row, name: &SecretName) -> Option<StepName> {
    let reveal = before.state.secret(name)?.reveal()?;
    reveal.token().map(|_| slot::reveal(name))
}

fn queue_change(
    before: &State,
    after: &State,
    plan: &Plan,
    by_worker: bool,
    now: DateTime<Utc>,
) -> QueueChange {
    let due = next(after, plan, now);
    if !by_worker && due == next(before, plan, now) {
        // Evidence ahead of its turn, say: whoever is at work, or about to be, goes on.
        return QueueChange::Keep;
    }
    match (due, by_worker) {
        (
            Next::Wait {
                until: Some(until), ..
            },
            by_worker,
        ) => {
            let rest = (until - now).to_std().unwrap_or_default();
            match by_worker {
                true => QueueChange::Release(rest),
                false => QueueChange::Wake(rest),
            }
        }
        (Next::Wait { .. } | Next::Nothing, true) => QueueChange::Remove,
        (_, true) => QueueChange::Hold,
        // An entry that is there already stays: when it is due, its worker sees that it waits.
        (Next::Wait { .. } | Next::Nothing, false) => QueueChange::Keep,
        (_, false) => QueueChange::Wake(Duration::ZERO),
    }
}

/// One message for each change of stage, and for each reminder.
pub(crate) fn messages(state: &State, events: &[Event]) -> Vec<OutboxMessage> {
    let telling = events.iter().filter(|event| {
        matches!(
            event.happened,
            Happened::Started
                | Happened::Reminded { .. }
                | Happened::Completed
                | Happened::Reopened { .. }
                | Happened::Failed { .. }
                | Happened::Retried
        )
    });
    telling
        .map(|event| {
            let topic = event.happened.name().to_owned();
            let name = format!("{}#{topic}", state.revision());
            OutboxMessage {
                id: Uuid::new_v5(&state.id().as_uuid(), name.as_bytes()),
                key: state.key().clone(),
                onboarding: state.id(),
                revision: state.revision(),
                topic,
                at: event.at,
            }
        })
        .collect()
}
