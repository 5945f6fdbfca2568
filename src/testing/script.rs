//! What a test wants to go wrong, and what was seen of the host's code.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::flow::{Problem, TaskError};
use crate::id::StepName;
use crate::store::JournalEntry;

/// What a task is called for.
///
/// ```
/// use onramp::testing::Work;
/// assert_eq!(Work::Undo.as_str(), "undo");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Work {
    /// To make its effect.
    Run,
    /// To take it back.
    Undo,
    /// To compare what should be there with what is.
    Verify,
}

impl Work {
    /// `"run"`, `"undo"` or `"verify"`: the method of the task.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Undo => "undo",
            Self::Verify => "verify",
        }
    }
}

/// How a task is made to fail.
///
/// ```
/// use onramp::flow::Problem;
/// use onramp::testing::Fault;
/// const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
/// let ways = [Fault::retryable(BUSY), Fault::fatal(BUSY), Fault::panic()];
/// assert_ne!(ways[0], ways[1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(Way);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Error { problem: Problem, retryable: bool },
    Panic,
}

impl Fault {
    /// By an error that is worth another attempt.
    #[must_use]
    pub const fn retryable(problem: Problem) -> Self {
        let retryable = true;
        Self(Way::Error { problem, retryable })
    }

    /// By an error that is final.
    #[must_use]
    pub const fn fatal(problem: Problem) -> Self {
        let retryable = false;
        Self(Way::Error { problem, retryable })
    }

    /// By a panic.
    #[must_use]
    pub const fn panic() -> Self {
        Self(Way::Panic)
    }

    /// Fails in this way.
    #[expect(clippy::panic, reason = "the panic that the test asked for")]
    fn strike(self) -> TaskError {
        const CAUSE: &str = "the test wanted it";
        match self.0 {
            Way::Panic => panic!("{CAUSE}"),
            Way::Error { problem, retryable } => match retryable {
                true => TaskError::retryable(problem, CAUSE),
                false => TaskError::fatal(problem, CAUSE),
            },
        }
    }

    pub(super) fn describe(self) -> String {
        match self.0 {
            Way::Panic => "a panic".to_owned(),
            Way::Error { problem, retryable } => {
                let kind = if retryable { "retryable" } else { "final" };
                format!("{} ({kind})", problem.code())
            }
        }
    }
}

/// Where a process dies, or an answer is lost.
///
/// ```
/// use onramp::testing::Point;
/// assert_eq!(Point::AfterEffect.to_string(), "after its effect, before its report");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Point {
    /// Nowhere: what differs does so undisturbed.
    Undisturbed,
    /// The process dies as the task is about to be called.
    BeforeEffect,
    /// The process dies while the task waits for this time, counted from 1: its future is dropped.
    DuringEffect(usize),
    /// The process dies when the task is done and its report is not yet on its way.
    AfterEffect,
    /// The connection breaks before the report is stored; the worker cannot know.
    ReportLost,
    /// The connection breaks after the report was stored; the worker cannot know.
    InDoubt,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undisturbed => f.write_str("undisturbed"),
            Self::BeforeEffect => f.write_str("before its effect"),
            Self::DuringEffect(n) => write!(f, "in the middle, at await {n}"),
            Self::AfterEffect => f.write_str("after its effect, before its report"),
            Self::ReportLost => f.write_str("as its report was lost"),
            Self::InDoubt => f.write_str("as its report was stored and the answer lost"),
        }
    }
}

/// Something that a worker did, in the order of a run.
#[derive(Debug, Clone)]
pub(super) enum Moment {
    /// It called a task, which waited so often.
    Call {
        step: StepName,
        work: Work,
        awaits: usize,
    },
    /// It stored a report.
    Commit { step: Option<StepName> },
}

impl Moment {
    /// Whether a task was called for this.
    pub(super) fn calls(&self, what: Work) -> bool {
        matches!(self, Self::Call { work, .. } if *work == what)
    }
}

/// What is to happen to one call of a task.
pub(super) struct Entered {
    pub(super) moment: usize,
    pub(super) crash: Option<Point>,
    pub(super) fault: Option<Planned>,
}

/// A failure to come: of the attempt alone, or after its effect was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    pub(super) after: bool,
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
}

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
