//! Onboardings that are nobody's, and go again.
//!
//! Commits are made by hand, without messages: a relay of the host's must not deliver any of this.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cli::problem::Problem;
use crate::flow::{EncodedFact, Kind, Plan, PlanStep};
use crate::lifecycle::{Action, Command, Digest, Event, State, decide, evolve};
use crate::store::{
    ClaimRequest, Commit, CommitOutcome, FactChange, FactRecord, JournalEntry, Listed,
    NewOnboarding, QueueChange, Row, ScanRequest, Store, WorkerId, hash, mark,
};
use crate::{
    Actor, Clock, CommandId, FlowName, Key, OnboardingId, SubjectId, SystemClock, TenantId,
};

/// Nobody's, so that nothing of a tenant's is ever touched.
const TENANT: &str = "onramp-bench";

/// One run.
pub(super) struct Bench {
    store: Arc<dyn Store>,
    tenant: TenantId,
    /// Of this run alone, so that runs do not claim each other's.
    pub(super) flow: FlowName,
    plan: Plan,
}

impl Bench {
    pub(super) fn new(store: Arc<dyn Store>) -> Result<Self, Problem> {
        let internal = |error: &dyn std::fmt::Display| Problem::new("internal", error.to_string());
        let flow = format!("bench_{}", CommandId::fresh().as_uuid().simple());
        let flow = FlowName::from_text(flow);
        let steps = vec![
            PlanStep::new("answer", Kind::Answer),
            PlanStep::new("task", Kind::Task),
        ];
        let plan = Plan::new(flow.clone(), 1, steps).map_err(|error| internal(&error))?;
        let tenant = TenantId::new(TENANT).map_err(|error| internal(&error))?;
        Ok(Self {
            store,
            tenant,
            flow,
            plan,
        })
    }

    /// Creates one, starts it and gives its answer: then it is due.
    pub(super) async fn onboard(
        &self,
        number: u32,
        times: &mut (Vec<Duration>, Vec<Duration>),
    ) -> Result<(), Problem> {
        let now = SystemClock.now();
        let subject = SubjectId::new(format!("subject-{number}"));
        let subject = subject.map_err(|error| Problem::new("internal", error.to_string()))?;
        let key = Key {
            tenant: self.tenant.clone(),
            flow: self.flow.clone(),
            subject,
        };
        let id = OnboardingId::fresh();
        let (state, created) = State::create(id, key, &self.plan, now);
        let entry = entry(Digest::ZERO, &state, &[created])?;
        let head = entry.hash;
        let row = Row { state, head };

        let begun = Instant::now();
        let row = self.store.create(NewOnboarding { row, entry }).await?.row;
        times.0.push(begun.elapsed());

        let start = Action::Start {
            cleared: id,
            cleared_at: now,
        };
        let started = self.next(row, start, Vec::new(), QueueChange::Keep)?;
        let row = self.timed(started, &mut times.1).await?;

        let text = format!("{{\"text\":\"{}\"}}", "x".repeat(200));
        let fact = EncodedFact::from_stored("answer".into(), 1, text);
        let fact = fact.map_err(|error| Problem::new("internal", error.to_string()))?;
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
        self.timed(answered, &mut times.1).await?;
        Ok(())
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
        let events = events.map_err(|why| Problem::new("internal", why.to_string()))?;
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

    pub(super) async fn claim(&self, count: u32) -> Result<Vec<Duration>, Problem> {
        let worker = WorkerId::new("bench");
        let request = ClaimRequest::new(&self.flow, &worker);
        let mut times = Vec::new();
        for _ in 0..count {
            let begun = Instant::now();
            let claimed = self.store.claim(&request).await?;
            times.push(begun.elapsed());
            if claimed.is_empty() {
                return Err(Problem::new("failed", "the store gave nothing to a claim"));
            }
        }
        Ok(times)
    }

    /// Deletes everything of the runs that are meant. A run is found by its first subject.
    pub(super) async fn clean(&self, is_meant: impl Fn(&Listed) -> bool) -> Result<(), Problem> {
        let first = SubjectId::new("subject-0");
        let first = first.map_err(|error| Problem::new("internal", error.to_string()))?;
        let runs = self.store.of_subject(&self.tenant, &first).await?;
        for run in runs.iter().filter(|run| is_meant(run)) {
            let flow = &run.key.flow;
            if !flow.as_str().starts_with("bench_") {
                continue;
            }
            // From the newest on, so that the first is there until all others are gone.
            let mut listed = Vec::new();
            let mut request = ScanRequest::new(flow).tenant(&self.tenant);
            loop {
                let page = self.store.scan(&request).await?;
                let Some(last) = page.last() else { break };
                request = request.after(last.id);
                for row in page.into_iter().filter_map(|scanned| scanned.row.ok()) {
                    listed.push(Listed {
                        id: row.state.id(),
                        key: row.state.key().clone(),
                        revision: row.state.revision(),
                        stage: row.state.stage(),
                        changed_at: row.state.created_at(),
                    });
                }
            }
            listed.sort_by_key(|listed| listed.key.subject == first);
            for some in listed.chunks(200) {
                self.store.delete(some).await?;
            }
        }
        Ok(())
    }
}

fn entry(previous: Digest, state: &State, events: &[Event]) -> Result<JournalEntry, Problem> {
    let text = serde_json::to_string(events);
    let mut entry = JournalEntry {
        onboarding: state.id(),
        revision: state.revision(),
        command: CommandId::fresh(),
        by: Actor::Host,
        at: events.first().map(|event| event.at).unwrap_or_default(),
        events: text.map_err(|error| Problem::new("internal", error.to_string()))?,
        hash: Digest::ZERO,
    };
    entry.hash = hash(previous, &entry);
    Ok(entry)
}
