//! A few callers at once at one onboarding, and in which order they asked and were answered.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::lifecycle::{Action, Command};
use onramp::prelude::*;
use onramp::store::{
    ClaimRequest, Commit, CommitOutcome, Delivery, Lease, NewOnboarding, Row, Settlement, WorkerId,
};
use onramp::{Actor, Fence};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use tokio::sync::Barrier;

use crate::histories::chance::Chance;
use crate::histories::onboard::{LATER, Place};
use crate::histories::reference::queue;
use crate::histories::sequential::{Head, Op, Ret, Sequential};
use crate::model::guard::Guards;
use crate::model::store::{self, Kept, Outcome};

pub(crate) struct Race {
    seed: u64,
    place: Place,
    callers: usize,
    each: usize,
}

/// What was asked and answered, in the order of time.
pub(crate) struct History {
    begin: Sequential,
    said: Vec<(usize, Said)>,
}

enum Said {
    Asked(Op),
    Answered(Ret),
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "at first: {:?}", self.begin)?;
        for (caller, said) in &self.said {
            match said {
                Said::Asked(op) => writeln!(f, "{caller} asks {op:?}")?,
                Said::Answered(ret) => writeln!(f, "{caller} is told {ret:?}")?,
            }
        }
        Ok(())
    }
}

impl History {
    /// Whether two were at it at the same time.
    pub(crate) fn overlaps(&self) -> bool {
        let mut said = self.said.windows(2);
        said.any(|two| matches!((&two[0].1, &two[1].1), (Said::Asked(_), Said::Asked(_))))
    }
}

/// Whether there is an order, of those that time allows, in which one store gives these answers.
pub(crate) fn is_linearizable(history: &History) -> bool {
    let mut tester = LinearizabilityTester::new(history.begin.clone());
    for (caller, said) in &history.said {
        let noted = match said {
            Said::Asked(op) => tester.on_invoke(*caller, op.clone()),
            Said::Answered(ret) => tester.on_return(*caller, ret.clone()),
        };
        noted.unwrap();
    }
    tester.is_consistent()
}

fn head(row: &Row) -> Head {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&row.head.as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}

fn fence(fence: Fence) -> u16 {
    u16::try_from(fence.get()).unwrap_or(u16::MAX)
}

/// A commit as the proven store takes it.
fn wanted(commit: &Commit, command: u16) -> store::Commit<Head> {
    let revision = commit.row.state.revision().get() as u16;
    store::Commit {
        expected: commit.expected.get() as u16,
        fence: commit.fence.map(fence),
        command: Some(command),
        row: head(&commit.row),
        queue: queue(commit.queue),
        tells: commit.outbox.first().map(|_| revision),
    }
}

impl Race {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        let run = uuid::Uuid::new_v4();
        let mut chance = Chance::new(seed);
        Self {
            seed,
            place: Place::new(&format!("{name}/{seed}/{run}")),
            callers: 2 + chance.below(3),
            each: 2 + chance.below(2),
        }
    }

    /// Lets them at it, from before the creation on or once it has been started.
    pub(crate) async fn run(self, store: &Arc<dyn Store>) -> History {
        let begin = match self.seed.is_multiple_of(4) {
            true => (Sequential(None), Vec::new()),
            false => self.started(&**store).await,
        };
        let said: Arc<Mutex<Vec<(usize, Said)>>> = Arc::default();
        let barrier = Arc::new(Barrier::new(self.callers));
        let (race, mut running) = (Arc::new(self), Vec::new());
        for caller in 0..race.callers {
            let mut one = Caller {
                race: Arc::clone(&race),
                store: Arc::clone(store),
                said: Arc::clone(&said),
                caller,
                rows: begin.1.clone(),
                lease: None,
                delivery: None,
                last: None,
            };
            let barrier = Arc::clone(&barrier);
            running.push(tokio::spawn(async move {
                barrier.wait().await;
                one.ask_all().await;
            }));
        }
        for one in running {
            one.await.unwrap();
        }
        let said = std::mem::take(&mut *said.lock().unwrap());
        History {
            begin: begin.0,
            said,
        }
    }

    async fn started(&self, store: &dyn Store) -> (Sequential, Vec<Row>) {
        let row = store.create(self.place.creation(0)).await.unwrap().row;
        let (cleared, cleared_at) = (row.state.id(), row.state.created_at());
        let start = Action::Start {
            cleared,
            cleared_at,
        };
        let start = Command {
            by: Actor::Host,
            action: start,
        };
        let commit = self.place.commit(&row, &start, None, 9_999).unwrap();
        let mut kept = Kept::new(head(&row), 1);
        kept.commit(&wanted(&commit, 9_999), Guards::ALL);
        let row = commit.row.clone();
        assert_eq!(
            store.commit(commit).await.unwrap(),
            CommitOutcome::Committed
        );
        (Sequential(Some(kept)), vec![row])
    }
}

struct Caller {
    race: Arc<Race>,
    store: Arc<dyn Store>,
    said: Arc<Mutex<Vec<(usize, Said)>>>,
    caller: usize,
    rows: Vec<Row>,
    lease: Option<Lease>,
    delivery: Option<Delivery>,
    last: Option<(Commit, u16)>,
}

impl Caller {
    async fn ask_all(&mut self) {
        let seed = self
            .race
            .seed
            .wrapping_mul(31)
            .wrapping_add(self.caller as u64);
        let mut chance = Chance::new(seed);
        for nth in 0..self.race.each {
            let number = self.caller * 100 + nth;
            self.ask(number, &mut chance).await;
        }
    }

