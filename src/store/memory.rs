//! A store in the memory of the process: for tests, examples and to read how a store works.

mod claim;
mod outbox;
mod queued;
mod reserved;
mod scan;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::id::{
    CommandId, Fence, FlowName, Key, OnboardingId, Revision, StepName, SubjectId, TenantId,
};
use crate::lifecycle::Digest;
use crate::store::claim::ClaimRequest;
use crate::store::contract::Store;
use crate::store::delivery::{DeadLetter, Delivery, OutboxLag, Settlement};
use crate::store::error::Error;
use crate::store::hints::Hints;
use crate::store::limits::check_flow;
use crate::store::record::{
    Commit, CommitOutcome, Created, FactChange, FactRecord, JournalEntry, Lease, Listed,
    NewOnboarding, QueueChange, Row, StepProgress,
};
use crate::store::scan::{ScanRequest, Scanned};
use crate::store::tenant::TenantRequest;
use crate::time::{Clock, SystemClock};
use async_trait::async_trait;
use claim::Room;
use outbox::Outbox;
use queued::Queued;
use reserved::reserve;

/// A store in memory. Forgets everything when the process ends; otherwise a full [`Store`].
///
/// ```
/// use onramp::store::{MemoryStore, Store};
/// let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(MemoryStore::new());
/// ```
pub struct MemoryStore {
    all: Mutex<All>,
    clock: Arc<dyn Clock>,
    hints: Hints,
}

#[derive(Default)]
struct All {
    onboardings: BTreeMap<OnboardingId, Kept>,
    by_key: BTreeMap<Key, OnboardingId>,
    /// Whose turn was last, in each flow.
    turns: BTreeMap<FlowName, TenantId>,
    outbox: Outbox,
    /// Who has what is reserved.
    reserved: HashMap<Digest, (OnboardingId, StepName)>,
}

struct Kept {
    row: Row,
    facts: BTreeMap<StepName, FactRecord>,
    journal: Vec<JournalEntry>,
    fence: Fence,
    queued: Option<Queued>,
    progress: Option<StepProgress>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// An empty store that reckons leases on this clock.
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self {
            all: Mutex::default(),
            clock: Arc::new(clock),
            hints: Hints::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        // Every method leaves the maps whole before it can panic, so a poisoned lock is usable.
        self.all
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let onboardings = self.lock().onboardings.len();
        f.debug_struct("MemoryStore")
            .field("onboardings", &onboardings)
            .finish_non_exhaustive()
    }
}

impl All {
    fn of(&self, tenant: &TenantId, id: OnboardingId) -> Option<&Kept> {
        let kept = self.onboardings.get(&id)?;
        (kept.row.state.key().tenant == *tenant).then_some(kept)
    }

    fn leased(&mut self, lease: &Lease) -> Option<&mut Queued> {
        let kept = self.onboardings.get_mut(&lease.id)?;
        let holds = kept.fence == lease.fence && kept.row.state.key().tenant == lease.tenant;
        kept.queued.as_mut().filter(|q| holds && q.leased)
    }
}

