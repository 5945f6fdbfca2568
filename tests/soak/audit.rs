//! The comparison of what hosts were told and what workers did with what is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use onramp::lifecycle::{Happened, State};
use onramp::prelude::*;
use onramp::store::{JournalEntry, Unverified};
use onramp::{CommandId, Fence, Revision};
use uuid::Uuid;

use super::flow::Signup;
use super::hosts::{Book, Told, tenant};
use super::ledger::{Effect, Line};

/// What was counted. All but the first group must be zero.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) onboardings: usize,
    pub(crate) transitions: usize,
    pub(crate) effects: usize,
    /// Effects that a worker made after it had lost its lease and somebody else had taken them
    /// back: no library can stop code that is paused in the middle. Whoever is asked to make them
    /// refuses them by their fence, and so they do not count.
    pub(crate) late: usize,
    /// How long it took until everything had ended after the faults.
    pub(crate) settled: Duration,
    pub(crate) violations: Violations,
}

/// What must not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Violations {
    /// Confirmed to a host or a worker, and not stored.
    pub(crate) lost: usize,
    /// Refused to a host, and stored.
    pub(crate) refused: usize,
    /// A step done twice, or a command stored twice.
    pub(crate) duplicates: usize,
    /// Stored under an older fence after a newer claim.
    pub(crate) stale: usize,
    pub(crate) gaps: usize,
    /// Journals whose hashes, or whose states or facts, are not as they say.
    pub(crate) broken: usize,
    /// Effects that are there and belong to nothing that is done.
    pub(crate) left_over: usize,
    /// Effects that are not there, of steps that are done.
    pub(crate) missing: usize,
    /// Neither completed nor failed, or with something left to undo.
    pub(crate) open: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            onboardings,
            transitions,
            effects,
            late,
            violations: v,
            ..
        } = self;
        let settled = self.settled.as_secs_f64();
        write!(
            f,
            "onboardings={onboardings} transitions={transitions} effects={effects} late={late} \
             settled={settled:.1}s lost={} refused={} duplicates={} stale={} gaps={} broken={} \
             left_over={} missing={} open={}",
            v.lost,
            v.refused,
            v.duplicates,
            v.stale,
            v.gaps,
            v.broken,
            v.left_over,
            v.missing,
            v.open
        )
    }
}

/// What the ledger tells.
#[derive(Default)]
struct Tale {
    /// Under which fence a checkpoint was sent, and whether a newer claim had been given out.
    sent: HashMap<CommandId, (Fence, bool)>,
    stored: HashMap<OnboardingId, Vec<CommandId>>,
    /// The effects that are there.
    there: HashMap<OnboardingId, BTreeSet<Uuid>>,
    effects: usize,
    late: usize,
}

impl Tale {
    fn of(lines: Vec<Line>) -> Self {
        let mut told = Self::default();
        let mut claimed: HashMap<OnboardingId, Fence> = HashMap::new();
        let mut taken_back: HashMap<Uuid, Fence> = HashMap::new();
        for line in lines {
            match line {
                Line::Claimed { id, fence } => {
                    let newest = claimed.entry(id).or_default();
                    *newest = fence.max(*newest);
                }
                Line::Sending { id, fence, command } => {
                    told.sent.insert(command, (fence, fence < claimed[&id]));
                }
                Line::Stored { id, command } => told.stored.entry(id).or_default().push(command),
                Line::Made(Effect { key, id, fence, .. }) => {
                    told.effects += 1;
                    if taken_back.get(&key).is_some_and(|newest| fence < *newest) {
                        told.late += 1;
                    } else {
                        told.there.entry(id).or_default().insert(key);
                    }
                }
                Line::TakenBack(Effect { key, id, fence, .. }) => {
                    told.there.entry(id).or_default().remove(&key);
                    let newest = taken_back.entry(key).or_default();
                    *newest = fence.max(*newest);
                }
            }
        }
        told
    }
}