    async fn asked(&self, op: Op) {
        self.said
            .lock()
            .unwrap()
            .push((self.caller, Said::Asked(op)));
        // So that they meet, however quick the store is.
        tokio::task::yield_now().await;
    }

    fn told(&self, ret: Ret) {
        self.said
            .lock()
            .unwrap()
            .push((self.caller, Said::Answered(ret)));
    }

    async fn ask(&mut self, number: usize, chance: &mut Chance) {
        let Some(newest) = self.rows.last().cloned() else {
            let new: NewOnboarding = self.race.place.creation(0);
            self.asked(Op::Create(head(&new.row))).await;
            let created = self.store.create(new).await.unwrap();
            let (row, fresh) = (head(&created.row), created.fresh);
            self.told(Ret::Created { row, fresh });
            self.rows.push(created.row);
            return;
        };
        match chance.below(12) {
            0 | 1 => self.load(&newest).await,
            2..=4 => self.claim().await,
            5 => match self.lease.take() {
                Some(lease) => {
                    let fence = fence(lease.fence);
                    self.asked(Op::Release { fence }).await;
                    self.store.release(&lease, Duration::ZERO).await.unwrap();
                    self.told(Ret::Done);
                }
                None => self.claim().await,
            },
            6 => self.message(chance).await,
            7 => match self.last.clone() {
                Some((commit, command)) => self.commit(commit, command).await,
                None => self.load(&newest).await,
            },
            _ => {
                let place = &self.race.place;
                let wish = place.wish(&newest, number, chance);
                let worker = wish.by == Actor::Worker;
                let fence = self
                    .lease
                    .as_ref()
                    .map_or(Fence::new(1), |lease| lease.fence);
                let made = place.commit(&newest, &wish, worker.then_some(fence), number);
                match made {
                    Some(commit) => self.commit(commit, number as u16).await,
                    None => self.load(&newest).await,
                }
            }
        }
    }

    async fn load(&mut self, known: &Row) {
        self.asked(Op::Load).await;
        let (tenant, id) = (&known.state.key().tenant, known.state.id());
        let row = self.store.load(tenant, id).await.unwrap();
        self.told(Ret::Loaded(row.as_ref().map(head)));
        self.rows.extend(row);
    }

    async fn commit(&mut self, commit: Commit, command: u16) {
        self.last = Some((commit.clone(), command));
        self.asked(Op::Commit(wanted(&commit, command))).await;
        let after = commit.row.clone();
        let outcome = self.store.commit(commit).await.unwrap();
        let told = match &outcome {
            CommitOutcome::Committed => Outcome::Committed,
            CommitOutcome::Fenced => Outcome::Fenced,
            CommitOutcome::Conflict { current } => Outcome::Conflict {
                current: head(current),
            },
            CommitOutcome::Replayed { revision, current } => {
                let (revision, current) = (revision.get() as u16, head(current));
                Outcome::Replayed { revision, current }
            }
            other => panic!("{other:?}"),
        };
        self.told(Ret::Outcome(told));
        match outcome {
            CommitOutcome::Committed => self.rows.push(after),
            CommitOutcome::Conflict { current } | CommitOutcome::Replayed { current, .. } => {
                self.rows.push(*current);
            }
            _ => {}
        }
    }

    async fn claim(&mut self) {
        let worker = WorkerId::new("history");
        let request = ClaimRequest::new(self.race.place.plan.flow(), &worker).lease(LATER);
        self.asked(Op::Claim).await;
        let claimed = self.store.claim(&request).await.unwrap().pop();
        let attempt = |lease: &Lease| (fence(lease.fence), lease.attempt as u16);
        self.told(Ret::Claimed(claimed.as_ref().map(attempt)));
        self.lease = claimed.or(self.lease.take());
    }

    async fn message(&mut self, chance: &mut Chance) {
        let Some(taken) = self.delivery.take() else {
            self.asked(Op::Take).await;
            let taken = self.store.take_outbox(100, LATER).await.unwrap();
            let id = self.rows[0].state.id();
            let (mut mine, others): (Vec<_>, Vec<_>) = taken
                .into_iter()
                .partition(|taken| taken.message.onboarding == id);
            // Left over by earlier histories.
            let others = others
                .into_iter()
                .map(|other| (other, Settlement::Delivered));
            let others: Vec<_> = others.collect();
            self.store.settle_outbox(&others).await.unwrap();
            let taken = mine.pop();
            let name = |taken: &Delivery| taken.message.revision.get() as u16;
            let told = |t: &Delivery| (name(t), fence(t.fence), t.attempt as u16);
            self.told(Ret::Taken(taken.as_ref().map(told)));
            self.delivery = taken;
            return;
        };
        let (real, how) = match chance.below(3) {
            0 => (Settlement::Delivered, store::Settlement::Delivered),
            1 => (
                Settlement::Later(Duration::ZERO),
                store::Settlement::Later(true),
            ),
            _ => (Settlement::Dead("gone".into()), store::Settlement::Dead),
        };
        let (name, fence) = (taken.message.revision.get() as u16, fence(taken.fence));
        self.asked(Op::Settle { name, fence, how }).await;
        self.store.settle_outbox(&[(taken, real)]).await.unwrap();
        self.told(Ret::Done);
    }
}
