//! What is stored together.

use std::collections::HashSet;

use crate::id::{Key, OnboardingId};
use crate::store::error::Error;
use crate::store::record::{
    Commit, CommitOutcome, Created, FactChange, NewOnboarding, QueueChange,
};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;
use crate::store::sql::write::Create;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
use crate::store::sql::write::store_commit;

/// A creation or a commit.
#[derive(Debug)]
pub enum Member {
    Create(Box<Create>),
    Commit(Box<Commit>),
}

/// What became of a [`Member`].
#[derive(Debug)]
pub enum Outcome {
    Created(Created),
    Commit(CommitOutcome),
}

impl Outcome {
    pub(in crate::store::sql) fn created(self) -> Result<Created, Error> {
        match self {
            Self::Created(created) => Ok(created),
            Self::Commit(_) => Err(Error::in_doubt("a creation was answered as a commit")),
        }
    }

    pub(in crate::store::sql) fn commit(self) -> Result<CommitOutcome, Error> {
        match self {
            Self::Commit(outcome) => Ok(outcome),
            Self::Created(_) => Err(Error::in_doubt("a commit was answered as a creation")),
        }
    }
}

impl Member {
    pub(in crate::store::sql) fn create(new: NewOnboarding) -> Self {
        Self::Create(Box::new(Create(new)))
    }

    pub(in crate::store::sql) fn commit(commit: Commit) -> Self {
        Self::Commit(Box::new(commit))
    }

    /// Whether it can be stored with others: what hosts and workers write can, in every case.
    pub(in crate::store::sql) fn fits(&self) -> bool {
        let commit = match self {
            Self::Commit(commit) => commit,
            Self::Create(create) => return create.0.outbox.len() <= 1,
        };
        let puts = |change: &&FactChange| matches!(change, FactChange::Put(_));
        let puts = commit.facts.iter().filter(puts).count();
        let queue = match commit.queue {
            QueueChange::Keep => true,
            QueueChange::Wake(_) => commit.fence.is_none(),
            QueueChange::Hold | QueueChange::Release(_) | QueueChange::Remove => {
                commit.fence.is_some()
            }
        };
        let few = puts <= 1 && commit.facts.len() <= 1 && commit.outbox.len() <= 1;
        queue && few && commit.reservations.is_empty()
    }

    /// Its size, roughly: what varies most.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Create(_) => 1_000,
            Self::Commit(commit) => commit
                .facts
                .iter()
                .map(|change| match change {
                    FactChange::Put(record) => record.fact.json().len(),
                    FactChange::Remove(_) => 0,
                })
                .sum::<usize>()
                .saturating_add(commit.entry.events.len())
                .saturating_add(2_000),
        }
    }
}

/// Alone, in a transaction of its own.
impl<D: Dialect> Work<D> for Member {
    type Out = Outcome;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Outcome, Fault> {
        Ok(match self {
            Self::Create(create) => Outcome::Created(create.run(db).await?),
            Self::Commit(commit) => Outcome::Commit(commit.run(db).await?),
        })
    }
}

/// The same in a transaction of the host's: what it looks at stays locked.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(in crate::store::sql) struct Locked(pub(in crate::store::sql) Member);

#[cfg(any(feature = "sqlite", feature = "mysql"))]
impl<D: Dialect> Work<D> for Locked {
    type Out = Outcome;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Outcome, Fault> {
        match &self.0 {
            Member::Create(_) => match self.0.run(db).await {
                // Another one was faster, and has committed meanwhile.
                Err(fault) if fault.is_taken::<D>() => self.0.run(db).await,
                ended => ended,
            },
            Member::Commit(commit) => Ok(Outcome::Commit(
                store_commit(db, commit, db.sql.look_locked).await?,
            )),
        }
    }
}

/// Members for one transaction, each of another onboarding.
#[derive(Debug, Default)]
pub struct Batch {
    members: Vec<Member>,
    ids: HashSet<OnboardingId>,
    keys: HashSet<Key>,
    bytes: usize,
}

impl Batch {
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn into_members(self) -> Vec<Member> {
        self.members
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.members.len() >= super::MOST || self.bytes >= super::LARGEST
    }

    /// Takes a member in, unless one of the same onboarding is in already.
    pub(super) fn admit(&mut self, member: Member) -> Result<(), Member> {
        let is_new = match &member {
            Member::Create(create) => self.keys.insert(create.0.row.state.key().clone()),
            Member::Commit(commit) => self.ids.insert(commit.id()),
        };
        if !is_new {
            return Err(member);
        }
        self.bytes += member.bytes();
        self.members.push(member);
        Ok(())
    }
}
