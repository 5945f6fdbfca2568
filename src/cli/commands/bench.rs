//! How fast the store is: a small loop of what a host and a worker do.
//!
//! Commits are made by hand, without messages: a relay of the host's must not deliver any of this.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use clap::value_parser;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::Shown;
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

/// What a run that was cut off has left is deleted by one that begins this much later.
const STALE: TimeDelta = TimeDelta::hours(1);

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// How many onboardings
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    onboardings: u32,
    /// How many call at the same time
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    callers: u32,
}

impl Args {
    pub(in crate::cli) fn connections(&self) -> u32 {
        self.callers.clamp(4, 16)
    }
}

#[derive(Serialize)]
struct Measured {
    onboardings: u32,
    callers: u32,
    seconds: f64,
    create: Latency,
    commit: Latency,
    claim: Latency,
}

#[derive(Serialize)]
struct Latency {
    count: usize,
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
}

impl Latency {
    fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort();
        let count = times.len();
        let rank = |percent: usize| {
            let place = (count * percent).div_ceil(100).saturating_sub(1);
            let time = times.get(place).copied().unwrap_or_default();
            u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = count as f64 / whole.as_secs_f64().max(f64::EPSILON);
        Self {
            count,
            per_second,
            p50_us: rank(50),
            p99_us: rank(99),
        }
    }
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let bench = Arc::new(Bench::new(Arc::clone(&cx.store))?);
    bench
        .clean(|listed| listed.changed_at + STALE < cx.now)
        .await?;
    let measured = bench.measure(cx, args).await;
    // Also after a failure; what keeps it from cleaning is told only if nothing else went wrong.
    let cleaned = bench.clean(|listed| listed.key.flow == bench.flow).await;
    let measured = measured?;
    cleaned?;

    let mut table = cx
        .look
        .table(&["WHAT", "COUNT", "PER SECOND", "P50", "P99"]);
    let rows = [
        ("create", &measured.create),
        ("commit", &measured.commit),
        ("claim", &measured.claim),
    ];
    for (name, latency) in rows {
        table.row([
            Shown::from(name),
            Shown::from(latency.count),
            Shown::from(format!("{:.0}", latency.per_second)),
            Shown::from(format!("{} us", latency.p50_us)),
            Shown::from(format!("{} us", latency.p99_us)),
        ]);
    }
    let text = table.into_text();
    Answer::new(measured, text)
}

/// One run.
struct Bench {
    store: Arc<dyn Store>,
    tenant: TenantId,
    /// Of this run alone, so that runs do not claim each other's.
    flow: FlowName,
    plan: Plan,
}

impl Bench {
    fn new(store: Arc<dyn Store>) -> Result<Self, Problem> {
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

    async fn measure(self: &Arc<Self>, cx: &Context<'_>, args: &Args) -> Result<Measured, Problem> {
        let bar = cx.spinner("onboardings");
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for caller in 0..args.callers {
            let (bench, bar) = (Arc::clone(self), bar.clone());
            let mine = (caller..args.onboardings).step_by(args.callers as usize);
            running.spawn(async move {
                let mut times = (Vec::new(), Vec::new());
                for number in mine {
                    bench.onboard(number, &mut times).await?;
                    bar.inc(1);
                }
                Ok::<_, Problem>(times)
            });
        }
        let (mut create, mut commit) = (Vec::new(), Vec::new());
        while let Some(ended) = running.join_next().await {
            let ended = ended.map_err(|error| Problem::new("internal", error.to_string()))?;
            let (created, committed) = ended?;
            create.extend(created);
            commit.extend(committed);
        }
        let written = begun.elapsed();
        let begun = Instant::now();
        let claim = self.claim(args.onboardings).await?;
        let claimed = begun.elapsed();
        bar.finish_and_clear();
        Ok(Measured {
            onboardings: args.onboardings,
            callers: args.callers,
            seconds: (written + claimed).as_secs_f64(),
            create: Latency::of(create, written),
            commit: Latency::of(commit, written),
            claim: Latency::of(claim, claimed),
        })
    }

    /// Creates one, starts it and gives its answer: then it is due.
    async fn onboard(
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

    async fn claim(&self, count: u32) -> Result<Vec<Duration>, Problem> {
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
    async fn clean(&self, is_meant: impl Fn(&Listed) -> bool) -> Result<(), Problem> {
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
