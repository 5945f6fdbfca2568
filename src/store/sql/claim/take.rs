//! Finding, locking and taking in one transaction.

use std::collections::HashSet;

use crate::store::claim::ClaimRequest;
use crate::store::record::Lease;
use crate::store::sql::claim::recall::{Learned, Plan, Reached};
use crate::store::sql::claim::texts::ClaimTexts;
use crate::store::sql::claim::{Entry, leases};
use crate::store::sql::codec::{Reader, limit, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{Arg, args};
use crate::store::sql::fault::Fault;
use crate::store::sql::group::rows::{Rows, row};
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;
use crate::store::sql::write::one;

/// How many tenants get a turn in one claim at most, and how many more are looked at: some have nothing
/// due.
const TURNS: usize = 64;
const SPARE: usize = 16;

/// The place of what is not taken in turn.
const REST: i64 = 1_000_000;

/// A claim that others lock nothing of.
pub(super) struct Take {
    pub(super) request: ClaimRequest,
    pub(super) plan: Plan,
    pub(super) texts: &'static ClaimTexts,
}

impl<D: Dialect> Work<D> for Take {
    type Out = (Vec<Lease>, Learned);

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Self::Out, Fault> {
        let mut learned = self.plan.begin();
        let taken = match self.is_one_statement() {
            true => self.in_one::<D>(db, &mut learned).await?,
            false => self.in_steps::<D>(db, &mut learned).await?,
        };
        learned.took = learned.began.elapsed();
        if taken.len() < self.request.max {
            learned.reached = Reached::End;
        } else if !self.plan.in_turn {
            learned.reached = taken
                .last()
                .map_or(Reached::End, |last| Reached::Age(last.age));
        }
        Ok((leases(taken.iter()), learned))
    }
}

impl Take {
    /// Whether it is one statement, and needs no transaction around it.
    pub(super) fn is_one_statement(&self) -> bool {
        !self.texts.oldest.is_empty()
    }

    /// One statement.
    async fn in_one<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        learned: &mut Learned,
    ) -> Result<Vec<Entry>, Fault> {
        let ClaimRequest {
            flow, worker, max, ..
        } = &self.request;
        let lease = micros(self.request.lease);
        let wanted = limit(*max);
        let probes = limit(*max.min(&TURNS) + SPARE);
        let (text, args): (_, Vec<Arg>) = if self.plan.in_turn {
            let args = args![
                flow.as_str(),
                self.plan.after.as_str(),
                probes,
                wanted,
                flow.as_str(),
                wanted - 1,
                wanted,
                wanted,
                lease,
                lease,
                worker.as_str(),
            ];
            (self.texts.in_turn, args)
        } else {
            let span = self.plan.span;
            let args = args![flow.as_str(), span, wanted, lease, lease, worker.as_str()];
            (self.texts.oldest, args)
        };
        let mut taken = Vec::new();
        let mut looked_at: Option<(i64, String)> = None;
        let mut turns = 0;
        for row in &db.all(text, args).await? {
            let read = Reader::<D>::any(row, "a queue entry");
            let place = read.int(5, "a place")?;
            if read.maybe_int(2, "the fence")?.is_none() {
                let tenant = read.text(1, "the tenant")?;
                turns += 1;
                if looked_at.as_ref().is_none_or(|(last, _)| *last < place) {
                    looked_at = Some((place, tenant));
                }
                continue;
            }
            taken.extend(Entry::read::<D>(row, flow).map(|entry| (place, entry)));
        }
        taken.sort_by_key(|(place, entry)| (*place, -entry.age));
        if self.plan.in_turn {
            let ended = turns < probes;
            learned.alone = ended && turns <= 1 && self.plan.after.is_empty();
            // Who was looked at and not taken, for want of room, comes first next time.
            let last = taken.last().filter(|(place, _)| *place < REST);
            learned.after = match (last, looked_at) {
                (Some((at, entry)), _) if taken.len() == *max && !(ended && *at == turns) => {
                    entry.tenant.clone()
                }
                (_, Some((_, tenant))) if !ended => tenant,
                _ => String::new(),
            };
        }
        Ok(taken.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Finds, then takes all at once.
    async fn in_steps<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        learned: &mut Learned,
    ) -> Result<Vec<Entry>, Fault> {
        let ClaimRequest {
            flow, worker, max, ..
        } = &self.request;
        let mut found = Vec::new();
        // A damaged name sorts elsewhere than it is read, so the walk may come by it again.
        let mut met = HashSet::new();
        if self.plan.in_turn {
            let mut turns = Turns::new(&self.plan.after, *max.min(&TURNS) + SPARE);
            while found.len() < *max
                && let Some(entry) = turns.next::<D>(db, self.texts, &self.request).await?
            {
                if entry.age >= 0 && met.insert(entry.id) {
                    found.push(entry);
                }
            }
            learned.alone = turns.alone();
            learned.after = turns.after;
            self.pin::<D>(db, &mut found).await?;
        }
        if found.len() < *max {
            let mut ids: HashSet<_> = found.iter().map(|entry| entry.id).collect();
            let args = args![flow.as_str(), self.plan.span, limit(*max)];
            let due = db.all(self.texts.due, args).await?;
            for entry in due.iter().filter_map(|row| Entry::read::<D>(row, flow)) {
                if found.len() < *max && ids.insert(entry.id) {
                    found.push(entry);
                }
            }
        }
        if found.is_empty() {
            return Ok(found);
        }
        let mut rows = Rows::default();
        for entry in &found {
            let lease = micros(self.request.lease);
            let id = &entry.id.as_bytes()[..];
            rows.push(row![id, entry.fence, lease, worker.as_str()])?;
        }
        let expected = rows.count();
        let taken = db.run(self.texts.take, args![rows.into_json()]).await?;
        one(u64::from(taken == expected))?;
        Ok(found)
    }

    /// Locks what was found by turns, and forgets what others took.
    async fn pin<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        found: &mut Vec<Entry>,
    ) -> Result<(), Fault> {
        if self.texts.pin.is_empty() || found.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::default();
        for entry in &*found {
            rows.push(row![&entry.id.as_bytes()[..], entry.fence])?;
        }
        let mut pinned = HashSet::new();
        for row in &db.all(self.texts.pin, args![rows.into_json()]).await? {
            let read = Reader::<D>::any(row, "a queue entry");
            pinned.insert(read.uuid(0, "the onboarding")?);
        }
        found.retain(|entry| pinned.contains(&entry.id));
        Ok(())
    }
}

