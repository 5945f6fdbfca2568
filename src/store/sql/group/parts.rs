//! Group commit in several statements: look at all members, then write those that hold, a table at a
//! time. For SQLite in two calls, for MySQL and MariaDB a statement a call.

use crate::id::{Fence, Revision};
use crate::store::error::Error;
use crate::store::record::{Commit, Created, FactChange, JournalEntry, NewOnboarding, QueueChange};
use crate::store::record::{CommitOutcome, OutboxMessage};
use crate::store::sql::codec::{Reader, counter, encode, limit, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{DbRow, args};
use crate::store::sql::fault::{Fault, at_commit};
use crate::store::sql::group::rows::{Rows, row};
#[cfg(feature = "sqlite")]
use crate::store::sql::group::single;
use crate::store::sql::group::{Batch, Member, Outcome, Texts};
use crate::store::sql::session::Session;
#[cfg(feature = "mysql")]
use crate::store::sql::transact::Work as _;
use crate::store::sql::write::Seen;
#[cfg(feature = "mysql")]
use crate::store::sql::write::one;

/// How the statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sql) enum Form {
    /// Two calls of several statements each.
    #[cfg(feature = "sqlite")]
    Scripts,
    /// A call for each statement that has something to do.
    #[cfg(feature = "mysql")]
    Statements,
}

/// Stores those members that hold; gives nothing for the others.
pub(in crate::store::sql) async fn together<D: Dialect>(
    db: &mut Session<'_, D>,
    texts: &'static Texts,
    batch: &Batch,
    form: Form,
) -> Result<Vec<Option<Outcome>>, Fault> {
    let ended = match (batch.members(), form) {
        #[cfg(feature = "sqlite")]
        ([member], Form::Scripts) => match single::store(db, texts, member).await {
            Ok(Some(outcome)) => return Ok(vec![outcome]),
            Ok(None) => transaction(db, texts, batch, form).await,
            Err(fault) => Err(fault),
        },
        #[cfg(feature = "mysql")]
        ([member], Form::Statements) => alone(db, member).await,
        _ => transaction(db, texts, batch, form).await,
    };
    match ended {
        // It may have been rolled back already; then this is refused.
        Err(fault @ (Fault::Sql(sqlx::Error::Database(_)) | Fault::Moved | Fault::Store(_))) => {
            match db.script("ROLLBACK").await {
                Ok(()) => Err(fault),
                Err(_) => Err(Fault::Store(fault.told::<D>())),
            }
        }
        ended => ended,
    }
}

/// One member, as it would be alone: its statements take their arguments as they are.
#[cfg(feature = "mysql")]
async fn alone<D: Dialect>(
    db: &mut Session<'_, D>,
    member: &Member,
) -> Result<Vec<Option<Outcome>>, Fault> {
    db.script(D::BEGIN).await?;
    let outcome = member.run(db).await?;
    db.committing = true;
    db.script("COMMIT").await.map_err(at_commit::<D>)?;
    Ok(vec![Some(outcome)])
}

async fn transaction<D: Dialect>(
    db: &mut Session<'_, D>,
    texts: &'static Texts,
    batch: &Batch,
    form: Form,
) -> Result<Vec<Option<Outcome>>, Fault> {
    let (mut commits, mut creations) = (Rows::default(), Rows::default());
    for member in batch.members() {
        match member {
            Member::Commit(commit) => commits.push(row![
                &commit.id().as_uuid().as_bytes()[..],
                &commit.command().as_uuid().as_bytes()[..],
            ])?,
            Member::Create(create) => {
                let key = create.0.row.state.key();
                let row = row![key.tenant.as_str(), key.flow.as_str(), key.subject.as_str()];
                creations.push(row)?;
            }
        }
    }
    let found = look(db, texts, form, commits, creations).await?;
    let (mut writes, mut outcomes) = (Writes::default(), Vec::with_capacity(batch.len()));
    let (mut at_commit, mut at_creation) = (0, 0);
    for member in batch.members() {
        outcomes.push(match member {
            Member::Commit(commit) => {
                at_commit += 1;
                match found.commits.iter().find(|(place, ..)| *place == at_commit) {
                    Some((_, tenant, seen)) if holds(commit, tenant, seen) => {
                        writes.commit(commit, seen)?;
                        Some(Outcome::Commit(CommitOutcome::Committed))
                    }
                    _ => None,
                }
            }
            Member::Create(create) => {
                at_creation += 1;
                if found.creations.contains(&at_creation) {
                    None
                } else {
                    writes.create(&create.0)?;
                    let row = create.0.row.clone();
                    Some(Outcome::Created(Created { row, fresh: true }))
                }
            }
        });
    }
    writes.send(db, texts, form).await?;
    Ok(outcomes)
}

