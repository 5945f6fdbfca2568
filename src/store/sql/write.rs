//! Creation and commit.

use crate::id::{Fence, OnboardingId, Revision, TenantId};
use crate::store::error::Error;
use crate::store::record::{
    Commit, CommitOutcome, Created, FactChange, JournalEntry, NewOnboarding, OutboxMessage,
    QueueChange, Row,
};
use crate::store::sql::codec::{self, Reader, counter, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::queue;
use crate::store::sql::read::{Find, Load};
use crate::store::sql::reservation;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;

/// Create, or give the one that exists.
#[derive(Debug)]
pub struct Create(pub(super) NewOnboarding);

impl Create {
    /// The one that exists.
    async fn found<D: Dialect>(&self, db: &mut Session<'_, D>) -> Result<Option<Created>, Fault> {
        let find = Find(self.0.row.state.key().clone());
        let row = find.run(db).await?;
        Ok(row.map(|row| Created {
            // Ours after all, when a first try was stored whose answer was lost.
            fresh: row.state.id() == self.0.row.state.id(),
            row,
        }))
    }

    /// The one that exists, as the database has said.
    #[cfg(feature = "postgres")]
    pub(super) async fn existing<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
    ) -> Result<Created, Fault> {
        self.found(db).await?.ok_or(Fault::Moved)
    }
}

impl<D: Dialect> Work<D> for Create {
    type Out = Created;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Created, Fault> {
        if let Some(existing) = self.found(db).await? {
            return Ok(existing);
        }
        let NewOnboarding {
            row,
            entry,
            outbox,
            due,
        } = &self.0;
        let key = row.state.key();
        let args = args![
            row.state.id().as_uuid(),
            key.tenant.as_str(),
            key.flow.as_str(),
            key.subject.as_str(),
            counter(row.state.revision().get())?,
            row.state.stage().as_str(),
            codec::encode(&row.state)?,
            &row.head.as_bytes()[..],
            row.state.created_at().timestamp_micros(),
            entry.at.timestamp_micros(),
        ];
        db.run(db.sql.insert_onboarding, args).await?;
        append::<D>(db, entry).await?;
        if let Some(after) = due {
            let (tenant, flow) = (key.tenant.as_str(), key.flow.as_str());
            let args = args![row.state.id().as_uuid(), tenant, flow, 0, micros(*after)];
            one(db.run(db.sql.enqueue, args).await?)?;
        }
        for (place, message) in outbox.iter().enumerate() {
            post::<D>(db, message, place).await?;
        }
        Ok(Created {
            row: row.clone(),
            fresh: true,
        })
    }
}

/// What a commit is checked against, as of one moment. Others may go on: whatever is then written
/// names what was seen.
pub(super) struct Seen {
    pub(super) revision: Revision,
    /// What its own row says; the last one only while it is not in the queue.
    pub(super) kept_fence: Fence,
    /// The queue entry: its fence, and whether it is leased.
    pub(super) queued: Option<(Fence, bool)>,
    /// Which revision the command made before.
    pub(super) replayed: Option<Revision>,
}

impl Seen {
    /// Whether a claim is the newest one and has not been given back.
    pub(super) fn holds(&self, fence: Fence) -> bool {
        self.queued == Some((fence, true))
    }

    /// The highest fence given out so far.
    fn last_fence(&self) -> Fence {
        self.queued.map_or(self.kept_fence, |(fence, _)| fence)
    }
}

/// Looks at an onboarding of a tenant; `command` is the one that may be a repetition.
pub(super) async fn look<D: Dialect>(
    db: &mut Session<'_, D>,
    tenant: &TenantId,
    id: OnboardingId,
    command: &[u8],
) -> Result<Option<Seen>, Fault> {
    look_by(db, db.sql.look, tenant, id, command).await
}

async fn look_by<D: Dialect>(
    db: &mut Session<'_, D>,
    query: &'static str,
    tenant: &TenantId,
    id: OnboardingId,
    command: &[u8],
) -> Result<Option<Seen>, Fault> {
    let args = args![command, tenant.as_str(), id.as_uuid()];
    let rows = db.all(query, args).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let read = Reader::<D>::of(row, id);
    let queued = match read.maybe_int(2, "the queue's fence")? {
        Some(_) => Some((
            Fence::new(read.count(2, "the queue's fence")?),
            read.int(3, "the lease")? == 1,
        )),
        None => None,
    };
    let replayed = match read.maybe_int(4, "a journal entry")? {
        Some(_) => Some(Revision::new(read.count(4, "a journal entry")?)),
        None => None,
    };
    Ok(Some(Seen {
        revision: Revision::new(read.count(0, "the revision")?),
        kept_fence: Fence::new(read.count(1, "the fence")?),
        queued,
        replayed,
    }))
}

impl<D: Dialect> Work<D> for Commit {
    type Out = CommitOutcome;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<CommitOutcome, Fault> {
        store_commit(db, self, db.sql.look).await
    }
}

