//! A store in memory behind a connection that breaks where the script says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use crate::id::{Key, OnboardingId};
use crate::lifecycle::{Digest, Happened, fold};
use crate::store::{
    Commit, CommitOutcome, Created, Error, MemoryStore, NewOnboarding, Row, Store, entry, messages,
};
use crate::testing::clock::VirtualClock;
use crate::testing::layer::Layer;
use crate::testing::point::Point;
use crate::testing::script::Script;

/// The store of a [`World`](super::World).
pub(super) struct Wire {
    inner: MemoryStore,
    script: Arc<Script>,
    seed: u64,
    created: Mutex<BTreeMap<Key, u32>>,
}

impl Wire {
    pub(super) fn new(clock: VirtualClock, script: Arc<Script>, seed: u64) -> Self {
        Self {
            inner: MemoryStore::with_clock(clock),
            script,
            seed,
            created: Mutex::default(),
        }
    }

    /// The same onboarding with an identity that is the same in every run, and so are its effect
    /// keys. One that was deleted and created again gets another one.
    fn identified(&self, new: NewOnboarding) -> Result<NewOnboarding, Error> {
        let key = new.row.state.key().clone();
        let mut created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        let count = created.entry(key.clone()).or_default();
        *count += 1;
        // None of the parts can hold a line break.
        let (tenant, subject) = (&key.tenant, &key.subject);
        let name = format!("{}\n{tenant}\n{}\n{subject}\n{count}", self.seed, key.flow);
        let id = OnboardingId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()));
        let mut events = new.entry.decode()?;
        for event in &mut events {
            if let Happened::Created { id: old, .. } = &mut event.happened {
                *old = id;
            }
        }
        let state = fold([events.as_slice()])
            .ok_or_else(|| Error::corrupt("the journal does not begin with the creation"))?;
        let outbox = messages(&state, &events);
        let NewOnboarding {
            entry: old, due, ..
        } = new;
        let entry = entry(
            Digest::ZERO,
            id,
            state.revision(),
            old.command,
            old.by,
            &events,
        )
        .map_err(|error| Error::corrupt("the event does not serialise").because(error))?;
        let head = entry.hash;
        let row = Row { state, head };
        Ok(NewOnboarding {
            row,
            entry,
            outbox,
            due,
        })
    }
}

fn broken() -> Error {
    Error::in_doubt("the connection broke, because the test wanted it")
}

#[async_trait]
impl Layer for Wire {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        let new = match self.inner.find(new.row.state.key()).await? {
            Some(_) => new,
            None => self.identified(new)?,
        };
        self.inner.create(new).await
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let workers = commit.fence.is_some();
        match workers
            .then(|| self.script.reports(&commit.entry))
            .flatten()
        {
            Some(Point::InDoubt) => {
                self.inner.commit(commit).await?;
                Err(broken())
            }
            Some(_) => Err(broken()),
            None => self.inner.commit(commit).await,
        }
    }
}
