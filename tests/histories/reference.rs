//! The store that the protocol is proven over (`tests/model/store.rs`), as a store.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Created, DeadLetter, Delivery, Error, FactChange,
    FactRecord, JournalEntry, Lease, NewOnboarding, OutboxMessage, QueueChange, Row, Settlement,
    StepProgress,
};
use onramp::testing::Layer;
use onramp::{CommandId, Fence, FlowName, Key, Revision, StepName};
use uuid::Uuid;

use crate::model::guard::Guards;
use crate::model::store::{self, Due, Kept, Message, Outcome, Queue};

/// Is asked for nothing but what is here; there is no time in it.
#[derive(Default)]
pub(crate) struct Reference {
    rest: MemoryStore,
    all: Mutex<Vec<One>>,
}

struct One {
    /// Every row that there was.
    rows: Vec<Row>,
    kept: Kept<usize>,
    commands: Vec<CommandId>,
    facts: BTreeMap<StepName, FactRecord>,
    journal: Vec<JournalEntry>,
    messages: Vec<OutboxMessage>,
}

impl One {
    fn id(&self) -> OnboardingId {
        self.rows[0].state.id()
    }

    fn key(&self) -> &Key {
        self.rows[0].state.key()
    }

    fn row(&self) -> Row {
        self.rows[self.kept.row].clone()
    }

    fn number(&mut self, command: CommandId) -> u16 {
        let known = self.commands.iter().position(|known| *known == command);
        let at = known.unwrap_or_else(|| {
            self.commands.push(command);
            self.commands.len() - 1
        });
        at as u16
    }

    fn delivery(&self, message: Message) -> Delivery {
        Delivery {
            message: self.messages[usize::from(message.place)].clone(),
            // Commits of these histories tell one thing at most.
            place: 0,
            fence: Fence::new(message.fence.into()),
            attempt: message.attempt.into(),
        }
    }

    fn place(&self, message: Uuid) -> Option<u16> {
        let place = self.messages.iter().position(|known| known.id == message);
        place.map(|place| place as u16)
    }
}

/// What becomes of the queue entry, where time is whether something is due.
pub(crate) fn queue(change: QueueChange) -> Queue {
    match change {
        QueueChange::Keep => Queue::Keep,
        QueueChange::Wake(after) => Queue::Wake(after.is_zero()),
        QueueChange::Hold => Queue::Hold,
        QueueChange::Release(after) => Queue::Release(after.is_zero()),
        QueueChange::Remove => Queue::Remove,
    }
}

fn fence(fence: Fence) -> u16 {
    u16::try_from(fence.get()).unwrap_or(u16::MAX)
}

impl Reference {
    fn with<T>(&self, id: OnboardingId, what: impl FnOnce(&mut One) -> T) -> Option<T> {
        let mut all = self.all.lock().unwrap();
        all.iter_mut().find(|one| one.id() == id).map(what)
    }
}

#[async_trait]
impl Layer for Reference {
    fn inner(&self) -> &dyn Store {
        &self.rest
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        let mut all = self.all.lock().unwrap();
        if let Some(one) = all.iter().find(|one| one.key() == new.row.state.key()) {
            let row = one.row();
            return Ok(Created { row, fresh: false });
        }
        let row = new.row;
        let mut kept = Kept::new(0, 1);
        if let Some(after) = new.due {
            kept.change_queue(queue(QueueChange::Wake(after)), Guards::ALL);
        }
        if !new.outbox.is_empty() {
            kept.post(0);
        }
        all.push(One {
            rows: vec![row.clone()],
            kept,
            commands: Vec::new(),
            facts: BTreeMap::new(),
            journal: vec![new.entry],
            messages: new.outbox,
        });
        Ok(Created { row, fresh: true })
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        let row = self.with(id, |one| (one.key().tenant == *tenant).then(|| one.row()));
        Ok(row.flatten())
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        let all = self.all.lock().unwrap();
        Ok(all.iter().find(|one| one.key() == key).map(One::row))
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let stored = self.with(commit.id(), |one| {
            let number = one.number(commit.command());
            one.rows.push(commit.row.clone());
            let wanted = store::Commit {
                expected: commit.expected.get() as u16,
                fence: commit.fence.map(fence),
                command: Some(number),
                row: one.rows.len() - 1,
                queue: queue(commit.queue),
                tells: commit.outbox.first().map(|_| 0),
            };
            let outcome = one.kept.commit(&wanted, Guards::ALL);
            if outcome == Outcome::Committed {
                for change in commit.facts {
                    match change {
                        FactChange::Put(record) => {
                            one.facts.insert(record.fact.step().clone(), record);
                        }
                        FactChange::Remove(step) => {
                            one.facts.remove(&step);
                        }
                    }
                }
                one.journal.push(commit.entry);
                one.messages.extend(commit.outbox);
            }
            let row = |row: usize| Box::new(one.rows[row].clone());
            match outcome {
                Outcome::Committed => CommitOutcome::Committed,
                Outcome::Fenced => CommitOutcome::Fenced,
                Outcome::Conflict { current } => {
                    let current = row(current);
                    CommitOutcome::Conflict { current }
                }
                Outcome::Replayed { revision, current } => {
                    let (revision, current) = (Revision::new(revision.into()), row(current));
                    CommitOutcome::Replayed { revision, current }
                }
            }
        });
        Ok(stored.unwrap_or(CommitOutcome::Absent))
    }

