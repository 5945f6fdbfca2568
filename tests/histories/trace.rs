//! A random trace of operations, one after another, and what a store answers.

use std::time::Duration;

use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Delivery, Error, FactRecord, Lease, NewOnboarding, Row,
    Settlement, StepProgress, WorkerId, verify,
};
use onramp::{Actor, Fence, Revision};

use crate::histories::chance::Chance;
use crate::histories::onboard::{LATER, Place};

/// Two onboardings, and how long it goes on with them.
pub(crate) struct Trace {
    seed: u64,
    place: Place,
    new: [NewOnboarding; 2],
    /// What others would create in their place.
    again: [NewOnboarding; 2],
    length: usize,
}

/// What was learnt of a store on the way: the same at every store that answers the same.
#[derive(Default)]
struct Known {
    rows: [Vec<Row>; 2],
    leases: Vec<Lease>,
    deliveries: Vec<Delivery>,
    commits: Vec<Commit>,
}

impl Trace {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        let place = Place::new(&format!("{name}/{seed}"));
        let [new, again] = [(); 2].map(|()| [place.creation(0), place.beginning(1)]);
        let length = 10 + Chance::new(!seed).below(30);
        Self {
            seed,
            place,
            new,
            again,
            length,
        }
    }

    /// Plays it on a store. Gives what was asked, and what was answered, as text: whatever differs by
    /// right (the time, the number of a fence) is left out.
    pub(crate) async fn play(&self, store: &dyn Store) -> Result<Vec<String>, Error> {
        let mut chance = Chance::new(self.seed);
        let mut known = Known::default();
        let mut told = Vec::new();
        for number in 0..self.length {
            let (asked, answer) = self.step(store, &mut known, number, &mut chance).await?;
            told.push(format!("{asked} -> {answer}"));
        }
        for new in &self.new {
            told.push(self.all_of(store, new).await?);
        }
        drain(store).await?;
        Ok(told)
    }

    async fn step(
        &self,
        store: &dyn Store,
        known: &mut Known,
        number: usize,
        chance: &mut Chance,
    ) -> Result<(String, String), Error> {
        let which = usize::from(chance.one_in(4));
        if known.rows[which].is_empty() || chance.one_in(20) {
            let first = known.rows[which].is_empty();
            let new = if first { &self.new } else { &self.again };
            let created = store.create(new[which].clone()).await?;
            let told = format!("{} {}", created.fresh, row(&created.row));
            known.rows[which].push(created.row);
            return Ok((format!("create {which}"), told));
        }
        Ok(match chance.below(20) {
            0..=8 => self.commit(store, known, (which, number), chance).await?,
            9..=11 => self.claim(store, known, chance).await?,
            12 => {
                let (id, loaded) = (self.new[which].row.state.id(), &mut known.rows[which]);
                let found = match chance.one_in(2) {
                    true => store.load(&self.place.tenant, id).await?,
                    false => store.find(&self.place.key(which)).await?,
                };
                let told = found.as_ref().map(row);
                loaded.extend(found);
                (format!("load {which}"), format!("{told:?}"))
            }
            13..=15 => self.lease(store, known, (which, number), chance).await?,
            16 | 17 => {
                let hidden = [Duration::ZERO, LATER][chance.below(2)];
                let mut taken = store.take_outbox(100, hidden).await?;
                taken.sort_by_key(|taken| (taken.message.key.clone(), taken.place));
                let told: Vec<_> = taken.iter().map(delivery).collect();
                known.deliveries.extend(taken);
                (format!("take, hidden {hidden:?}"), told.join(", "))
            }
            _ => self.message(store, known, chance).await?,
        })
    }

    async fn commit(
        &self,
        store: &dyn Store,
        known: &mut Known,
        (which, number): (usize, usize),
        chance: &mut Chance,
    ) -> Result<(String, String), Error> {
        let old = chance.one_in(8);
        let rows = &known.rows[which];
        let newest = rows.iter().max_by_key(|row| row.state.revision());
        let before = match old {
            true => chance.of(rows),
            false => newest,
        };
        let Some(before) = before.cloned() else {
            return Ok(("commit".into(), "nothing".into()));
        };
        let wish = self.place.wish(&before, number, chance);
        let name = wish.action.operation().as_str();
        let lease = lease_of(known, before.state.id(), chance.one_in(8), chance);
        let fence = match (&wish.by, lease) {
            (Actor::Worker, Some(lease)) => Some(lease.fence),
            // One that nobody has been given.
            (Actor::Worker, None) => Some(Fence::new(1 << 40)),
            _ => None,
        };
        let again = chance.one_in(10);
        let again = chance.of(&known.commits).filter(|_| again).cloned();
        let repeated = again.is_some();
        let made = again.or_else(|| self.place.commit(&before, &wish, fence, number));
        let at = before.state.revision();
        let asked = format!("{name} of {which} at {at}, repeated: {repeated}");
        let Some(commit) = made else {
            return Ok((asked, "nothing to commit".into()));
        };
        known.commits.push(commit.clone());
        let after = commit.row.clone();
        let outcome = store.commit(commit).await?;
        let told = outcome_told(&outcome);
        match outcome {
            CommitOutcome::Committed => {
                let which = usize::from(after.state.id() != self.new[0].row.state.id());
                known.rows[which].push(after);
            }
            CommitOutcome::Conflict { current } => known.rows[which].push(*current),
            _ => {}
        }
        Ok((asked, told))
    }

    async fn claim(
        &self,
        store: &dyn Store,
        known: &mut Known,
        chance: &mut Chance,
    ) -> Result<(String, String), Error> {
        let lease = [LATER, LATER, Duration::ZERO][chance.below(3)];
        let worker = WorkerId::new("history");
        let request = ClaimRequest::new(self.place.plan.flow(), &worker);
        let mut claimed = store.claim(&request.max(10).lease(lease)).await?;
        claimed.sort_by_key(|lease| self.which(lease));
        let told: Vec<_> = claimed
            .iter()
            .map(|lease| {
                let mut before = known.leases.iter().filter(|known| known.id == lease.id);
                let higher = before.all(|before| before.fence < lease.fence);
                format!(
                    "{} attempt {} higher: {higher}",
                    self.which(lease),
                    lease.attempt
                )
            })
            .collect();
        known.leases.extend(claimed);
        Ok((format!("claim for {lease:?}"), told.join(", ")))
    }

    fn which(&self, lease: &Lease) -> usize {
        usize::from(lease.id != self.new[0].row.state.id())
    }

    /// What is done under a lease besides committing.
    async fn lease(
        &self,
        store: &dyn Store,
        known: &mut Known,
        (which, number): (usize, usize),
        chance: &mut Chance,
    ) -> Result<(String, String), Error> {
        let id = self.new[which].row.state.id();
        let Some(lease) = lease_of(known, id, chance.one_in(4), chance) else {
            let due = store
                .next_due(std::slice::from_ref(self.place.plan.flow()))
                .await?;
            let told = due.map(|due| if due.is_zero() { "now" } else { "later" });
            return Ok(("next due".into(), format!("{told:?}")));
        };
        let rest = [Duration::ZERO, LATER][chance.below(2)];
        let at = chance
            .of(&known.rows[which])
            .map(|row| row.state.revision());
        let at = at.unwrap_or(Revision::new(1));
        Ok(match chance.below(5) {
            0 => {
                let kept = store.renew(std::slice::from_ref(&lease), rest).await?;
                (
                    format!("renew {which} for {rest:?}"),
                    format!("{}", kept.len()),
                )
            }
            1 => {
                store.release(&lease, rest).await?;
                (format!("release {which} for {rest:?}"), String::new())
            }
            2 | 3 => {
                let rest = Some(rest).filter(|_| !chance.one_in(2));
                store.park(&lease, at, rest).await?;
                (format!("park {which} at {at} for {rest:?}"), String::new())
            }
            _ => {
                let progress = StepProgress::new("build".into(), 1, number as u32, 99, "Building");
                let held = store.report(&lease, &progress).await?;
                (format!("report on {which}"), held.to_string())
            }
        })
    }

    async fn message(
        &self,
        store: &dyn Store,
        known: &mut Known,
        chance: &mut Chance,
    ) -> Result<(String, String), Error> {
        let old = chance.one_in(3);
        let taken = match old {
            true => chance.of(&known.deliveries),
            false => known.deliveries.last(),
        };
        let Some(taken) = taken.cloned() else {
            return Ok(("settle".into(), "nothing".into()));
        };
        let what = delivery(&taken);
        let settlement = match chance.below(6) {
            0 | 1 => Settlement::Delivered,
            2 => Settlement::Later(Duration::ZERO),
            3 => Settlement::Later(LATER),
            4 => Settlement::Dead("gone".into()),
            _ => {
                let revived = store.revive_outbox(taken.message.id).await?;
                return Ok((format!("revive {what}"), revived.to_string()));
            }
        };
        let asked = format!("settle {what} as {settlement:?}");
        store.settle_outbox(&[(taken, settlement)]).await?;
        Ok((asked, String::new()))
    }

    /// All that is stored of an onboarding.
    async fn all_of(&self, store: &dyn Store, new: &NewOnboarding) -> Result<String, Error> {
        let (tenant, id) = (&self.place.tenant, new.row.state.id());
        let found = store.load(tenant, id).await?;
        let journal = store.journal(tenant, id, Revision::new(0), 1_000).await?;
        let whole = verify(&journal).ok() == found.as_ref().map(|row| row.head);
        let mut facts: Vec<_> = store.facts(tenant, id).await?.iter().map(fact).collect();
        facts.sort();
        let mut dead: Vec<_> = store.dead_outbox(1_000).await?;
        dead.retain(|dead| dead.message.onboarding == id);
        let mut dead: Vec<_> = dead.iter().map(|d| (d.message.id, d.attempts)).collect();
        dead.sort();
        let (entries, found) = (journal.len(), found.as_ref().map(row));
        Ok(format!(
            "{found:?} {entries} entries, whole: {whole}; {facts:?}; dead: {dead:?}"
        ))
    }
}

