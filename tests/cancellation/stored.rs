//! The contract of stores, method by method.

use std::time::Duration;

use onramp::lifecycle::{Action, Command, decide, evolve};
use onramp::prelude::*;
use onramp::store::{
    ClaimOrder, ClaimRequest, Commit, JournalEntry, Lease, NewOnboarding, QueueChange, Row,
    ScanRequest, Settlement, StepProgress, TenantRequest, WorkerId, hash,
};
use onramp::{Clock as _, CommandId, Key, Revision, SystemClock};

use super::drops::{Case, cases};
use super::place::{Place, subject};

/// So short that nobody waits for what was claimed by a dropped future.
const SHORT: Duration = Duration::from_millis(200);

impl Place {
    fn key(&self, who: &str) -> Key {
        Key {
            tenant: self.tenant().clone(),
            flow: self.flow(),
            subject: subject(who),
        }
    }

    async fn row(&self, id: OnboardingId) -> Row {
        self.store().load(self.tenant(), id).await.unwrap().unwrap()
    }

    /// A cancellation of it, or its creation, as a store is given it.
    async fn cancelled(&self, who: &str) -> Commit {
        let row = self.row(self.started(who).await.id()).await;
        let (by, now) = (Actor::Host, SystemClock.now());
        let command = Command {
            by: by.clone(),
            action: Action::Cancel,
        };
        let events = decide(&row.state, self.onramp().flow().plan(), &command, now).unwrap();
        let state = evolve(row.state.clone(), &events);
        let mut entry = JournalEntry {
            onboarding: state.id(),
            revision: state.revision(),
            command: CommandId::fresh(),
            by,
            at: now,
            events: serde_json::to_string(&events).unwrap(),
            hash: row.head,
        };
        entry.hash = hash(row.head, &entry);
        Commit {
            expected: row.state.revision(),
            fence: None,
            row: Row {
                head: entry.hash,
                state,
            },
            facts: Vec::new(),
            reservations: Vec::new(),
            entry,
            outbox: Vec::new(),
            queue: QueueChange::Wake(Duration::ZERO),
        }
    }

    /// As the front door makes it on a store in memory.
    async fn newborn(&self, who: &str) -> NewOnboarding {
        let memory = onramp::store::MemoryStore::new();
        let (tenant, name) = (self.tenant(), subject(who));
        let now = SystemClock.now();
        let made = memory
            .enroll(self.onramp().flow(), tenant, &name, now)
            .await;
        let id = made.unwrap().id();
        let row = memory.load(tenant, id).await.unwrap().unwrap();
        let journal = memory.journal(tenant, id, Revision::new(0), 1).await;
        NewOnboarding {
            row,
            entry: journal.unwrap().remove(0),
            outbox: Vec::new(),
            due: None,
        }
    }

    fn request(&self) -> ClaimRequest {
        let worker = WorkerId::new("worker");
        ClaimRequest::new(&self.flow(), &worker).max(4).lease(SHORT)
    }

    /// A lease on it.
    async fn leased(&self, who: &str) -> Lease {
        let id = self.desk.answered(who).await.id();
        loop {
            let request = self.request().max(64).order(ClaimOrder::Oldest);
            let claimed = self.store().claim(&request).await.unwrap();
            for lease in claimed {
                if lease.id == id {
                    return lease;
                }
                // In nobody's way.
                self.store().release(&lease, SHORT).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) const STORED: &[Case] = cases! {
    "src/store/contract.rs create" (at, who) { let new = at.newborn(who).await; } at.store().create(new);
    "src/store/contract.rs load" (at, who) { let id = at.desk.enrolled(who).await; }
        at.store().load(at.tenant(), id);
    "src/store/contract.rs find" (at, who) { let key = at.key(who); } at.store().find(&key);
    "src/store/contract.rs commit" (at, who) { let commit = at.cancelled(who).await; }
        at.store().commit(commit);
    "src/store/contract.rs committed" (at, who) { let id = at.desk.enrolled(who).await; }
        at.store().committed(at.tenant(), id, CommandId::fresh());
    "src/store/contract.rs of_subject" (at, who) { let name = subject(who); }
        at.store().of_subject(at.tenant(), &name);
    "src/store/contract.rs of_tenant" (at, who) { let request = TenantRequest::new(at.tenant()); }
        at.store().of_tenant(&request);
    "src/store/contract.rs list" (at, who) {} at.store().list(None, 9);
    "src/store/contract.rs scan" (at, who) { let request = ScanRequest::new(&at.flow()).limit(9); }
        at.store().scan(&request);
    "src/store/contract.rs delete" (at, who) {
        let _ = at.desk.pending(who).await;
        let name = subject(who);
        let these = at.store().of_subject(at.tenant(), &name).await.unwrap();
    } at.store().delete(&these);
    "src/store/contract.rs facts" (at, who) { let id = at.desk.enrolled(who).await; }
        at.store().facts(at.tenant(), id);
    "src/store/contract.rs journal" (at, who) { let id = at.desk.enrolled(who).await; }
        at.store().journal(at.tenant(), id, Revision::new(0), 9);
    "src/store/contract.rs claim" (at, who) { let _ = at.desk.answered(who).await; let request = at.request(); }
        at.store().claim(&request);
    "src/store/contract.rs renew" (at, who) { let lease = [at.leased(who).await]; }
        at.store().renew(&lease, SHORT);
    "src/store/contract.rs release" (at, who) { let lease = at.leased(who).await; }
        at.store().release(&lease, Duration::ZERO);
    "src/store/contract.rs park" (at, who) {
        let lease = at.leased(who).await;
        // Not the newest: then it is due at once.
    } at.store().park(&lease, Revision::new(1), None);
    "src/store/contract.rs report" (at, who) {
        let lease = at.leased(who).await;
        let progress = StepProgress::new("create_dataset".into(), 1, 1, 3, "one of three");
    } at.store().report(&lease, &progress);
    "src/store/contract.rs progress" (at, who) { let id = at.desk.enrolled(who).await; }
        at.store().progress(at.tenant(), id);
    "src/store/contract.rs next_due" (at, who) { let flows = [at.flow()]; } at.store().next_due(&flows);
    "src/store/contract.rs take_outbox" (at, who) { let _ = at.started(who).await; }
        at.store().take_outbox(4, SHORT);
    "src/store/contract.rs settle_outbox" (at, who) {
        let _ = at.started(who).await;
        let taken = at.store().take_outbox(4, SHORT).await.unwrap();
        let later = |delivery| (delivery, Settlement::Later(Duration::ZERO));
        let settled: Vec<_> = taken.into_iter().map(later).collect();
    } at.store().settle_outbox(&settled);
    "src/store/contract.rs next_outbox" (at, who) {} at.store().next_outbox();
    "src/store/contract.rs dead_outbox" (at, who) {} at.store().dead_outbox(9);
    "src/store/contract.rs revive_outbox" (at, who) {} at.store().revive_outbox(uuid::Uuid::nil());
    "src/store/contract.rs outbox_lag" (at, who) {} at.store().outbox_lag();
};