fn listed(kept: &Kept) -> Listed {
    let state = &kept.row.state;
    let newest = kept.journal.last();
    Listed {
        id: state.id(),
        key: state.key().clone(),
        revision: state.revision(),
        stage: state.stage(),
        changed_at: newest.map_or_else(|| state.created_at(), |entry| entry.at),
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        new.check()?;
        let now = self.clock.now();
        let mut guard = self.lock();
        let all = &mut *guard;
        let key = new.row.state.key().clone();
        if let Some(kept) = all.by_key.get(&key).and_then(|id| all.onboardings.get(id)) {
            let row = kept.row.clone();
            return Ok(Created { row, fresh: false });
        }
        let id = new.row.state.id();
        let queue = new.queue();
        let mut kept = Kept {
            row: new.row.clone(),
            facts: BTreeMap::new(),
            journal: vec![new.entry],
            fence: Fence::new(0),
            queued: None,
            progress: None,
        };
        kept.change_queue(queue, now);
        all.by_key.insert(key, id);
        all.onboardings.insert(id, kept);
        all.outbox.post(new.outbox, now);
        drop(guard);
        self.hints.committed(id, queue);
        Ok(Created {
            row: new.row,
            fresh: true,
        })
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        Ok(self.lock().of(tenant, id).map(|kept| kept.row.clone()))
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        check_flow(&key.flow)?;
        let all = self.lock();
        let kept = all.by_key.get(key).and_then(|id| all.onboardings.get(id));
        Ok(kept.map(|kept| kept.row.clone()))
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        commit.check()?;
        let now = self.clock.now();
        let (id, queue) = (commit.id(), commit.queue);
        let mut guard = self.lock();
        let all = &mut *guard;
        if all.of(commit.tenant(), commit.id()).is_none() {
            return Ok(CommitOutcome::Absent);
        }
        let Some(kept) = all.onboardings.get_mut(&commit.id()) else {
            return Ok(CommitOutcome::Absent);
        };
        let mut journal = kept.journal.iter();
        if let Some(entry) = journal.find(|entry| entry.command == commit.command()) {
            return Ok(CommitOutcome::Replayed {
                revision: entry.revision,
                current: Box::new(kept.row.clone()),
            });
        }
        if let Some(fence) = commit.fence {
            let held = kept.queued.is_some_and(|queued| queued.leased);
            if !held || fence != kept.fence {
                return Ok(CommitOutcome::Fenced);
            }
        }
        if kept.row.state.revision() != commit.expected {
            return Ok(CommitOutcome::Conflict {
                current: Box::new(kept.row.clone()),
            });
        }
        if let Some(step) = commit.reserved_twice() {
            return Ok(CommitOutcome::Taken { step: step.clone() });
        }
        if let Err(step) = reserve(&mut all.reserved, id, &commit.reservations) {
            return Ok(CommitOutcome::Taken { step });
        }
        for change in commit.facts {
            match change {
                FactChange::Put(record) => {
                    kept.facts.insert(record.fact.step().clone(), record);
                }
                FactChange::Remove(step) => {
                    kept.facts.remove(&step);
                }
            }
        }
        kept.row = commit.row;
        kept.journal.push(commit.entry);
        kept.change_queue(commit.queue, now);
        all.outbox.post(commit.outbox, now);
        drop(guard);
        self.hints.committed(id, queue);
        Ok(CommitOutcome::Committed)
    }

    async fn committed(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        command: CommandId,
    ) -> Result<Option<Revision>, Error> {
        let all = self.lock();
        let mut journal = all
            .of(tenant, id)
            .into_iter()
            .flat_map(|kept| &kept.journal);
        Ok(journal.find(|e| e.command == command).map(|e| e.revision))
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        let all = self.lock();
        let theirs = all.onboardings.values().filter(|kept| {
            let key = kept.row.state.key();
            key.tenant == *tenant && key.subject == *subject
        });
        Ok(theirs.map(listed).collect())
    }

    async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error> {
        request.check()?;
        let all = self.lock();
        let theirs = all.by_key.iter().filter(|(key, _)| request.is_for(key));
        let mut theirs: Vec<_> = theirs.collect();
        theirs.sort_by_key(|(key, _)| (&key.subject, &key.flow));
        let kept = theirs
            .into_iter()
            .filter_map(|(_, id)| all.onboardings.get(id));
        Ok(kept.take(request.limit).map(listed).collect())
    }

    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        let all = self.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = all.onboardings.range((from, Bound::Unbounded));
        Ok(later.take(limit).map(|(_, kept)| listed(kept)).collect())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error> {
        request.check()?;
        Ok(scan::page(&self.lock().onboardings, request))
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        let mut all = self.lock();
        let mut gone = 0;
        for listed in these {
            let stored = all.of(&listed.key.tenant, listed.id);
            if stored.is_some_and(|kept| kept.row.state.revision() == listed.revision) {
                all.onboardings.remove(&listed.id);
                all.by_key.retain(|_, id| *id != listed.id);
                all.reserved.retain(|_, (id, _)| *id != listed.id);
                gone += 1;
            }
        }
        Ok(gone)
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        let all = self.lock();
        let facts = all
            .of(tenant, id)
            .into_iter()
            .flat_map(|kept| kept.facts.values());
        Ok(facts.cloned().collect())
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let all = self.lock();
        let journal = all
            .of(tenant, id)
            .into_iter()
            .flat_map(|kept| &kept.journal);
        let later = journal.filter(|entry| entry.revision > after);
        Ok(later.take(limit).cloned().collect())
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        request.check()?;
        let now = self.clock.now();
        let mut all = self.lock();
        let mut room = Room::of(&mut all, request, now);
        let mut claimed = Vec::new();
        for (tenant, id) in all.in_order(request, now) {
            if claimed.len() == request.max {
                break;
            }
            let Some(kept) = all.onboardings.get_mut(&id) else {
                continue;
            };
            let Some(queued) = kept.queued.as_mut().filter(|_| room.take(&tenant)) else {
                continue;
            };
            queued.due = now + request.lease;
            queued.leased = true;
            queued.lease = request.lease;
            queued.limited = request.per_tenant.is_some();
            queued.attempt += 1;
            kept.fence = kept.fence.next();
            claimed.push(Lease {
                tenant,
                flow: request.flow.clone(),
                id,
                fence: kept.fence,
                attempt: queued.attempt,
            });
        }
        if let Some(last) = claimed.last() {
            all.turns.insert(request.flow.clone(), last.tenant.clone());
        }
        Ok(claimed)
    }

    async fn renew(&self, leases: &[Lease], lease: Duration) -> Result<Vec<Lease>, Error> {
        let now = self.clock.now();
        let mut all = self.lock();
        let held = leases.iter().filter(|claim| match all.leased(claim) {
            Some(queued) => {
                queued.due = now + lease;
                queued.lease = lease;
                true
            }
            None => false,
        });
        Ok(held.cloned().collect())
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(queued) = self.lock().leased(lease) {
            queued.due = now + after;
            queued.leased = false;
            queued.attempt = queued.attempt.saturating_sub(1);
        }
        Ok(())
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        let now = self.clock.now();
        let mut all = self.lock();
        if all.leased(lease).is_none() {
            return Ok(());
        }
        if let Some(kept) = all.onboardings.get_mut(&lease.id) {
            let moved_on = kept.row.state.revision() != at;
            let change = match rest {
                _ if moved_on => QueueChange::Release(Duration::ZERO),
                Some(rest) => QueueChange::Release(rest),
                None => QueueChange::Remove,
            };
            kept.change_queue(change, now);
            if let Some(queued) = kept.queued.as_mut().filter(|_| !moved_on) {
                queued.attempt = queued.attempt.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        let mut all = self.lock();
        let held = all.leased(lease).is_some();
        if let Some(kept) = all.onboardings.get_mut(&lease.id).filter(|_| held) {
            kept.progress = Some(progress.clone());
        }
        Ok(held)
    }

    async fn progress(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
    ) -> Result<Option<StepProgress>, Error> {
        let all = self.lock();
        let queued = all.of(tenant, id).filter(|kept| kept.queued.is_some());
        Ok(queued.and_then(|kept| kept.progress.clone()))
    }

    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        flows.iter().try_for_each(check_flow)?;
        let now = self.clock.now();
        let all = self.lock();
        let of_flows = all
            .onboardings
            .values()
            .filter(|kept| flows.contains(&kept.row.state.key().flow));
        let soonest = of_flows.filter_map(|kept| kept.queued).map(|q| q.due).min();
        Ok(soonest.map(|due| (due - now).to_std().unwrap_or_default()))
    }

    fn hints(&self) -> Hints {
        self.hints.clone()
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        let now = self.clock.now();
        Ok(self.lock().outbox.take(max, hidden, now))
    }

    async fn settle_outbox(&self, settled: &[(Delivery, Settlement)]) -> Result<(), Error> {
        for (_, settlement) in settled {
            settlement.check()?;
        }
        let now = self.clock.now();
        let mut all = self.lock();
        for (delivery, settlement) in settled {
            all.outbox.settle(delivery, settlement, now);
        }
        Ok(())
    }

    async fn next_outbox(&self) -> Result<Option<Duration>, Error> {
        let now = self.clock.now();
        Ok(self.lock().outbox.next_due(now))
    }

    async fn dead_outbox(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        Ok(self.lock().outbox.dead(limit))
    }

    async fn revive_outbox(&self, message: uuid::Uuid) -> Result<bool, Error> {
        let now = self.clock.now();
        Ok(self.lock().outbox.revive(message, now))
    }

    async fn outbox_lag(&self) -> Result<OutboxLag, Error> {
        let now = self.clock.now();
        Ok(self.lock().outbox.lag(now))
    }
}
