//! Commits and creations as columns: one array for each, as PostgreSQL takes many rows at once.

use crate::store::error::Error;
use crate::store::record::{Commit, FactChange, NewOnboarding, QueueChange};
use crate::store::sql::codec::{counter, encode, micros};

/// What a commit does to the queue, as a number.
const KEEP: i64 = 0;
const WAKE: i64 = 1;
const HOLD: i64 = 2;
const RELEASE: i64 = 3;
const REMOVE: i64 = 4;

/// The fence of one who has none.
const NO_FENCE: i64 = -1;

pub(super) type Query = sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// What a batch has of commits.
pub(super) enum Kind {
    None,
    /// One, by a host, with a fact or without, and nothing else.
    Answer,
    /// One, by a worker that goes on.
    Checkpoint,
    /// One, by a host.
    Host,
    /// Several, by hosts.
    Hosts,
    /// By workers who go on, or have nothing more to do.
    Workers,
    Any,
}

/// The columns of commits.
#[derive(Default)]
pub(super) struct Commits {
    pub(super) id: Vec<Vec<u8>>,
    tenant: Vec<String>,
    expected: Vec<i64>,
    stage: Vec<&'static str>,
    state: Vec<String>,
    head: Vec<Vec<u8>>,
    at: Vec<i64>,
    command: Vec<Vec<u8>>,
    given_by: Vec<String>,
    events: Vec<String>,
    held: Vec<i64>,
    change: Vec<i64>,
    later: Vec<i64>,
    step: Vec<Option<String>>,
    version: Vec<Option<i64>>,
    payload: Vec<Option<String>>,
    salt: Vec<Option<Vec<u8>>>,
    fact_by: Vec<Option<String>>,
    fact_at: Vec<Option<i64>>,
    removed: Vec<Option<String>>,
    message: Vec<Option<Vec<u8>>>,
    topic: Vec<Option<String>>,
}

impl Commits {
    pub(super) fn push(&mut self, commit: &Commit) -> Result<(), Error> {
        let state = &commit.row.state;
        let (change, later) = match commit.queue {
            QueueChange::Keep => (KEEP, 0),
            QueueChange::Wake(after) => (WAKE, micros(after)),
            QueueChange::Hold => (HOLD, 0),
            QueueChange::Release(after) => (RELEASE, micros(after)),
            QueueChange::Remove => (REMOVE, 0),
        };
        self.expected.push(counter(commit.expected.get())?);
        self.state.push(encode(state)?);
        self.held.push(match commit.fence {
            Some(fence) => counter(fence.get())?,
            None => NO_FENCE,
        });
        self.id.push(commit.id().as_uuid().as_bytes().to_vec());
        self.tenant.push(commit.tenant().as_str().to_owned());
        self.stage.push(state.stage().as_str());
        self.head.push(commit.row.head.as_bytes().to_vec());
        self.at.push(commit.entry.at.timestamp_micros());
        self.command
            .push(commit.command().as_uuid().as_bytes().to_vec());
        self.given_by.push(commit.entry.by.to_string());
        self.events.push(commit.entry.events.clone());
        self.change.push(change);
        self.later.push(later);
        let put = commit.facts.iter().find_map(|change| match change {
            FactChange::Put(record) => Some(record),
            FactChange::Remove(_) => None,
        });
        self.step
            .push(put.map(|put| put.fact.step().as_str().to_owned()));
        self.version
            .push(put.map(|put| i64::from(put.fact.version())));
        self.payload.push(put.map(|put| put.fact.json().to_owned()));
        self.salt.push(put.map(|put| put.salt.to_vec()));
        self.fact_by.push(put.map(|put| put.by.to_string()));
        self.fact_at.push(put.map(|put| put.at.timestamp_micros()));
        self.removed
            .push(commit.facts.iter().find_map(|change| match change {
                FactChange::Remove(step) => Some(step.as_str().to_owned()),
                FactChange::Put(_) => None,
            }));
        let message = commit.outbox.first();
        self.message
            .push(message.map(|message| message.id.as_bytes().to_vec()));
        self.topic
            .push(message.map(|message| message.topic.clone()));
        Ok(())
    }

    /// Which of the statements is enough.
    pub(super) fn kind(&self) -> Kind {
        let by_hosts = self.held.iter().all(|held| *held == NO_FENCE);
        let only_puts = self.removed.iter().all(Option::is_none);
        let posts_nothing = self.topic.iter().all(Option::is_none);
        match self.change.as_slice() {
            [] => Kind::None,
            [KEEP] if by_hosts && only_puts && posts_nothing => Kind::Answer,
            [KEEP | HOLD] if only_puts && posts_nothing => Kind::Checkpoint,
            [_] if by_hosts && only_puts => Kind::Host,
            _ if by_hosts && only_puts => Kind::Hosts,
            changes if self.by_workers(changes) && only_puts => Kind::Workers,
            _ => Kind::Any,
        }
    }

