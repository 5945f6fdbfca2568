//! The queue: what a commit does to it, and what becomes of leases. Claims are in `claim/`.

use std::time::Duration;

use crate::id::Revision;
use crate::store::error::{Error, ErrorKind};
use crate::store::record::{Commit, Lease, QueueChange, StepProgress};
use crate::store::sql::codec::{counter, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
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

/// Give a lease back and rest, or leave the queue.
pub(super) struct Park {
    pub(super) lease: Lease,
    pub(super) at: Revision,
    pub(super) rest: Option<Duration>,
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
        let (rest, kept) = match self.rest {
            _ if seen.revision != self.at => {
                let args = args![0, id, fence, 1];
                return one(db.run(db.sql.hand_back, args).await?);
            }
            Some(rest) => (Some(rest), seen.kept_fence),
            // What leaves the queue takes its fence along.
            None => (None, self.lease.fence),
        };
        // Whoever commits meanwhile finds this row changed, or the queue's, and begins again.
        let args = args![
            counter(kept.get())?,
            id,
            tenant.as_str(),
            counter(self.at.get())?
        ];
        one(db.run(db.sql.keep_fence, args).await?)?;
        let rested = match rest {
            Some(rest) => {
                db.run(db.sql.rest, args![micros(rest), id, fence, 1])
                    .await?
            }
            None => db.run(db.sql.dequeue, args![id, fence, 1]).await?,
        };
        one(rested)
    }
}

/// Keep how far an attempt is.
pub(super) struct Report {
    pub(super) lease: Lease,
    pub(super) progress: StepProgress,
}

impl<D: Dialect> Work<D> for Report {
    type Out = bool;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<bool, Fault> {
        let json = serde_json::to_string(&self.progress).map_err(|error| {
            Error::new(ErrorKind::Invalid, "the progress does not serialise").because(error)
        })?;
        let args = args![
            json,
            self.lease.id.as_uuid(),
            self.lease.tenant.as_str(),
            counter(self.lease.fence.get())?,
        ];
        Ok(db.run(db.sql.report, args).await? == 1)
    }
}
