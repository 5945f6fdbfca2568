//! The outbox: handing messages out, one of each onboarding at a time, and what becomes of them.
//!
//! What is due is one range of one index, in index order. Whoever waits behind an older message of its
//! onboarding is moved to where that one is due, once for each time it is put off; so what is looked
//! at is what can be handed out, but for a few, however many messages there are.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use crate::id::{Fence, OnboardingId};
use crate::store::delivery::{DeadLetter, Delivery, OUTBOX_LOOK, OutboxLag, Settlement};
use crate::store::error::Error;
use crate::store::sql::codec::{self, Reader, counter, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{Arg, DbRow, args};
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;

/// How many due messages are looked at in one go, at least and at most.
const WINDOW: (usize, usize) = (64, 1_024);

/// How often is looked in one transaction.
const LOOKS: u32 = 16;

/// Hand out the oldest message of each onboarding, if it is due.
pub(super) struct Take {
    pub(super) max: usize,
    pub(super) hidden: Duration,
}

/// Where a message is in the outbox, and what was seen of it.
struct Seen {
    onboarding: Uuid,
    /// The revision of its commit, and its place among the messages of that.
    at: (i64, i64),
    fence: i64,
    due: i64,
}

/// The oldest message of an onboarding that is not dead.
#[derive(Clone, Copy)]
struct First {
    at: (i64, i64),
    due: Due,
}

#[derive(Clone, Copy)]
enum Due {
    At(i64),
    /// It was handed out just now.
    AfterHiding,
}

impl First {
    fn hidden(self) -> Self {
        let due = Due::AfterHiding;
        Self { due, ..self }
    }
}

impl Seen {
    fn read<D: Dialect>(row: &DbRow<D>) -> Result<Self, Error> {
        let read = Reader::<D>::any(row, "an outbox message");
        // Handing it out counts both up.
        let counted = [(9, "the fence"), (10, "the attempts")];
        for (column, what) in counted {
            if read.int(column, what)? == i64::MAX {
                return Err(read.corrupt(what)("the number is out of range"));
            }
        }
        Ok(Self {
            onboarding: read.uuid(5, "the onboarding")?,
            at: (read.int(6, "the revision")?, read.int(1, "the place")?),
            fence: read.int(9, "the fence")?,
            due: read.int(11, "the time")?,
        })
    }

    async fn first<D: Dialect>(&self, db: &mut Session<'_, D>) -> Result<Option<First>, Fault> {
        let rows = db.all(db.sql.first_outbox, args![self.onboarding]).await?;
        let first = rows.first().map(|row| {
            let read = Reader::<D>::any(row, "an outbox message");
            Ok::<_, Error>(First {
                at: (read.int(0, "the revision")?, read.int(1, "the place")?),
                due: Due::At(read.int(2, "the time")?),
            })
        });
        Ok(first.transpose()?)
    }

    /// What every statement names it by, as it was seen.
    fn args(&self) -> Vec<Arg> {
        args![self.onboarding, self.at.0, self.at.1, self.fence]
    }
}

impl<D: Dialect> Work<D> for Take {
    type Out = Vec<Delivery>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Delivery>, Fault> {
        let (least, most) = WINDOW;
        let window = self.max.saturating_mul(2).clamp(least, most);
        let mut taken = Vec::new();
        for _ in 0..LOOKS {
            // What others hold is passed over, where there may be others: so nobody waits here.
            let due = db
                .all(db.sql.due_outbox, args![codec::limit(window)])
                .await?;
            let looked_at = due.len();
            if !self.look::<D>(db, &due, &mut taken).await?
                || looked_at < window
                || taken.len() >= self.max
            {
                break;
            }
        }
        Ok(taken)
    }
}

impl Take {
    /// Takes what can be handed out, and moves what waits. Gives whether that changed anything.
    async fn look<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        due: &[DbRow<D>],
        taken: &mut Vec<Delivery>,
    ) -> Result<bool, Fault> {
        let (mut changed, mut waiting) = (false, Vec::new());
        let mut firsts = HashMap::new();
        for row in due {
            if taken.len() >= self.max {
                break;
            }
            let seen = match Seen::read::<D>(row) {
                Ok(seen) => seen,
                Err(error) => {
                    // Nobody can take it, so it is left where it is; all others go on.
                    tracing::error!(%error, "passed over in the outbox");
                    continue;
                }
            };
            let id = seen.onboarding;
            // Asked only now that it is locked: whatever is older was stored before it, so it is seen.
            let first = match firsts.get(&id) {
                Some(first) => *first,
                None => seen.first::<D>(db).await?,
            };
            firsts.insert(id, first);
            if first.is_some_and(|first| first.at == seen.at) {
                taken.extend(self.hide::<D>(db, row, &seen).await?);
                firsts.insert(id, first.map(First::hidden));
                changed = true;
            } else {
                waiting.push(seen);
            }
        }
        for seen in waiting {
            let first = firsts.get(&seen.onboarding).copied().flatten();
            changed |= match first.map(|first| first.due) {
                Some(Due::At(due)) if due > seen.due => {
                    let mut args = args![due];
                    args.extend(seen.args());
                    db.run(db.sql.move_outbox, args).await? == 1
                }
                Some(Due::AfterHiding) => {
                    let mut args = args![micros(self.hidden)];
                    args.extend(seen.args());
                    db.run(db.sql.defer_outbox, args).await? == 1
                }
                // Due, and not ours: somebody else is just taking it.
                Some(Due::At(_)) | None => false,
            };
        }
        Ok(changed)
    }

    async fn hide<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        row: &DbRow<D>,
        seen: &Seen,
    ) -> Result<Option<Delivery>, Fault> {
        let mut args = args![micros(self.hidden)];
        args.extend(seen.args());
        if db.run(db.sql.hide_outbox, args).await? != 1 {
            return Ok(None);
        }
        match delivery::<D>(row) {
            Ok(delivery) => Ok(Some(delivery)),
            Err(error) => {
                // Hidden, not given out: so it keeps nobody but its own onboarding waiting, and the
                // lag tells of it.
                let onboarding = OnboardingId::from_uuid(seen.onboarding);
                tracing::error!(%onboarding, %error, "skipped in the outbox");
                Ok(None)
            }
        }
    }
}

