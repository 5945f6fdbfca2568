//! Onboardings that are nobody's, and go again.
//!
//! Commits are made by hand, without messages: a relay of the host's must not deliver any of this.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Called;
use crate::cli::problem::Problem;
use crate::flow::{EncodedFact, Kind, Plan, PlanStep};
use crate::lifecycle::{Action, Command, Digest, Event, State, decide, evolve};
use crate::store::{
    ClaimRequest, Commit, CommitOutcome, FactChange, FactRecord, JournalEntry, Listed,
    NewOnboarding, QueueChange, Row, Store, StoreExt, TenantRequest, WorkerId, hash, mark,
};
use crate::{
    Actor, Clock, CommandId, FlowName, Key, OnboardingId, SubjectId, SystemClock, TenantId,
};

/// Nobody's, so that nothing of a tenant's is ever touched.
const TENANT: &str = "onramp-bench";

/// Onboardings that are looked at, and deleted, at once.
const PAGE: usize = 200;

/// How often a claim that gives nothing is tried again.
const TRIES: u32 = 200;

/// One run.
pub(super) struct Bench {
    store: Arc<dyn Store>,
    tenant: TenantId,
    /// Its flow is of this run alone, so that runs do not claim each other's.
    plan: Plan,
}

impl Bench {
    pub(super) fn new(store: Arc<dyn Store>) -> Result<Self, Problem> {
        let flow = format!("bench_{}", CommandId::fresh().as_uuid().simple());
        let steps = vec![
            PlanStep::new("answer", Kind::Answer),
            PlanStep::new("task", Kind::Task),
        ];
        let plan = Plan::new(FlowName::from_text(flow), 1, steps).map_err(internal)?;
        let tenant = TenantId::new(TENANT).map_err(internal)?;
        Ok(Self {
            store,
            tenant,
            plan,
        })
    }

    pub(super) fn flow(&self) -> &FlowName {
        self.plan.flow()
    }

    /// Creates one.
    pub(super) async fn create(&self, number: u32) -> Called<Row> {
        let key = Key {
            tenant: self.tenant.clone(),
            flow: self.flow().clone(),
            subject: SubjectId::new(format!("subject-{number}")).map_err(internal)?,
        };
        let id = OnboardingId::fresh();
        let (state, created) = State::create(id, key, &self.plan, SystemClock.now());
        let entry = entry(Digest::ZERO, &state, &[created])?;
        let head = entry.hash;
        let row = Row { state, head };
        let begun = Instant::now();
        let new = NewOnboarding {
            row,
            entry,
            outbox: Vec::new(),
            due: None,
        };
        let row = self.store.create(new).await?.row;
        Ok((row, vec![begun.elapsed()]))
    }

    /// Starts it and gives its answer: then it is due.
    pub(super) async fn answer(&self, row: Row) -> Called<SubjectId> {
        let (now, mut times) = (SystemClock.now(), Vec::new());
        let start = Action::Start {
            cleared: row.state.id(),
            cleared_at: now,
        };
        let started = self.next(row, start, Vec::new(), QueueChange::Keep)?;
        let row = self.timed(started, &mut times).await?;

        let text = format!("{{\"text\":\"{}\"}}", "x".repeat(200));
        let fact = EncodedFact::from_stored("answer".into(), 1, text).map_err(internal)?;
        let salt = *CommandId::fresh().as_uuid().as_bytes();
        let submit = Action::Submit {
            step: "answer".into(),
            fact: mark(&fact, &salt),
        };
        let record = FactRecord {
            fact,
            salt,
            by: Actor::Host,
            at: now,
        };
        let facts = vec![FactChange::Put(record)];
        let due = QueueChange::Wake(Duration::ZERO);
        let answered = self.next(row, submit, facts, due)?;
        let row = self.timed(answered, &mut times).await?;
        Ok((row.state.key().subject.clone(), times))
    }