/// A walk from tenant to tenant, once around.
pub(super) struct Turns {
    /// The tenant that it stands at.
    pub(super) after: String,
    began: String,
    around: bool,
    steps: usize,
}

impl Turns {
    pub(super) fn new(after: &str, steps: usize) -> Self {
        Self {
            after: after.to_owned(),
            began: after.to_owned(),
            around: after.is_empty(),
            steps,
        }
    }

    /// Whether it came back to where it began and met nobody else.
    pub(super) fn alone(&self) -> bool {
        self.around && !self.began.is_empty() && self.began == self.after
    }

    /// What is due soonest of the next tenant, due or not.
    pub(super) async fn next<D: Dialect>(
        &mut self,
        db: &mut Session<'_, D>,
        texts: &'static ClaimTexts,
        request: &ClaimRequest,
    ) -> Result<Option<Entry>, Fault> {
        while self.steps > 0 {
            self.steps -= 1;
            let args = args![request.flow.as_str(), self.after.as_str()];
            let rows = db.all(texts.probe, args).await?;
            match rows.first() {
                Some(row) => {
                    let tenant = Reader::<D>::any(row, "a queue entry").text_as_it_is(1);
                    if self.around && !self.began.is_empty() && tenant > self.began {
                        return Ok(None);
                    }
                    self.after = tenant;
                    if let Some(entry) = Entry::read::<D>(row, &request.flow) {
                        return Ok(Some(entry));
                    }
                }
                None if self.around => {
                    self.after.clear();
                    return Ok(None);
                }
                None => {
                    self.after.clear();
                    self.around = true;
                }
            }
        }
        Ok(None)
    }
}