/// A message as it is handed out now: once more than was seen.
fn delivery<D: Dialect>(row: &DbRow<D>) -> Result<Delivery, Error> {
    let message = codec::message::<D>(row)?;
    let read = Reader::<D>::of(row, message.onboarding);
    let what = "an outbox message";
    Ok(Delivery {
        place: read.count(1, what)?,
        fence: Fence::new(read.count(9, what)?).next(),
        attempt: read.count::<u32>(10, what)?.saturating_add(1),
        message,
    })
}

/// Say how deliveries ended.
pub(super) struct Settle(pub(super) Vec<(Delivery, Settlement)>);

impl<D: Dialect> Work<D> for Settle {
    type Out = ();

    async fn run(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        for (delivery, settlement) in &self.0 {
            let onboarding = delivery.message.onboarding.as_uuid();
            let revision = counter(delivery.message.revision.get())?;
            let place = i64::from(delivery.place);
            let fence = counter(delivery.fence.get())?;
            let (statement, mut args) = match settlement {
                Settlement::Delivered => (db.sql.delete_outbox, args![]),
                Settlement::Later(after) => (db.sql.defer_outbox, args![micros(*after)]),
                Settlement::Dead(reason) => (db.sql.bury_outbox, args![reason.as_str()]),
            };
            args.extend(args![onboarding, revision, place, fence]);
            let settled = db.run(statement, args).await? == 1;
            if settled && !matches!(settlement, Settlement::Later(_)) {
                db.run(db.sql.wake_outbox, args![onboarding]).await?;
            }
        }
        Ok(())
    }
}

/// When the next message is due.
pub(super) struct NextDue;

impl<D: Dialect> Work<D> for NextDue {
    type Out = Option<Duration>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Option<Duration>, Fault> {
        span::<D>(db, db.sql.next_outbox, args![]).await
    }
}

/// From the second time of a query to the first; none when one is NULL, zero when it is past. Subtracted
/// here, because a database fails where a damaged time is out of its range, and then nobody is told of any.
async fn span<D: Dialect>(
    db: &mut Session<'_, D>,
    query: &'static str,
    args: Vec<Arg>,
) -> Result<Option<Duration>, Fault> {
    let rows = db.all(query, args).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let read = Reader::<D>::any(row, "the outbox");
    let (to, from) = (read.maybe_int(0, "a time")?, read.maybe_int(1, "a time")?);
    let micros = to.zip(from).map(|(to, from)| to.saturating_sub(from));
    Ok(micros.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0))))
}

/// Messages that are dead.
pub(super) struct Dead(pub(super) usize);

impl<D: Dialect> Work<D> for Dead {
    type Out = Vec<DeadLetter>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<DeadLetter>, Fault> {
        let rows = db
            .all(db.sql.dead_outbox, args![codec::limit(self.0)])
            .await?;
        let mut letters = Vec::with_capacity(rows.len());
        for row in &rows {
            match codec::dead::<D>(row) {
                Ok(letter) => letters.push(letter),
                // The others are listed all the same.
                Err(error) => tracing::error!(%error, "left out of the dead messages"),
            }
        }
        Ok(letters)
    }
}

/// Make a dead message due.
pub(super) struct Revive(pub(super) Uuid);

impl<D: Dialect> Work<D> for Revive {
    type Out = bool;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<bool, Fault> {
        Ok(db.run(db.sql.revive_outbox, args![self.0]).await? > 0)
    }
}

/// How far delivery is behind.
pub(super) struct Lag;

impl<D: Dialect> Work<D> for Lag {
    type Out = OutboxLag;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<OutboxLag, Fault> {
        let most = counter(OUTBOX_LOOK)?;
        let oldest = span::<D>(db, db.sql.oldest_outbox, args![most]).await?;
        let rows = db.all(db.sql.count_dead_outbox, args![most]).await?;
        let dead = match rows.first() {
            Some(row) => Reader::<D>::any(row, "the outbox").count(0, "a count")?,
            None => 0,
        };
        Ok(OutboxLag { oldest, dead })
    }
}