    /// Asks where it is, as a page does.
    pub(super) async fn status(&self, subject: SubjectId) -> Called<SubjectId> {
        let now = SystemClock.now();
        let begun = Instant::now();
        let status = self.store.status(&self.plan, &self.tenant, &subject, now);
        match status.await? {
            Some(_) => Ok((subject, vec![begun.elapsed()])),
            None => Err(Problem::new("failed", "what was stored is not there")),
        }
    }

    /// Claims one, as a worker does. Who finds nothing because others are at it tries again, and that is
    /// part of the time.
    pub(super) async fn claim(&self) -> Called<()> {
        let worker = WorkerId::new("bench");
        let request = ClaimRequest::new(self.flow(), &worker);
        let begun = Instant::now();
        for _ in 0..TRIES {
            if !self.store.claim(&request).await?.is_empty() {
                return Ok(((), vec![begun.elapsed()]));
            }
        }
        let message = format!("{TRIES} claims gave nothing, and there is something");
        Err(Problem::new("failed", message))
    }

    fn next(
        &self,
        before: Row,
        action: Action,
        facts: Vec<FactChange>,
        queue: QueueChange,
    ) -> Result<Commit, Problem> {
        let command = Command {
            by: Actor::Host,
            action,
        };
        let events = decide(&before.state, &self.plan, &command, SystemClock.now());
        let events = events.map_err(internal)?;
        let expected = before.state.revision();
        let state = evolve(before.state, &events);
        let entry = entry(before.head, &state, &events)?;
        let head = entry.hash;
        Ok(Commit {
            expected,
            fence: None,
            row: Row { state, head },
            facts,
            reservations: Vec::new(),
            entry,
            outbox: Vec::new(),
            queue,
        })
    }

    async fn timed(&self, commit: Commit, times: &mut Vec<Duration>) -> Result<Row, Problem> {
        let row = commit.row.clone();
        let begun = Instant::now();
        let outcome = self.store.commit(commit).await?;
        times.push(begun.elapsed());
        match outcome {
            CommitOutcome::Committed | CommitOutcome::Replayed { .. } => Ok(row),
            _ => Err(Problem::new(
                "refused",
                "somebody else writes to the scratch tenant",
            )),
        }
    }
}

/// Whether there are onboardings of anybody's but the bench's.
pub(super) async fn anybody_elses(store: &dyn Store) -> Result<bool, Problem> {
    let mut after = None;
    loop {
        let page = store.list(after, PAGE).await?;
        if page
            .iter()
            .any(|listed| listed.key.tenant.as_str() != TENANT)
        {
            return Ok(true);
        }
        match page.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(false),
        }
    }
}

/// Deletes those of the scratch tenant that are meant.
pub(super) async fn clean(
    store: &dyn Store,
    is_meant: impl Fn(&Listed) -> bool,
) -> Result<(), Problem> {
    let tenant = TenantId::new(TENANT).map_err(internal)?;
    let mut request = TenantRequest::new(&tenant).limit(PAGE);
    loop {
        let mut page = store.of_tenant(&request).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        request = request.after(&last.key);
        page.retain(|listed| listed.key.flow.as_str().starts_with("bench_") && is_meant(listed));
        store.delete(&page).await?;
    }
}

fn internal(error: impl std::fmt::Display) -> Problem {
    Problem::new("internal", error.to_string())
}

fn entry(previous: Digest, state: &State, events: &[Event]) -> Result<JournalEntry, Problem> {
    let text = serde_json::to_string(events);
    let mut entry = JournalEntry {
        onboarding: state.id(),
        revision: state.revision(),
        command: CommandId::fresh(),
        by: Actor::Host,
        at: events.first().map(|event| event.at).unwrap_or_default(),
        events: text.map_err(internal)?,
        hash: Digest::ZERO,
    };
    entry.hash = hash(previous, &entry);
    Ok(entry)
}
