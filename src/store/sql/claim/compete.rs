//! Looking without locks, and taking by compare-and-swap what was seen.
//!
//! The transaction that takes touches rows by their keys alone, in an order that is the same for
//! all: entries by identity, then slots by tenant and number. Nobody waits for a slot while somebody
//! waits for an entry of his, so no two wait for each other.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::store::claim::{ClaimOrder, ClaimRequest};
use crate::store::error::Error;
use crate::store::record::Lease;
use crate::store::sql::body::SqlStore;
use crate::store::sql::claim::recall::{Learned, Overlong, Plan, Reached};
use crate::store::sql::claim::slots::{self, Slot};
use crate::store::sql::claim::take::Turns;
use crate::store::sql::claim::texts::ClaimTexts;
use crate::store::sql::claim::{ClaimStrategy, Entry, leases};
use crate::store::sql::codec::{limit, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;

/// How often is looked again when all that was seen was lost to others.
const TRIES: usize = 4;

/// How many buckets there are.
const BUCKETS: u64 = 32;

/// How many due entries are looked at, at least and at most.
const WINDOW: (usize, usize) = (128, 1_024);

/// How many tenants are looked at in one claim.
const PROBES: usize = 64;

/// Claims by competing.
pub(super) async fn claim<D: Dialect>(
    store: &SqlStore<D>,
    request: &ClaimRequest,
    plan: Plan,
) -> Result<(Vec<Lease>, Learned), Error> {
    let texts = &store.names.claims;
    let mut plan = plan;
    let mut tries = 1;
    loop {
        let look = Look {
            request: request.clone(),
            plan: plan.clone(),
            texts,
            buckets: store.strategy == ClaimStrategy::Buckets && request.order == ClaimOrder::Fair,
        };
        let (seen, mut learned) = store.read(look).await?;
        if seen.len() < request.max && plan.overlong.wanted(seen.is_empty()) {
            learned.overlong = store.free_overlong(&request.flow).await;
        }
        let lost = !seen.is_empty();
        let compete = Compete {
            request: request.clone(),
            seen,
            texts,
        };
        let taken = if lost {
            store.write(compete).await?
        } else {
            Vec::new()
        };
        if !lost || !taken.is_empty() || tries == TRIES {
            return Ok((taken, learned));
        }
        tries += 1;
        plan.after = learned.after;
        plan.overlong = Overlong::Spared;
        // Another bucket: whoever was faster works in this one.
        plan.dice = Uuid::new_v4().as_u64_pair().0;
    }
}

/// What was seen free, to be taken.
struct Seen {
    entry: Entry,
    slot: Option<Slot>,
}

/// Looks for what can be taken.
struct Look {
    request: ClaimRequest,
    plan: Plan,
    texts: &'static ClaimTexts,
    buckets: bool,
}

impl<D: Dialect> Work<D> for Look {
    type Out = (Vec<Seen>, Learned);

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Self::Out, Fault> {
        let mut learned = self.plan.begin();
        let mut chosen = Chosen::default();
        if self.plan.in_turn {
            self.by_turns::<D>(db, &mut chosen, &mut learned).await?;
        }
        if chosen.seen.len() < self.request.max {
            self.by_age::<D>(db, &mut chosen, &mut learned).await?;
        }
        // Those due longest may all be of tenants at their limit.
        let limited = self.request.per_tenant.is_some();
        if chosen.seen.len() < self.request.max && limited && !self.plan.in_turn {
            self.by_turns::<D>(db, &mut chosen, &mut learned).await?;
        }
        learned.took = learned.began.elapsed();
        Ok((chosen.seen, learned))
    }
}

impl Look {
    async fn by_turns<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        chosen: &mut Chosen,
        learned: &mut Learned,
    ) -> Result<(), Fault> {
        let mut turns = Turns::new(&self.plan.after, PROBES);
        while chosen.seen.len() < self.request.max
            && let Some(entry) = turns.next::<D>(db, self.texts, &self.request).await?
        {
            if entry.age < 0 {
                continue;
            }
            let entry = match self.behind::<D>(db, &entry).await? {
                Some(other) => other,
                None => entry,
            };
            chosen.offer::<D>(db, self, entry).await?;
        }
        learned.alone = turns.alone();
        learned.after = turns.after;
        Ok(())
    }

    /// One of a tenant's that others are less likely to take at the same time.
    async fn behind<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        first: &Entry,
    ) -> Result<Option<Entry>, Fault> {
        let places = i64::try_from(self.plan.dice % BUCKETS).unwrap_or(0);
        if !self.buckets || places == 0 {
            return Ok(None);
        }
        let args = args![self.request.flow.as_str(), first.tenant.as_str(), places];
        let rows = db.all(self.texts.behind, args).await?;
        let entry = rows
            .first()
            .and_then(|row| Entry::read::<D>(row, &self.request.flow));
        Ok(entry)
    }

    async fn by_age<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        chosen: &mut Chosen,
        learned: &mut Learned,
    ) -> Result<(), Fault> {
        let flow = &self.request.flow;
        let (least, most) = WINDOW;
        let rows = self.request.max.saturating_mul(BUCKETS as usize);
        let rows = rows.clamp(least, most).max(self.request.max);
        let args = args![flow.as_str(), self.plan.span, limit(rows)];
        let due = db.all(self.texts.window, args).await?;
        let due = due.iter().filter_map(|row| Entry::read::<D>(row, flow));
        let mut due: Vec<Entry> = due.collect();
        // The oldest of all that was looked at, since some of them may be left.
        learned.reached = due
            .first()
            .map_or(Reached::End, |first| Reached::Age(first.age));
        if self.buckets {
            // The first bucket, then the others: whatever is due is found.
            due.sort_by_key(|entry| {
                let bits = entry.id.as_u64_pair().1;
                bits.wrapping_sub(self.plan.dice) % BUCKETS
            });
        }
        for entry in due {
            if chosen.seen.len() == self.request.max {
                break;
            }
            chosen.offer::<D>(db, self, entry).await?;
        }
        Ok(())
    }
}