/// Compares. What is wrong is also printed, one line each.
pub(crate) async fn compare(store: &dyn Store, books: &[Book], lines: Vec<Line>) -> Figures {
    let told = Tale::of(lines);
    let mut figures = Figures {
        onboardings: books.len(),
        effects: told.effects,
        late: told.late,
        ..Figures::default()
    };
    for book in books {
        let (tenant, subject) = (tenant(&book.subject), &book.subject);
        let found: Option<Loaded<Signup>> = store.open(&tenant, subject).await.unwrap();
        let Some(found) = found else {
            let confirmed = book.commits.iter().filter(|c| c.1 == Told::Stored);
            figures.violations.lost += confirmed.count();
            figures.violations.open += 1;
            continue;
        };
        let state = found.into_state();
        let zero = Revision::new(0);
        let journal = store.journal(&tenant, state.id(), zero, 100_000);
        let journal = journal.await.unwrap();
        figures.transitions += journal.len();
        let mut seen = Violations::default();
        let v = &mut seen;
        v.books(&journal, book, told.stored.get(&state.id()));
        v.journal(&state, &journal, &told);
        match store.verify_journal(&tenant, state.id()).await {
            Ok(_) => {}
            Err(Unverified::Store(error)) => panic!("{error}"),
            Err(_) => v.broken += 1,
        }
        v.open += usize::from(match (state.stage(), state.failed()) {
            (StageKind::Completed, _) => false,
            (_, Some(failed)) => !failed.remaining.is_empty(),
            _ => true,
        });
        let facts = store.facts(&tenant, state.id()).await.unwrap();
        let recorded = facts.iter().filter_map(|record| {
            let fact: serde_json::Value = serde_json::from_str(record.fact.json()).unwrap();
            fact["key"].as_str().map(|key| key.parse().unwrap())
        });
        let recorded: BTreeSet<Uuid> = recorded.collect();
        let nothing = BTreeSet::new();
        let there = told.there.get(&state.id()).unwrap_or(&nothing);
        // What goes on may well have made what it has not reported yet.
        if v.open == 0 {
            v.left_over += there.difference(&recorded).count();
        }
        v.missing += recorded.difference(there).count();
        if seen != Violations::default() {
            println!("{}: {seen:?}", book.subject);
            figures.violations.add(&seen);
        }
    }
    figures
}

impl Violations {
    /// What hosts and workers were told.
    fn books(&mut self, journal: &[JournalEntry], book: &Book, stored: Option<&Vec<CommandId>>) {
        let commands: HashSet<_> = journal.iter().map(|entry| entry.command).collect();
        self.duplicates += journal.len() - commands.len();
        for (command, told) in &book.commits {
            match (told, commands.contains(command)) {
                (Told::Stored, false) => self.lost += 1,
                (Told::NotStored, true) => self.refused += 1,
                _ => {}
            }
        }
        let confirmed = stored.into_iter().flatten();
        self.lost += confirmed.filter(|c| !commands.contains(c)).count();
    }

    fn journal(&mut self, state: &State, journal: &[JournalEntry], told: &Tale) {
        let revisions = (1..).zip(journal);
        self.gaps += revisions
            .filter(|(revision, entry)| entry.revision.get() != *revision)
            .count();
        let newest = journal.last().map(|entry| entry.revision);
        self.gaps += usize::from(newest != Some(state.revision()));
        let mut newest = Fence::default();
        let mut done = BTreeMap::new();
        for entry in journal {
            if entry.by == Actor::Worker {
                let (fence, overtaken) = told.sent[&entry.command];
                self.stale += usize::from(overtaken || fence < newest);
                newest = newest.max(fence);
            }
            for event in entry.decode().unwrap() {
                match event.happened {
                    Happened::FactRecorded { step, .. }
                    | Happened::AnswerSubmitted { step, .. }
                    | Happened::EvidenceAttested { step, .. } => {
                        self.duplicates += usize::from(done.insert(step, ()).is_some());
                    }
                    Happened::StepUndone { step, .. } => {
                        done.remove(&step);
                    }
                    _ => {}
                }
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.refused += other.refused;
        self.duplicates += other.duplicates;
        self.stale += other.stale;
        self.gaps += other.gaps;
        self.broken += other.broken;
        self.left_over += other.left_over;
        self.missing += other.missing;
        self.open += other.open;
    }
}