    fn by_workers(&self, changes: &[i64]) -> bool {
        let go_on = |change| matches!(change, &KEEP | &HOLD | &REMOVE);
        changes.iter().all(go_on) && self.held.iter().all(|held| *held != NO_FENCE)
    }

    /// The only row's values, in the same order.
    pub(super) fn bind_one(mut self, query: Query) -> Query {
        query
            .bind(self.id.pop())
            .bind(self.tenant.pop())
            .bind(self.expected.pop())
            .bind(self.stage.pop())
            .bind(self.state.pop())
            .bind(self.head.pop())
            .bind(self.at.pop())
            .bind(self.command.pop())
            .bind(self.given_by.pop())
            .bind(self.events.pop())
            .bind(self.held.pop())
            .bind(self.change.pop())
            .bind(self.later.pop())
            .bind(self.step.pop().flatten())
            .bind(self.version.pop().flatten())
            .bind(self.payload.pop().flatten())
            .bind(self.salt.pop().flatten())
            .bind(self.fact_by.pop().flatten())
            .bind(self.fact_at.pop().flatten())
            .bind(self.removed.pop().flatten())
            .bind(self.message.pop().flatten())
            .bind(self.topic.pop().flatten())
    }

    pub(super) fn bind(self, query: Query) -> Query {
        query
            .bind(self.id)
            .bind(self.tenant)
            .bind(self.expected)
            .bind(self.stage)
            .bind(self.state)
            .bind(self.head)
            .bind(self.at)
            .bind(self.command)
            .bind(self.given_by)
            .bind(self.events)
            .bind(self.held)
            .bind(self.change)
            .bind(self.later)
            .bind(self.step)
            .bind(self.version)
            .bind(self.payload)
            .bind(self.salt)
            .bind(self.fact_by)
            .bind(self.fact_at)
            .bind(self.removed)
            .bind(self.message)
            .bind(self.topic)
    }
}

/// The columns of creations.
#[derive(Default)]
pub(super) struct Creations {
    pub(super) id: Vec<Vec<u8>>,
    tenant: Vec<String>,
    flow: Vec<String>,
    subject: Vec<String>,
    revision: Vec<i64>,
    stage: Vec<&'static str>,
    state: Vec<String>,
    head: Vec<Vec<u8>>,
    created_at: Vec<i64>,
    command: Vec<Vec<u8>>,
    given_by: Vec<String>,
    at: Vec<i64>,
    events: Vec<String>,
    later: Vec<Option<i64>>,
    message: Vec<Option<Vec<u8>>>,
    topic: Vec<Option<String>>,
}

impl Creations {
    pub(super) fn push(&mut self, new: &NewOnboarding) -> Result<(), Error> {
        let NewOnboarding {
            row,
            entry,
            outbox,
            due,
        } = new;
        let (state, key) = (&row.state, row.state.key());
        self.revision.push(counter(state.revision().get())?);
        self.state.push(encode(state)?);
        self.id.push(state.id().as_uuid().as_bytes().to_vec());
        self.tenant.push(key.tenant.as_str().to_owned());
        self.flow.push(key.flow.as_str().to_owned());
        self.subject.push(key.subject.as_str().to_owned());
        self.stage.push(state.stage().as_str());
        self.head.push(row.head.as_bytes().to_vec());
        self.created_at.push(state.created_at().timestamp_micros());
        self.command
            .push(entry.command.as_uuid().as_bytes().to_vec());
        self.given_by.push(entry.by.to_string());
        self.at.push(entry.at.timestamp_micros());
        self.events.push(entry.events.clone());
        self.later.push(due.map(micros));
        let message = outbox.first();
        self.message
            .push(message.map(|message| message.id.as_bytes().to_vec()));
        self.topic
            .push(message.map(|message| message.topic.clone()));
        Ok(())
    }

    /// The only row's values, in the same order.
    pub(super) fn bind_one(mut self, query: Query) -> Query {
        query
            .bind(self.id.pop())
            .bind(self.tenant.pop())
            .bind(self.flow.pop())
            .bind(self.subject.pop())
            .bind(self.revision.pop())
            .bind(self.stage.pop())
            .bind(self.state.pop())
            .bind(self.head.pop())
            .bind(self.created_at.pop())
            .bind(self.command.pop())
            .bind(self.given_by.pop())
            .bind(self.at.pop())
            .bind(self.events.pop())
            .bind(self.later.pop().flatten())
            .bind(self.message.pop().flatten())
            .bind(self.topic.pop().flatten())
    }

    pub(super) fn bind(self, query: Query) -> Query {
        query
            .bind(self.id)
            .bind(self.tenant)
            .bind(self.flow)
            .bind(self.subject)
            .bind(self.revision)
            .bind(self.stage)
            .bind(self.state)
            .bind(self.head)
            .bind(self.created_at)
            .bind(self.command)
            .bind(self.given_by)
            .bind(self.at)
            .bind(self.events)
            .bind(self.later)
            .bind(self.message)
            .bind(self.topic)
    }
}
