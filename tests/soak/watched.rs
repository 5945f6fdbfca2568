//! The store of a worker: tells the ledger of claims and checkpoints, and can be broken on purpose.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onramp::lifecycle::evolve;
use onramp::prelude::*;
use onramp::store::{ClaimRequest, Commit, CommitOutcome, Error, Lease, QueueChange, hash};
use onramp::testing::Layer;

use super::flow::World;
use super::ledger::Line;

pub(crate) struct Watched {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) world: Arc<World>,
    /// Whether checkpoints are guarded by fence and revision, as they must be.
    pub(crate) guarded: bool,
}

impl Watched {
    /// Stores a checkpoint whatever has happened since it was decided.
    async fn store_regardless(&self, mut commit: Commit) -> Result<CommitOutcome, Error> {
        loop {
            let Some(row) = self.inner.load(commit.tenant(), commit.id()).await? else {
                return Ok(CommitOutcome::Absent);
            };
            commit.expected = row.state.revision();
            commit.fence = None;
            // Without a claim nothing can be said of one.
            commit.queue = match commit.queue {
                QueueChange::Wake(after) | QueueChange::Release(after) => QueueChange::Wake(after),
                QueueChange::Hold => QueueChange::Wake(Duration::ZERO),
                QueueChange::Remove | QueueChange::Keep => QueueChange::Keep,
            };
            commit.row.state = evolve(row.state, &commit.entry.decode()?);
            commit.entry.revision = commit.row.state.revision();
            commit.entry.hash = hash(row.head, &commit.entry);
            commit.row.head = commit.entry.hash;
            match self.inner.commit(commit.clone()).await? {
                CommitOutcome::Conflict { .. } => {}
                outcome => return Ok(outcome),
            }
        }
    }
}

#[async_trait]
impl Layer for Watched {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let (id, command) = (commit.id(), commit.command());
        if let Some(fence) = commit.fence {
            // Some are long on their way, so that a pause meets them there: what is decided and not
            // stored yet is what only the fence can stop.
            let [.., dice] = *command.as_uuid().as_bytes();
            tokio::time::sleep(Duration::from_millis(u64::from(dice.saturating_sub(128)))).await;
            let line = Line::Sending { id, fence, command };
            self.world.ledger.write(&line);
        }
        let outcome = match self.guarded {
            true => self.inner.commit(commit).await?,
            false => self.store_regardless(commit).await?,
        };
        if outcome == CommitOutcome::Committed {
            self.world.ledger.write(&Line::Stored { id, command });
        }
        Ok(outcome)
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        let leases = self.inner.claim(request).await?;
        for &Lease { id, fence, .. } in &leases {
            self.world.ledger.write(&Line::Claimed { id, fence });
            self.world.fences.lock().unwrap().insert(id, fence);
        }
        Ok(leases)
    }
}
