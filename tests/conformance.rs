//! Every store of ours holds the contract, bare, boxed and in an `Arc`; and a store that breaks it
//! is found out, by a clause that names what is wrong.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "conformance/adopt.rs"]
mod adopt;
#[path = "conformance/inexact.rs"]
mod inexact;
#[path = "conformance/outbox.rs"]
mod outbox;
#[path = "conformance/reserving.rs"]
mod reserving;
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use onramp::prelude::*;
use onramp::store::{
    ClaimOrder, ClaimRequest, Commit, CommitOutcome, Created, Delivery, Error, FactChange,
    JournalEntry, Lease, Listed, NewOnboarding, OutboxMessage, QueueChange, Row, ScanRequest,
    Scanned, Settlement, StepProgress, TenantRequest,
};
use onramp::testing::{Layer, Layered, conformance};
use onramp::{CommandId, Fence, FlowName, Key, Revision};
use support::{each_store, each_store_by_buckets};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_stores_hold() {
    let mut stores = each_store().await;
    stores.extend(each_store_by_buckets().await);
    for store in stores {
        let boxed: Box<dyn Store> = Box::new(Arc::clone(&store));
        for store in [Arc::clone(&store), Arc::new(boxed), Arc::new(store)] {
            let violations = conformance::check(store).await;
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}

#[test]
fn adopting_takes_less_than_thirty_lines() {
    let lines = include_str!("conformance/adopt.rs").lines().count();
    assert!(lines < 30, "{lines} lines");
}

/// How a store can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    LostUpdate,
    SwallowedConflict,
    CommandIgnored,
    FenceIgnored,
    OwnerNameAsFence,
    TornWrite,
    ReorderedJournal,
    CrossTenantLeak,
    FoldedKeys,
    OutboxOutsideTheCommit,
    OutboxOnce,
    ClockOfTheWorker,
    AttemptsNotCounted,
    LostWakeUp,
    EverybodyIsFirst,
    TurnsIgnored,
    LimitIgnored,
    LimitOfOneCall,
    SlotsLeak,
    SlotBesideTheLease,
    ListsOfAllTenants,
    PagesOverlap,
    PagesOfAllTenants,
    PagesBySubjectAlone,
    PagesOfEveryFlow,
    DeletesWhatMovedOn,
    DeletesTheRowOnly,
    ProgressOfAnybody,
    RestsWhatMovedOn,
    ScansItsEnd,
    ScansAllTenants,
    ScansEveryStage,
    BeginsUnqueued,
    BeginsUntold,
    SecondsTell,
    FirstFactStays,
    DueInTheFirstFlow,
    LatestDue,
}

/// Each way, and the clause that has to find it.
const WAYS: [(Broken, &str); 38] = [
    (Broken::LostUpdate, "one_commit_per_revision"),
    (Broken::SwallowedConflict, "one_commit_per_revision"),
    (Broken::CommandIgnored, "a_command_counts_once"),
    (Broken::FenceIgnored, "an_older_claim_cannot_write"),
    (Broken::OwnerNameAsFence, "an_older_claim_cannot_write"),
    (Broken::TornWrite, "facts_are_put_replaced_and_removed"),
    (
        Broken::ReorderedJournal,
        "the_journal_is_whole_and_in_order",
    ),
    (Broken::CrossTenantLeak, "tenants_are_apart"),
    (Broken::FoldedKeys, "keys_are_exact"),
    (
        Broken::OutboxOutsideTheCommit,
        "the_outbox_is_part_of_the_commit",
    ),
    (
        Broken::OutboxOnce,
        "the_outbox_redelivers_until_it_is_acknowledged",
    ),
    (Broken::ClockOfTheWorker, "a_leased_one_is_nobody_elses"),
    (Broken::AttemptsNotCounted, "every_claim_counts_an_attempt"),
    (Broken::LostWakeUp, "parking_never_loses_a_wake_up"),
    (Broken::EverybodyIsFirst, "one_onboarding_per_key"),
    (Broken::TurnsIgnored, "no_tenant_waits_for_anothers_backlog"),
    (Broken::LimitIgnored, "a_limit_is_never_exceeded"),
    (Broken::LimitOfOneCall, "a_limit_is_never_exceeded"),
    (Broken::SlotsLeak, "a_slot_comes_back_with_its_lease"),
    (
        Broken::SlotBesideTheLease,
        "a_lease_without_its_slot_is_lost",
    ),
    (
        Broken::ListsOfAllTenants,
        "a_subjects_onboardings_are_listed",
    ),
    (Broken::PagesOverlap, "pages_hold_every_onboarding_once"),
    (
        Broken::PagesOfAllTenants,
        "a_tenants_onboardings_are_listed",
    ),
    (
        Broken::PagesBySubjectAlone,
        "a_tenants_onboardings_are_listed",
    ),
    (Broken::PagesOfEveryFlow, "a_tenants_onboardings_are_listed"),
    (Broken::DeletesWhatMovedOn, "what_is_deleted_is_gone_wholly"),
    (Broken::DeletesTheRowOnly, "what_is_deleted_is_gone_wholly"),
    (
        Broken::ProgressOfAnybody,
        "progress_is_kept_for_whoever_holds_the_lease",
    ),
    (Broken::RestsWhatMovedOn, "parking_never_loses_a_wake_up"),
    (
        Broken::ScansItsEnd,
        "a_scan_gives_every_row_of_its_range_once",
    ),
    (Broken::ScansAllTenants, "a_scan_keeps_to_what_it_is_for"),
    (Broken::ScansEveryStage, "a_scan_keeps_to_what_it_is_for"),
    (
        Broken::BeginsUnqueued,
        "what_begins_at_once_is_due_and_told",
    ),
    (Broken::BeginsUntold, "what_begins_at_once_is_due_and_told"),
    (Broken::SecondsTell, "who_comes_second_begins_nothing"),
    (
        Broken::FirstFactStays,
        "a_workers_fact_replaces_the_one_before",
    ),
    (
        Broken::DueInTheFirstFlow,
        "the_soonest_of_several_flows_is_told",
    ),
    (Broken::LatestDue, "the_soonest_of_several_flows_is_told"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_broken_store_is_found_out() {
    for (how, clause) in WAYS {
        assert!(
            conformance::clauses().any(|name| name == clause),
            "{clause} is no clause"
        );
        let violations = conformance::check(Arc::new(Layered(Wrong::new(how)))).await;
        let found: Vec<_> = violations
            .iter()
            .map(|violation| violation.clause)
            .collect();
        assert!(
            found.contains(&clause),
            "{how:?} was found by {found:?} only"
        );
        println!("{how:?}: {}", violations[0]);
    }
}

/// A memory store with one thing wrong.
struct Wrong {
    how: Broken,
    inner: MemoryStore,
    tenants: Mutex<HashMap<OnboardingId, TenantId>>,
    fences: Mutex<HashMap<OnboardingId, Fence>>,
    stray: Mutex<Vec<OutboxMessage>>,
    deleted: Mutex<Vec<OnboardingId>>,
    slots: tokio::sync::Mutex<HashMap<OnboardingId, (TenantId, Instant)>>,
}

impl Wrong {
    fn new(how: Broken) -> Self {
        Self {
            how,
            inner: MemoryStore::new(),
            tenants: Mutex::default(),
            fences: Mutex::default(),
            stray: Mutex::default(),
            deleted: Mutex::default(),
            slots: tokio::sync::Mutex::default(),
        }
    }

    fn is(&self, how: Broken) -> bool {
        self.how == how
    }

    /// Counts what is held by itself, beside the leases.
    async fn claim_beside(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        let mut slots = self.slots.lock().await;
        let limit = request.per_tenant.map_or(usize::MAX, |n| n.get() as usize);
        let mut claimed = Vec::new();
        while claimed.len() < request.max {
            let one = request.clone().max(1).per_tenant(None);
            let Some(lease) = self.inner.claim(&one).await?.pop() else {
                break;
            };
            if !self.is(Broken::SlotsLeak) {
                slots.retain(|_, (_, until)| *until > Instant::now());
            }
            let held = slots.values().filter(|(of, _)| *of == lease.tenant).count();
            if held >= limit {
                self.inner.release(&lease, Duration::ZERO).await?;
                break;
            }
            let until = Instant::now() + request.lease;
            slots.insert(lease.id, (lease.tenant.clone(), until));
            claimed.push(lease);
        }
        Ok(claimed)
    }

    async fn free(&self, id: OnboardingId) {
        if !self.is(Broken::SlotsLeak) {
            self.slots.lock().await.remove(&id);
        }
    }

    /// The tenant that an onboarding is really of.
    fn owner(&self, id: OnboardingId) -> Option<TenantId> {
        self.tenants.lock().unwrap().get(&id).cloned()
    }
}

#[async_trait]
impl Layer for Wrong {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn create(&self, mut new: NewOnboarding) -> Result<Created, Error> {
        match self.how {
            Broken::BeginsUnqueued => new.due = None,
            Broken::BeginsUntold => new.outbox.clear(),
            Broken::SecondsTell => self.stray.lock().unwrap().append(&mut new.outbox),
            _ => {}
        }
        let key = new.row.state.key().clone();
        self.tenants
            .lock()
            .unwrap()
            .insert(new.row.state.id(), key.tenant.clone());
        if self.is(Broken::FoldedKeys) {
            let folded = key.subject.as_str().to_lowercase();
            let subject = SubjectId::new(folded).unwrap();
            let folded = Key { subject, ..key };
            if let Some(row) = self.inner.find(&folded).await? {
                return Ok(Created { row, fresh: false });
            }
        }
        let mut created = self.inner.create(new).await?;
        created.fresh |= self.is(Broken::EverybodyIsFirst);
        Ok(created)
    }

    async fn load(&self, tenant: &TenantId, id: OnboardingId) -> Result<Option<Row>, Error> {
        if self.deleted.lock().unwrap().contains(&id) {
            return Ok(None);
        }
        match self.owner(id) {
            Some(owner) if self.is(Broken::CrossTenantLeak) => self.inner.load(&owner, id).await,
            _ => self.inner.load(tenant, id).await,
        }
    }

    async fn next_due(&self, flows: &[FlowName]) -> Result<Option<Duration>, Error> {
        match self.how {
            Broken::DueInTheFirstFlow => {
                let first = &flows[..flows.len().min(1)];
                self.inner.next_due(first).await
            }
            Broken::LatestDue => {
                let mut latest = None;
                for flow in flows {
                    latest = latest.max(self.inner.next_due(std::slice::from_ref(flow)).await?);
                }
                Ok(latest)
            }
            _ => self.inner.next_due(flows).await,
        }
    }

    async fn commit(&self, mut commit: Commit) -> Result<CommitOutcome, Error> {
        let id = commit.id();
        match self.how {
            Broken::CommandIgnored => commit.entry.command = CommandId::fresh(),
            Broken::FenceIgnored => commit.fence = None,
            Broken::OwnerNameAsFence if commit.fence.is_some() => {
                commit.fence = self.fences.lock().unwrap().get(&id).copied();
            }
            Broken::TornWrite => {
                commit.facts.pop();
            }
            Broken::FirstFactStays if commit.fence.is_some() => {
                let known = self.inner.facts(commit.tenant(), id).await?;
                let known: Vec<_> = known.iter().map(|known| known.fact.step()).collect();
                commit.facts.retain(|change| match change {
                    FactChange::Put(record) => !known.contains(&record.fact.step()),
                    FactChange::Remove(_) => true,
                });
            }
            Broken::OutboxOutsideTheCommit => {
                self.stray.lock().unwrap().append(&mut commit.outbox);
            }
            Broken::LostUpdate => {
                if let Some(row) = self.inner.load(commit.tenant(), id).await? {
                    commit.expected = row.state.revision();
                }
            }
            _ => {}
        }
        if matches!(commit.queue, QueueChange::Remove | QueueChange::Release(_)) {
            self.free(id).await;
        }
        let outcome = self.inner.commit(commit).await?;
        Ok(match outcome {
            CommitOutcome::Conflict { .. } if self.is(Broken::SwallowedConflict) => {
                CommitOutcome::Committed
            }
            other => other,
        })
    }

    async fn of_subject(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<Vec<Listed>, Error> {
        if !self.is(Broken::ListsOfAllTenants) {
            return self.inner.of_subject(tenant, subject).await;
        }
        let all = self.inner.list(None, usize::MAX).await?;
        let theirs = all.into_iter().filter(|l| l.key.subject == *subject);
        Ok(theirs.collect())
    }

    async fn of_tenant(&self, request: &TenantRequest) -> Result<Vec<Listed>, Error> {
        let mut request = request.clone();
        match (self.how, request.after.take()) {
            (Broken::PagesOfAllTenants, after) => {
                let later = |listed: &Listed| {
                    let key = (listed.key.subject.clone(), listed.key.flow.clone());
                    after.as_ref().is_none_or(|after| key > *after)
                };
                let mut all = self.inner.list(None, usize::MAX).await?;
                all.retain(later);
                all.sort_by_key(|l| (l.key.subject.clone(), l.key.flow.clone()));
                all.truncate(request.limit);
                return Ok(all);
            }
            // Whoever asks for what is after a subject misses its other flows.
            (Broken::PagesBySubjectAlone, Some((subject, _))) => {
                request.after = Some((subject, FlowName::from_static("~")));
            }
            (Broken::PagesOfEveryFlow, after) => (request.after, request.flow) = (after, None),
            (_, after) => request.after = after,
        }
        self.inner.of_tenant(&request).await
    }

    async fn list(&self, after: Option<OnboardingId>, limit: usize) -> Result<Vec<Listed>, Error> {
        let mut page = self.inner.list(after, limit).await?;
        if let Some(last) = after.filter(|_| self.is(Broken::PagesOverlap)) {
            let all = self.inner.list(None, usize::MAX).await?;
            let again = all.into_iter().find(|listed| listed.id == last);
            page.splice(0..0, again);
            page.truncate(limit);
        }
        Ok(page)
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Vec<Scanned>, Error> {
        let mut request = request.clone();
        match self.how {
            Broken::ScansItsEnd => {
                let end = request.until.as_uuid().as_u128().saturating_add(1);
                request.until = OnboardingId::from_uuid(uuid::Uuid::from_u128(end));
            }
            Broken::ScansAllTenants => request.tenant = None,
            Broken::ScansEveryStage => request.stage = None,
            _ => {}
        }
        self.inner.scan(&request).await
    }

    async fn delete(&self, these: &[Listed]) -> Result<usize, Error> {
        if self.is(Broken::DeletesTheRowOnly) {
            let mut deleted = self.deleted.lock().unwrap();
            deleted.extend(these.iter().map(|listed| listed.id));
            return Ok(these.len());
        }
        let mut these = these.to_vec();
        for listed in &mut these {
            if let Some(row) = self.inner.load(&listed.key.tenant, listed.id).await?
                && self.is(Broken::DeletesWhatMovedOn)
            {
                listed.revision = row.state.revision();
            }
        }
        self.inner.delete(&these).await
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let mut journal = self.inner.journal(tenant, id, after, limit).await?;
        if self.is(Broken::ReorderedJournal) {
            journal.reverse();
        }
        Ok(journal)
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<Lease>, Error> {
        // A clock that is an hour ahead of the one that wrote the lease: it has run out already.
        let mut request = request.clone();
        if self.is(Broken::ClockOfTheWorker) {
            request.lease = Duration::ZERO;
        }
        match self.how {
            Broken::TurnsIgnored => request.order = ClaimOrder::Oldest,
            Broken::LimitIgnored => request.per_tenant = None,
            Broken::LimitOfOneCall => {
                if let Some(limit) = request.per_tenant.take() {
                    request.max = request.max.min(limit.get() as usize);
                }
            }
            Broken::SlotsLeak | Broken::SlotBesideTheLease if request.per_tenant.is_some() => {
                return self.claim_beside(&request).await;
            }
            _ => {}
        }
        let mut claimed = self.inner.claim(&request).await?;
        for lease in &mut claimed {
            self.fences.lock().unwrap().insert(lease.id, lease.fence);
            if self.is(Broken::AttemptsNotCounted) {
                lease.attempt = 1;
            }
        }
        Ok(claimed)
    }

    async fn release(&self, lease: &Lease, after: Duration) -> Result<(), Error> {
        self.free(lease.id).await;
        self.inner.release(lease, after).await
    }

    async fn park(&self, lease: &Lease, at: Revision, rest: Option<Duration>) -> Result<(), Error> {
        self.free(lease.id).await;
        let row = self.inner.load(&lease.tenant, lease.id).await?;
        let at = match row {
            Some(row) if self.is(Broken::LostWakeUp) => row.state.revision(),
            Some(row) if self.is(Broken::RestsWhatMovedOn) && rest.is_some() => {
                row.state.revision()
            }
            _ => at,
        };
        self.inner.park(lease, at, rest).await
    }

    async fn report(&self, lease: &Lease, progress: &StepProgress) -> Result<bool, Error> {
        let mut lease = lease.clone();
        if self.is(Broken::ProgressOfAnybody)
            && let Some(newest) = self.fences.lock().unwrap().get(&lease.id)
        {
            lease.fence = *newest;
        }
        self.inner.report(&lease, progress).await
    }

    async fn take_outbox(&self, max: usize, hidden: Duration) -> Result<Vec<Delivery>, Error> {
        let mut taken = self.inner.take_outbox(max, hidden).await?;
        if self.is(Broken::OutboxOnce) {
            let all = taken.iter().cloned();
            let all: Vec<_> = all.map(|taken| (taken, Settlement::Delivered)).collect();
            self.inner.settle_outbox(&all).await?;
        }
        let mut stray = self.stray.lock().unwrap();
        taken.extend(stray.drain(..).map(|message| Delivery {
            message,
            place: 0,
            fence: Fence::new(1),
            attempt: 1,
        }));
        Ok(taken)
    }
}