/// Stores a commit on top of what a query sees.
pub(super) async fn store_commit<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
    query: &'static str,
) -> Result<CommitOutcome, Fault> {
    let seen = match met(db, commit, query).await? {
        Ok(seen) => seen,
        Err(refused) => return Ok(refused),
    };
    if let Some(step) = reservation::taken::<D>(db, commit).await? {
        return Ok(CommitOutcome::Taken { step });
    }
    advance::<D>(db, commit, &seen).await?;
    reservation::change::<D>(db, commit).await?;
    append::<D>(db, &commit.entry).await?;
    for change in &commit.facts {
        change_fact::<D>(db, commit.id(), change).await?;
    }
    queue::change::<D>(db, commit, &seen).await?;
    for (place, message) in commit.outbox.iter().enumerate() {
        post::<D>(db, message, place).await?;
    }
    Ok(CommitOutcome::Committed)
}

/// Why a commit that was not stored cannot be.
#[cfg(feature = "postgres")]
pub(super) async fn refused<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
) -> Result<CommitOutcome, Fault> {
    let seen = met(db, commit, db.sql.look).await?;
    seen.err().ok_or(Fault::Moved)
}

/// What a commit meets, or why it cannot be stored.
pub(super) async fn met<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
    query: &'static str,
) -> Result<Result<Seen, CommitOutcome>, Fault> {
    let command = commit.command().as_uuid();
    let seen = look_by::<D>(db, query, commit.tenant(), commit.id(), command.as_bytes()).await?;
    let Some(seen) = seen else {
        return Ok(Err(CommitOutcome::Absent));
    };
    if let Some(revision) = seen.replayed {
        let current = Box::new(current::<D>(db, commit).await?);
        return Ok(Err(CommitOutcome::Replayed { revision, current }));
    }
    if commit.fence.is_some_and(|fence| !seen.holds(fence)) {
        return Ok(Err(CommitOutcome::Fenced));
    }
    if seen.revision != commit.expected {
        let current = Box::new(current::<D>(db, commit).await?);
        return Ok(Err(CommitOutcome::Conflict { current }));
    }
    Ok(Ok(seen))
}

async fn current<D: Dialect>(db: &mut Session<'_, D>, commit: &Commit) -> Result<Row, Fault> {
    let id = commit.id();
    let tenant = commit.tenant().clone();
    let row = Load { tenant, id }.run(db).await?;
    row.ok_or(Fault::Moved)
}

/// The compare-and-swap. An onboarding that leaves the queue takes its fence along; naming the kept
/// fence notices one that left it since it was looked at.
async fn advance<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
    seen: &Seen,
) -> Result<(), Fault> {
    let fence = seen.fence_after(commit.queue);
    let state = &commit.row.state;
    let args = args![
        counter(state.revision().get())?,
        state.stage().as_str(),
        counter(fence.get())?,
        codec::encode(state)?,
        &commit.row.head.as_bytes()[..],
        commit.entry.at.timestamp_micros(),
        commit.id().as_uuid(),
        commit.tenant().as_str(),
        counter(commit.expected.get())?,
        counter(seen.kept_fence.get())?,
    ];
    one(db.run(db.sql.advance_onboarding, args).await?)
}

async fn append<D: Dialect>(db: &mut Session<'_, D>, entry: &JournalEntry) -> Result<(), Fault> {
    let args = args![
        entry.onboarding.as_uuid(),
        counter(entry.revision.get())?,
        entry.command.as_uuid(),
        entry.by.to_string(),
        entry.at.timestamp_micros(),
        entry.events.as_str(),
        &entry.hash.as_bytes()[..],
    ];
    one(db.run(db.sql.insert_journal, args).await?)
}

async fn change_fact<D: Dialect>(
    db: &mut Session<'_, D>,
    id: OnboardingId,
    change: &FactChange,
) -> Result<(), Fault> {
    match change {
        FactChange::Put(record) => {
            let args = args![
                id.as_uuid(),
                record.fact.step().as_str(),
                i64::from(record.fact.version()),
                record.fact.json(),
                &record.salt[..],
                record.by.to_string(),
                record.at.timestamp_micros(),
            ];
            db.run(db.sql.put_fact, args).await?;
        }
        FactChange::Remove(step) => {
            let args = args![id.as_uuid(), step.as_str()];
            db.run(db.sql.remove_fact, args).await?;
        }
    }
    Ok(())
}

async fn post<D: Dialect>(
    db: &mut Session<'_, D>,
    message: &OutboxMessage,
    place: usize,
) -> Result<(), Fault> {
    let args = args![
        message.id,
        message.key.tenant.as_str(),
        message.key.flow.as_str(),
        message.key.subject.as_str(),
        message.onboarding.as_uuid(),
        counter(message.revision.get())?,
        codec::limit(place),
        message.topic.as_str(),
        message.at.timestamp_micros(),
    ];
    one(db.run(db.sql.insert_outbox, args).await?)
}

/// Holds a guarded statement to having changed its one row.
pub(super) fn one(rows: u64) -> Result<(), Fault> {
    if rows == 1 { Ok(()) } else { Err(Fault::Moved) }
}

impl Seen {
    /// The fence that its own row says after a commit: it is in the queue's row, or comes from there.
    pub(super) fn fence_after(&self, change: QueueChange) -> Fence {
        match change {
            QueueChange::Remove => self.last_fence(),
            _ => self.kept_fence,
        }
    }

    /// The fence with which the onboarding enters the queue.
    pub(super) fn entering(&self) -> Result<i64, Error> {
        counter(self.last_fence().get())
    }
}
