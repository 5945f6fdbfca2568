//! What a test wants to go wrong, and what was seen of the host's code.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::flow::TaskError;
use crate::id::StepName;
use crate::store::JournalEntry;
use crate::testing::fault::Planned;
use crate::testing::point::{Moment, Point, Work};

/// What is to happen to one call of a task.
pub(super) struct Entered {
    pub(super) moment: usize,
    pub(super) crash: Option<Point>,
    pub(super) fault: Option<Planned>,
}

/// Shared by the tasks, the store and the one who runs them.
#[derive(Default)]
pub(super) struct Script {
    pages: Mutex<Pages>,
    died: Notify,
}

#[derive(Default)]
struct Pages {
    moments: Vec<Moment>,
    crashes: BTreeMap<usize, Point>,
    /// The moment whose crash ends the run, until somebody goes on.
    halt: Option<usize>,
    halted: bool,
    struck: usize,
    faults: BTreeMap<(StepName, Work), VecDeque<Planned>>,
    /// The failure of the newest call: when its report is lost, the next attempt fails as well.
    spent: Option<((StepName, Work), Planned)>,
    /// The calls that were overtaken.
    late: BTreeMap<(StepName, Work), Late>,
}

/// The rest of a call, whose outcome nobody waits for.
type Late = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Pages {
    fn reach(&mut self, moment: Moment) -> (usize, Option<Point>) {
        let index = self.moments.len();
        self.moments.push(moment);
        (index, self.crashes.get(&index).copied())
    }

    fn strike(&mut self, moment: usize) {
        self.struck += 1;
        self.halted |= self.halt == Some(moment);
    }
}

impl Script {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next calls of a task fail, one each.
    pub(super) fn plan(&self, step: StepName, work: Work, times: u32, planned: Planned) {
        let mut pages = self.pages();
        let faults = pages.faults.entry((step, work)).or_default();
        faults.extend((0..times).map(|_| planned));
    }

    /// A crash at this moment of the run.
    pub(super) fn crash(&self, moment: usize, point: Point) {
        self.pages().crashes.insert(moment, point);
    }

    /// Nothing is worked on after the crash at this moment.
    pub(super) fn halt(&self, moment: usize) {
        self.pages().halt = Some(moment);
    }

    pub(super) fn is_halted(&self) -> bool {
        self.pages().halted
    }

    pub(super) fn go_on(&self) {
        self.pages().halted = false;
    }

    pub(super) fn moments(&self) -> Vec<Moment> {
        self.pages().moments.clone()
    }

    /// How many crashes there were.
    pub(super) fn struck(&self) -> usize {
        self.pages().struck
    }

    /// A task is about to be called.
    pub(super) fn enter(&self, step: &StepName, work: Work) -> Entered {
        let mut pages = self.pages();
        let (moment, crash) = pages.reach(Moment::Call {
            step: step.clone(),
            work,
            awaits: 0,
        });
        pages.spent = None;
        let faults = pages.faults.get(&(step.clone(), work));
        let fault = faults.and_then(VecDeque::front).copied();
        Entered {
            moment,
            crash,
            fault,
        }
    }

    /// The call fails, as it was planned: one failure less to come.
    pub(super) fn strike(&self, step: &StepName, work: Work, planned: Planned) -> TaskError {
        let mut pages = self.pages();
        let key = (step.clone(), work);
        if let Some(faults) = pages.faults.get_mut(&key) {
            faults.pop_front();
        }
        pages.spent = Some((key, planned));
        drop(pages);
        planned.fault.strike()
    }

    /// The task that was called waits for something.
    pub(super) fn awaited(&self, moment: usize) {
        if let Some(Moment::Call { awaits, .. }) = self.pages().moments.get_mut(moment) {
            *awaits += 1;
        }
    }

    /// The rest of a call is to come later.
    pub(super) fn overtaken(&self, step: &StepName, work: Work, late: Late) {
        self.pages().late.insert((step.clone(), work), late);
    }

    /// The rest of an earlier call, now that this one has had its effect.
    pub(super) fn late(&self, step: &StepName, work: Work) -> Option<Late> {
        self.pages().late.remove(&(step.clone(), work))
    }

    /// A worker is about to store a report.
    pub(super) fn reports(&self, entry: &JournalEntry) -> Option<Point> {
        let mut pages = self.pages();
        let step = step_of(entry);
        let (moment, crash) = pages.reach(Moment::Commit { step });
        let spent = pages.spent.take();
        if let (Some(Point::ReportLost), Some((key, planned))) = (crash, spent) {
            pages.faults.entry(key).or_default().push_front(planned);
        }
        if crash.is_some() {
            pages.strike(moment);
        }
        crash
    }

    /// The process dies: the caller never goes on, and whoever runs it drops it.
    pub(super) async fn die<T>(&self, moment: usize) -> T {
        self.pages().strike(moment);
        self.died.notify_one();
        std::future::pending().await
    }

    /// Waits until the process dies.
    pub(super) async fn died(&self) {
        self.died.notified().await;
    }
}

/// The first step that an entry names. Its text is the events' own, so other versions' read too.
fn step_of(entry: &JournalEntry) -> Option<StepName> {
    let events: Vec<serde_json::Value> = serde_json::from_str(&entry.events).ok()?;
    let step = events
        .iter()
        .find_map(|event| event.get("step")?.as_str())?;
    Some(StepName::from_text(step))
}