    async fn committed(
        &self,
        _: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        let entry = self.with(id, |one| {
            let mut journal = one.journal.iter();
            journal
                .find(|entry| entry.command == command)
                .map(|e| e.revision)
        });
        Ok(entry.flatten())
    }

    async fn facts(&self, _: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        let facts = self.with(id, |one| one.facts.values().cloned().collect());
        Ok(facts.unwrap_or_default())
    }

    async fn journal(
        &self,
        _: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let journal = self.with(id, |one| {
            let later = one.journal.iter().filter(|entry| entry.revision > after);
            later.take(limit).cloned().collect()
        });
        Ok(journal.unwrap_or_default())
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        let mut all = self.all.lock().unwrap();
        let lasts = !request.lease.is_zero();
        let of_flow = all.iter_mut().filter(|one| one.key().flow == request.flow);
        let claimed = of_flow.filter_map(|one| {
            let (fence, attempt) = one.kept.claim(lasts, Guards::ALL)?;
            Some(Lease {
                tenant: one.key().tenant.clone(),
                flow: request.flow.clone(),
                id: one.id(),
                fence: Fence::new(fence.into()),
                attempt: attempt.into(),
            })
        });
        Ok(claimed.take(request.max).collect())
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        let lasts = !lease.is_zero();
        let renew = |one: &mut One, of| one.kept.renew(fence(of), lasts, Guards::ALL);
        let kept = leases.iter().filter(|lease| {
            let renewed = self.with(lease.id, |one| renew(one, lease.fence));
            renewed == Some(true)
        });
        Ok(kept.cloned().collect())
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        let due = after.is_zero();
        self.with(lease.id, |one| one.kept.release(fence(lease.fence), due));
        Ok(())
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        let (at, rest) = (at.get() as u16, rest.map(|rest| rest.is_zero()));
        let fence = fence(lease.fence);
        self.with(lease.id, |one| one.kept.park(fence, at, rest, Guards::ALL));
        Ok(())
    }

    async fn report(&self, lease: &Lease, _: &StepProgress) -> Result<bool, Error> {
        let held = self.with(lease.id, |one| one.kept.is_held(fence(lease.fence)));
        Ok(held == Some(true))
    }

    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        let all = self.all.lock().unwrap();
        let queued = all.iter().filter(|one| flows.contains(&one.key().flow));
        let queued = queued.filter_map(|one| one.kept.queued);
        let soonest = queued
            .map(|queued| if queued.due { 0 } else { 3_600 })
            .min();
        Ok(soonest.map(Duration::from_secs))
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        let mut all = self.all.lock().unwrap();
        let taken = all.iter_mut().filter_map(|one| {
            let message = one.kept.take(!hidden.is_zero(), Guards::ALL)?;
            Some(one.delivery(message))
        });
        Ok(taken.take(max).collect())
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        for (delivery, settlement) in settled {
            let settlement = match settlement {
                Settlement::Delivered => store::Settlement::Delivered,
                Settlement::Later(after) => store::Settlement::Later(after.is_zero()),
                Settlement::Dead(_) => store::Settlement::Dead,
            };
            let (message, fence) = (&delivery.message, fence(delivery.fence));
            self.with(message.onboarding, |one| {
                if let Some(place) = one.place(message.id) {
                    one.kept.settle(place, fence, settlement, Guards::ALL);
                }
            });
        }
        Ok(())
    }

    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let all = self.all.lock().unwrap();
        let dead = all.iter().flat_map(|one| {
            let dead = one.kept.outbox.iter().filter(|m| m.due == Due::Dead);
            dead.map(|message| DeadLetter {
                message: one.delivery(*message).message,
                reason: "gone".to_owned(),
                attempts: message.attempt.into(),
                since: one.rows[0].state.created_at(),
            })
        });
        Ok(dead.take(limit).collect())
    }

    async fn revive_outbox(&self, message: Uuid) -> Result<bool, Error> {
        let mut all = self.all.lock().unwrap();
        let revived = all.iter_mut().any(|one| {
            let place = one.place(message);
            place.is_some_and(|place| one.kept.revive(place))
        });
        Ok(revived)
    }
}