/// What will be taken, and what room each tenant still has.
#[derive(Default)]
struct Chosen {
    seen: Vec<Seen>,
    ids: HashSet<Uuid>,
    free: BTreeMap<String, Vec<Slot>>,
}

impl Chosen {
    /// Chooses it, if it is not chosen yet and there is room for it.
    async fn offer<D: Dialect>(
        &mut self,
        db: &mut Session<'_, D>,
        look: &Look,
        entry: Entry,
    ) -> Result<(), Fault> {
        if self.ids.contains(&entry.id) {
            return Ok(());
        }
        let slot = match look.request.per_tenant {
            None => None,
            Some(limit) => {
                if !self.free.contains_key(&entry.tenant) {
                    let flow = &look.request.flow;
                    let free =
                        slots::free::<D>(db, look.texts, flow, &entry.tenant, limit.get()).await?;
                    self.free.insert(entry.tenant.clone(), free);
                }
                let free = self.free.get_mut(&entry.tenant);
                match free.and_then(Vec::pop) {
                    Some(slot) => Some(slot),
                    None => return Ok(()),
                }
            }
        };
        self.ids.insert(entry.id);
        self.seen.push(Seen { entry, slot });
        Ok(())
    }
}

/// Takes what was seen, as far as it still is as it was.
struct Compete {
    request: ClaimRequest,
    seen: Vec<Seen>,
    texts: &'static ClaimTexts,
}

/// What is done to an entry: first leases that ran out are ended, then entries are taken.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    End { fence: i64, for_the: usize },
    Take { the: usize },
}

impl<D: Dialect> Work<D> for Compete {
    type Out = Vec<Lease>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<Lease>, Fault> {
        let mut taken = vec![false; self.seen.len()];
        let mut holds = vec![true; self.seen.len()];
        for (id, step) in self.steps() {
            match step {
                Step::End { fence, for_the } => {
                    let ended = db.run(self.texts.expire, args![id, fence]).await?;
                    holds[for_the] = ended == 1;
                }
                Step::Take { the } => {
                    taken[the] = self.take::<D>(db, &self.seen[the].entry).await?;
                }
            }
        }
        let mut places: Vec<_> = (0..self.seen.len()).collect();
        places.sort_by_key(|at| {
            let Seen { entry, slot } = &self.seen[*at];
            (&entry.tenant, slot.as_ref().map(|slot| slot.number))
        });
        for at in places {
            let Seen { entry, slot } = &self.seen[at];
            let Some(slot) = slot.as_ref().filter(|_| taken[at]) else {
                continue;
            };
            let flow = &self.request.flow;
            if !holds[at] || !slot.take::<D>(db, self.texts, flow, entry).await? {
                taken[at] = false;
                self.give_up::<D>(db, entry).await?;
            }
        }
        let taken = self.seen.iter().zip(taken).filter(|(_, taken)| *taken);
        Ok(leases(taken.map(|(seen, _)| &seen.entry)))
    }
}

impl Compete {
    /// What is done to entries, in the order of their identities.
    fn steps(&self) -> Vec<(Uuid, Step)> {
        let mut steps = Vec::new();
        for (at, Seen { entry, slot }) in self.seen.iter().enumerate() {
            if let Some((id, fence)) = slot.as_ref().and_then(Slot::over) {
                steps.push((id, Step::End { fence, for_the: at }));
            }
            steps.push((entry.id, Step::Take { the: at }));
        }
        steps.sort();
        steps
    }

    async fn take<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        entry: &Entry,
    ) -> Result<bool, Fault> {
        let lease = micros(self.request.lease);
        let worker = self.request.worker.as_str();
        let args = args![lease, lease, worker, entry.id, entry.fence];
        Ok(db.run(self.texts.compete, args).await? == 1)
    }

    /// Puts back what there was no room for, where it was.
    async fn give_up<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let args = args![entry.age, entry.id, entry.fence.saturating_add(1)];
        db.run(self.texts.give_up, args).await?;
        Ok(())
    }
}