/// Whether a commit is to be stored, given what it meets. Why not is found out by itself, alone.
fn holds(commit: &Commit, tenant: &str, seen: &Seen) -> bool {
    tenant == commit.tenant().as_str()
        && seen.replayed.is_none()
        && commit.fence.is_none_or(|fence| seen.holds(fence))
        && seen.revision == commit.expected
}

/// What was found, by the place among the commits and among the creations, from 1.
#[derive(Default)]
struct Found {
    commits: Vec<(i64, String, Seen)>,
    creations: Vec<i64>,
}

async fn look<D: Dialect>(
    db: &mut Session<'_, D>,
    texts: &'static Texts,
    form: Form,
    commits: Rows,
    creations: Rows,
) -> Result<Found, Fault> {
    let mut found = Found::default();
    match form {
        #[cfg(feature = "sqlite")]
        Form::Scripts => {
            let args = args![commits.into_json(), creations.into_json()];
            for row in &db.all(texts.look, args).await? {
                found.take::<D>(row)?;
            }
        }
        #[cfg(feature = "mysql")]
        Form::Statements => {
            db.script(D::BEGIN).await?;
            for (rows, text) in [(commits, texts.look), (creations, texts.finds)] {
                if rows.count() > 0 {
                    for row in &db.all(text, args![rows.into_json()]).await? {
                        found.take::<D>(row)?;
                    }
                }
            }
        }
    }
    Ok(found)
}

impl Found {
    /// Columns: place (negative for a creation), tenant, revision, kept fence, the queue's fence,
    /// leased, replayed.
    fn take<D: Dialect>(&mut self, row: &DbRow<D>) -> Result<(), Error> {
        let read = Reader::<D>::any(row, "an onboarding");
        let place = read.int(0, "a place")?;
        if place < 0 {
            self.creations.push(-place);
            return Ok(());
        }
        let queued = match read.maybe_int(4, "the queue's fence")? {
            Some(_) => Some((
                Fence::new(read.count(4, "the queue's fence")?),
                read.int(5, "the lease")? == 1,
            )),
            None => None,
        };
        let replayed = match read.maybe_int(6, "a journal entry")? {
            Some(_) => Some(Revision::new(read.count(6, "a journal entry")?)),
            None => None,
        };
        let seen = Seen {
            revision: Revision::new(read.count(2, "the revision")?),
            kept_fence: Fence::new(read.count(3, "the fence")?),
            queued,
            replayed,
        };
        let tenant = read.text(1, "the tenant")?;
        self.commits.push((place, tenant, seen));
        Ok(())
    }
}

/// What is written, a table at a time.
#[derive(Default)]
struct Writes {
    insert: Rows,
    advance: Rows,
    journal: Rows,
    put: Rows,
    remove: Rows,
    enqueue: Rows,
    wake: Rows,
    hold: Rows,
    hand_back: Rows,
    dequeue: Rows,
    post: Rows,
}

