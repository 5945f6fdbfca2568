//! The queue: what a commit does to it, claims, and what becomes of leases.

use std::time::Duration;

use uuid::Uuid;

use crate::id::{Fence, FlowName, OnboardingId, Revision};
use crate::store::error::Error;
use crate::store::record::{Commit, Lease, QueueChange, WorkerId};
use crate::store::sql::codec::{self, Reader, counter, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{DbRow, args};
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;
use crate::store::sql::write::{Seen, look, one};

/// What a commit does to the queue. Every statement names the entry as it was seen.
pub(super) async fn change<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
    seen: &Seen,
) -> Result<(), Fault> {
    let id = commit.id().as_uuid();
    let Some((fence, leased)) = seen.queued else {
        if let QueueChange::Wake(after) = commit.queue {
            let key = commit.row.state.key();
            let args = args![
                id,
                key.tenant.as_str(),
                key.flow.as_str(),
                seen.entering()?,
                micros(after),
            ];
            one(db.run(db.sql.enqueue, args).await?)?;
        }
        return Ok(());
    };
    let fence = counter(fence.get())?;
    let leased_now = i64::from(leased);
    let changed = match commit.queue {
        // The lease that it is written under must be the newest one still.
        QueueChange::Keep if commit.fence.is_some() => {
            db.run(db.sql.confirm, args![id, fence, 1]).await?
        }
        QueueChange::Keep => return Ok(()),
        // Its worker meets the new revision at its next commit, at the first attempt.
        QueueChange::Wake(_) if leased => {
            let args = args![id, fence, leased_now];
            db.run(db.sql.hold, args).await?
        }
        QueueChange::Wake(after) => {
            let args = args![micros(after), id, fence, leased_now];
            db.run(db.sql.wake, args).await?
        }
        QueueChange::Hold => {
            let args = args![id, fence, leased_now];
            db.run(db.sql.hold, args).await?
        }
        QueueChange::Release(after) => {
            let args = args![micros(after), id, fence, leased_now];
            db.run(db.sql.hand_back, args).await?
        }
        QueueChange::Remove => {
            let args = args![id, fence, leased_now];
            db.run(db.sql.dequeue, args).await?
        }
    };
    one(changed)
}

/// Claim what is due.
pub(super) struct Claim {
    pub(super) flow: FlowName,
    pub(super) worker: WorkerId,
    pub(super) max: usize,
    pub(super) lease: Duration,
}

impl<D: Dialect> Work<D> for Claim {
    type Out = Vec<Lease>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Lease>, Fault> {
        let args = args![self.flow.as_str(), codec::limit(self.max)];
        let due = db.all(db.sql.due, args).await?;
        if due.len() < self.max {
            self.free_overlong::<D>(db).await?;
        }
        let mut leases = Vec::with_capacity(due.len());
        for row in &due {
            let read = Reader::<D>::any(row, "a queue entry");
            let id = read.uuid(0, "the onboarding")?;
            let seen: i64 = read.int(2, "the fence")?;
            let lease = micros(self.lease);
            let args = args![lease, lease, self.worker.as_str(), id, seen];
            let claimed = db.run(db.sql.claim, args).await?;
            match self.claimed::<D>(row, id) {
                Ok(lease) if claimed == 1 => leases.push(lease),
                // Another worker was faster.
                Ok(_) => {}
                // Claimed, not given out: so it keeps nobody from what is due after it.
                Err(error) => tracing::error!(onboarding = %id, %error, "skipped in the queue"),
            }
        }
        Ok(leases)
    }
}

impl Claim {
    /// Hands back leases that end later than twice their length from now: the clock was set back,
    /// and nobody is to wait for it to catch up. They are due at the next claim.
    async fn free_overlong<D: Dialect>(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        let args = args![self.flow.as_str()];
        for row in &db.all(db.sql.furthest, args).await? {
            let read = Reader::<D>::any(row, "a queue entry");
            let id = read.uuid(0, "the onboarding")?;
            let fence: i64 = read.int(1, "the fence")?;
            let lease: i64 = read.int(3, "the length of the lease")?;
            let rest: i64 = read.int(4, "what is left of the lease")?;
            let leased = read.int(2, "the lease")? == 1;
            if leased && rest > lease.saturating_mul(2) {
                let args = args![0, id, fence, 1];
                db.run(db.sql.hand_back, args).await?;
            }
        }
        Ok(())
    }

    /// The lease that a claim of this row makes.
    fn claimed<D: Dialect>(&self, row: &DbRow<D>, id: Uuid) -> Result<Lease, Error> {
        let id = OnboardingId::from_uuid(id);
        let read = Reader::<D>::of(row, id);
        Ok(Lease {
            tenant: read.tenant(1)?,
            flow: self.flow.clone(),
            id,
            fence: Fence::new(read.count(2, "the fence")?).next(),
            attempt: read.count::<u32>(3, "the attempts")?.saturating_add(1),
        })
    }
}

/// Extend leases.
pub(super) struct Renew {
    pub(super) leases: Vec<Lease>,
    pub(super) lease: Duration,
}

impl<D: Dialect> Work<D> for Renew {
    type Out = Vec<Lease>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Lease>, Fault> {
        let mut held = Vec::with_capacity(self.leases.len());
        for lease in &self.leases {
            let args = args![
                micros(self.lease),
                micros(self.lease),
                lease.id.as_uuid(),
                lease.tenant.as_str(),
                counter(lease.fence.get())?,
            ];
            if db.run(db.sql.renew, args).await? == 1 {
                held.push(lease.clone());
            }
        }
        Ok(held)
    }
}

/// Give a lease back.
pub(super) struct Release {
    pub(super) lease: Lease,
    pub(super) after: Duration,
}

impl<D: Dialect> Work<D> for Release {
    type Out = ();

    async fn run(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        let args = args![
            micros(self.after),
            self.lease.id.as_uuid(),
            self.lease.tenant.as_str(),
            counter(self.lease.fence.get())?,
        ];
        db.run(db.sql.release, args).await?;
        Ok(())
    }
}

/// Give a lease back and leave the queue.
pub(super) struct Park {
    pub(super) lease: Lease,
    pub(super) at: Revision,
}

impl<D: Dialect> Work<D> for Park {
    type Out = ();

    async fn run(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        let Lease {
            tenant, id, fence, ..
        } = &self.lease;
        // No command has an empty identity.
        let seen = look::<D>(db, tenant, *id, &[]).await?;
        let Some(seen) = seen.filter(|seen| seen.holds(*fence)) else {
            return Ok(());
        };
        let (id, fence) = (id.as_uuid(), counter(fence.get())?);
        if seen.revision == self.at {
            let args = args![fence, id, tenant.as_str(), counter(self.at.get())?];
            one(db.run(db.sql.keep_fence, args).await?)?;
            one(db.run(db.sql.dequeue, args![id, fence, 1]).await?)
        } else {
            let args = args![0, id, fence, 1];
            one(db.run(db.sql.hand_back, args).await?)
        }
    }
}