/// The newest lease of an onboarding, or any.
fn lease_of(known: &Known, id: OnboardingId, old: bool, chance: &mut Chance) -> Option<Lease> {
    let of = known.leases.iter().filter(|lease| lease.id == id);
    let of: Vec<_> = of.collect();
    match old {
        true => chance.of(&of).map(|lease| (*lease).clone()),
        false => of.last().map(|lease| (*lease).clone()),
    }
}

/// Nothing of a trace is in the way of the next one.
async fn drain(store: &dyn Store) -> Result<(), Error> {
    for dead in store.dead_outbox(1_000).await? {
        store.revive_outbox(dead.message.id).await?;
    }
    loop {
        let taken = store.take_outbox(100, LATER).await?;
        if taken.is_empty() {
            return Ok(());
        }
        let settled = taken
            .into_iter()
            .map(|taken| (taken, Settlement::Delivered));
        let settled: Vec<_> = settled.collect();
        store.settle_outbox(&settled).await?;
    }
}

/// A row, in short: its head commits to its whole journal.
fn row(row: &Row) -> String {
    let state = &row.state;
    let head = row.head.as_bytes();
    format!(
        "{}@{}#{:02x}{:02x}",
        state.stage(),
        state.revision(),
        head[0],
        head[1]
    )
}

fn delivery(taken: &Delivery) -> String {
    let (message, attempt) = (&taken.message, taken.attempt);
    let (topic, at, place) = (&message.topic, message.revision, taken.place);
    format!("{topic}@{at}.{place} attempt {attempt} {}", message.id)
}

fn fact(record: &FactRecord) -> String {
    let fact = &record.fact;
    format!(
        "{}={} {:?} {}",
        fact.step(),
        fact.json(),
        record.salt[0],
        record.by
    )
}

fn outcome_told(outcome: &CommitOutcome) -> String {
    match outcome {
        CommitOutcome::Committed => "committed".into(),
        CommitOutcome::Replayed { revision, current } => {
            format!("replayed {revision}, now {}", row(current))
        }
        CommitOutcome::Conflict { current } => format!("conflict, now {}", row(current)),
        CommitOutcome::Fenced => "fenced".into(),
        CommitOutcome::Taken { step } => format!("taken {step}"),
        CommitOutcome::Absent => "absent".into(),
    }
}