impl Writes {
    fn create(&mut self, new: &NewOnboarding) -> Result<(), Error> {
        let state = &new.row.state;
        let key = state.key();
        self.insert.push(row![
            &state.id().as_uuid().as_bytes()[..],
            key.tenant.as_str(),
            key.flow.as_str(),
            key.subject.as_str(),
            counter(state.revision().get())?,
            state.stage().as_str(),
            &encode(state)?,
            &new.row.head.as_bytes()[..],
            state.created_at().timestamp_micros(),
            new.entry.at.timestamp_micros(),
        ])?;
        self.entry(&new.entry)?;
        if let Some(after) = new.due {
            let id = state.id().as_uuid();
            let (tenant, flow) = (key.tenant.as_str(), key.flow.as_str());
            self.enqueue
                .push(row![&id.as_bytes()[..], tenant, flow, 0, micros(after)])?;
        }
        for (place, message) in new.outbox.iter().enumerate() {
            self.message(message, place)?;
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit, seen: &Seen) -> Result<(), Error> {
        let state = &commit.row.state;
        self.advance.push(row![
            &commit.id().as_uuid().as_bytes()[..],
            counter(commit.expected.get())?,
            counter(state.revision().get())?,
            state.stage().as_str(),
            counter(seen.fence_after(commit.queue).get())?,
            &encode(state)?,
            &commit.row.head.as_bytes()[..],
            commit.entry.at.timestamp_micros(),
        ])?;
        self.entry(&commit.entry)?;
        for change in &commit.facts {
            self.fact(commit, change)?;
        }
        self.queue(commit, seen)?;
        for (place, message) in commit.outbox.iter().enumerate() {
            self.message(message, place)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &JournalEntry) -> Result<(), Error> {
        self.journal.push(row![
            &entry.onboarding.as_uuid().as_bytes()[..],
            counter(entry.revision.get())?,
            &entry.command.as_uuid().as_bytes()[..],
            &entry.by.to_string(),
            entry.at.timestamp_micros(),
            entry.events.as_str(),
            &entry.hash.as_bytes()[..],
        ])
    }

    fn fact(&mut self, commit: &Commit, change: &FactChange) -> Result<(), Error> {
        let id = commit.id().as_uuid();
        match change {
            FactChange::Put(record) => self.put.push(row![
                &id.as_bytes()[..],
                record.fact.step().as_str(),
                i64::from(record.fact.version()),
                record.fact.json(),
                &record.salt[..],
                &record.by.to_string(),
                record.at.timestamp_micros(),
            ]),
            FactChange::Remove(step) => self.remove.push(row![&id.as_bytes()[..], step.as_str()]),
        }
    }

    fn queue(&mut self, commit: &Commit, seen: &Seen) -> Result<(), Error> {
        let id = commit.id().as_uuid();
        let id = &id.as_bytes()[..];
        let Some((fence, leased)) = seen.queued else {
            if let QueueChange::Wake(after) = commit.queue {
                let key = commit.row.state.key();
                let (tenant, flow) = (key.tenant.as_str(), key.flow.as_str());
                let fence = seen.entering()?;
                self.enqueue
                    .push(row![id, tenant, flow, fence, micros(after)])?;
            }
            return Ok(());
        };
        let fence = counter(fence.get())?;
        match commit.queue {
            QueueChange::Keep => Ok(()),
            QueueChange::Wake(after) if !leased => self.wake.push(row![id, fence, micros(after)]),
            QueueChange::Wake(_) | QueueChange::Hold => self.hold.push(row![id, fence]),
            QueueChange::Release(after) => self.hand_back.push(row![id, fence, micros(after)]),
            QueueChange::Remove => self.dequeue.push(row![id, fence]),
        }
    }

    fn message(&mut self, message: &OutboxMessage, place: usize) -> Result<(), Error> {
        self.post.push(row![
            &message.id.as_bytes()[..],
            message.key.tenant.as_str(),
            message.key.flow.as_str(),
            message.key.subject.as_str(),
            &message.onboarding.as_uuid().as_bytes()[..],
            counter(message.revision.get())?,
            limit(place),
            message.topic.as_str(),
            message.at.timestamp_micros(),
        ])
    }

    async fn send<D: Dialect>(
        self,
        db: &mut Session<'_, D>,
        texts: &'static Texts,
        form: Form,
    ) -> Result<(), Fault> {
        if self.insert.count() + self.advance.count() == 0 {
            return Ok(db.script("ROLLBACK").await?);
        }
        match form {
            #[cfg(feature = "sqlite")]
            Form::Scripts => {
                // In the order in which the script has them.
                let args = args![
                    self.insert.into_json(),
                    self.advance.into_json(),
                    self.journal.into_json(),
                    self.put.into_json(),
                    self.remove.into_json(),
                    self.enqueue.into_json(),
                    self.wake.into_json(),
                    self.hold.into_json(),
                    self.hand_back.into_json(),
                    self.dequeue.into_json(),
                    self.post.into_json(),
                ];
                db.committing = true;
                db.run(texts.write, args).await.map_err(at_commit::<D>)?;
            }
            #[cfg(feature = "mysql")]
            Form::Statements => {
                // A row that is replaced counts twice; one that was not there would count once.
                let replaced = self.advance.count() * 2;
                if replaced > 0 {
                    let args = args![self.advance.into_json()];
                    one(u64::from(db.run(texts.advance, args).await? == replaced))?;
                }
                let guarded = [
                    (self.insert, texts.insert),
                    (self.journal, texts.journal),
                    (self.enqueue, texts.enqueue),
                    (self.wake, texts.wake),
                    (self.hold, texts.hold),
                    (self.hand_back, texts.hand_back),
                    (self.dequeue, texts.dequeue),
                    (self.post, texts.post),
                ];
                for (rows, text) in guarded {
                    let expected = rows.count();
                    if expected > 0 {
                        let changed = db.run(text, args![rows.into_json()]).await?;
                        one(u64::from(changed == expected))?;
                    }
                }
                for (rows, text) in [(self.put, texts.put), (self.remove, texts.remove)] {
                    if rows.count() > 0 {
                        db.run(text, args![rows.into_json()]).await?;
                    }
                }
                db.committing = true;
                db.script("COMMIT").await.map_err(at_commit::<D>)?;
            }
        }
        Ok(())
    }
}
