//! Every crash that can happen to a host's tasks, one run each.
//!
//! ```text
//!   undisturbed ──> moments: call, report, call, report, ..
//!                      │ one run for each, with a crash there
//!                      ├──> and it goes on: ends as undisturbed, with the same world?
//!                      └──> and it is cancelled: is what was made taken back?
//!                              │ one run for each moment of taking back, with a crash there
//!                              └──> is it still the same?
//! ```

mod report;
mod run;

use std::fmt::Debug;

use crate::flow::{Definition, Flow};
use crate::id::StepName;
use crate::lifecycle::StageKind;
use crate::testing::scenario::{Broken, Scenario};
use crate::testing::script::{Moment, Point, Work};
use run::{Cancel, Disturbance, Ran, run};

pub use report::{Crashes, Finding};

/// A task that waits more often is dropped at its first so many awaits only.
const AWAITS: usize = 16;

/// Plays a scenario with the host's own flow and tasks, once for every crash that can happen: before
/// and after each effect and at each await, as each report is lost, or stored and its answer lost; on
/// the way forward, and on the way back after a cancellation. What then exists has to be as in an
/// undisturbed run.
///
/// `fresh` makes a world of the host's and the flow in it, and says how to look at that world: a count
/// of what exists for each effect key, say, or a picture of all. It must not hold what is another one
/// in each run, as times and random keys are; effect keys are the same in every run. What a task only
/// adds to, a log of calls, say, is no part of it.
///
/// # Panics
/// When the scenario does not hold undisturbed, or two undisturbed runs differ.
///
/// ```
/// use std::collections::BTreeSet;
/// use std::sync::{Arc, Mutex};
/// use onramp::prelude::*;
/// use onramp::testing::{Scenario, act, check, crashes};
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Site { url: String }
/// # impl Step for Site { const NAME: &'static str = "build_site"; }
/// type Cloud = Arc<Mutex<BTreeSet<String>>>;
///
/// struct BuildSite(Cloud);
/// impl Task<Workspace> for BuildSite {
///     type Needs = ();
///     type Output = Site;
///     async fn run(&self, cx: &TaskContext, _: ()) -> Result<Site, TaskError> {
///         let url = format!("https://{}.example", cx.effect_key());
///         self.0.lock().unwrap().insert(url.clone()); // again: the same one
///         Ok(Site { url })
///     }
///     async fn undo(&self, cx: &TaskContext, _: Option<Site>) -> Result<(), TaskError> {
///         self.0.lock().unwrap().remove(&format!("https://{}.example", cx.effect_key()));
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let scenario = Scenario::new().when(act::start()).then(check::completed());
/// let found = crashes(&scenario, async || {
///     let cloud = Cloud::default();
///     let flow = Workspace::steps().run(BuildSite(cloud.clone())).build().unwrap();
///     (flow, async move || cloud.lock().unwrap().clone())
/// })
/// .await;
/// found.expect_none();
/// # }
/// ```
pub async fn crashes<F, S, O>(
    scenario: &Scenario<F>,
    fresh: impl AsyncFn() -> (Definition<F>, O),
) -> Crashes
where
    F: Flow,
    S: PartialEq + Debug,
    O: AsyncFn() -> S,
{
    let mut search = Search {
        scenario,
        fresh,
        found: Crashes::default(),
    };
    let as_it_is = search.undisturbed().await;
    search.forward(&as_it_is).await;
    search.back(&as_it_is).await;
    search.found
}

struct Search<'a, F, A> {
    scenario: &'a Scenario<F>,
    fresh: A,
    found: Crashes,
}

/// What is blamed for a difference.
struct Blamed {
    step: Option<StepName>,
    work: Option<Work>,
    point: Point,
    cancelled: bool,
}

impl<F, S, O, A> Search<'_, F, A>
where
    F: Flow,
    S: PartialEq + Debug,
    O: AsyncFn() -> S,
    A: AsyncFn() -> (Definition<F>, O),
{
    #[expect(clippy::panic, reason = "an assertion of a test")]
    async fn undisturbed(&self) -> Ran<S> {
        let once = async || match run(self.scenario, &self.fresh, &Disturbance::default()).await {
            Ok(ran) => ran,
            Err(broken) => panic!("{broken}"),
        };
        let (first, second) = (once().await, once().await);
        if let Some(difference) = second.differs(&first) {
            panic!("two undisturbed runs differ, so nothing can be told of crashes:\n{difference}");
        }
        first
    }

    /// A crash at each moment; then it goes on.
    async fn forward(&mut self, as_it_is: &Ran<S>) {
        for (moment, blamed) in points(&as_it_is.moments, 0, false) {
            let crashes = vec![(moment, blamed.point)];
            let cancel = Cancel::Never;
            let ran = self.disturbed(Disturbance { crashes, cancel }).await;
            self.compare(blamed, ran, as_it_is);
        }
    }

    /// Everything is taken back: from each call of a task, and at last when all is made.
    async fn back(&mut self, as_it_is: &Ran<S>) {
        let undone = |moment: &Moment| {
            matches!(
                moment,
                Moment::Call {
                    work: Work::Undo,
                    ..
                }
            )
        };
        let made = as_it_is.moments.iter().take_while(|moment| !undone(moment));
        let runs: Vec<_> = made
            .enumerate()
            .filter_map(|(index, moment)| match moment {
                Moment::Call {
                    step,
                    work: Work::Run,
                    awaits,
                } => Some((index, step, *awaits)),
                _ => None,
            })
            .collect();
        // The world when what was made before the newest effect was taken back, and its step.
        let mut older: Option<Ran<S>> = None;
        let mut newest: Option<&StepName> = None;
        for (index, step, awaits) in &runs {
            let Some(before) = self.cancelled(*index, Point::BeforeEffect).await else {
                continue;
            };
            for point in inside(*awaits) {
                let after = self.cancelled_run(*index, point).await;
                let blamed = Blamed {
                    step: Some((*step).clone()),
                    work: Some(Work::Run),
                    point,
                    cancelled: true,
                };
                self.compare(blamed, after, &before);
            }
            if let Some(older) = &older {
                self.leak(newest, &before, older);
            }
            (older, newest) = (Some(before), Some(*step));
        }
        let (Some(older), Some(last)) = (older, runs.last().map(|(index, ..)| *index)) else {
            return;
        };
        let Some(wholly) = self.wholly(as_it_is, last) else {
            // It was taken back by the scenario itself, and crashed there already.
            if as_it_is.end.stage == Some(StageKind::Failed) {
                self.leak(newest, as_it_is, &older);
            }
            return;
        };
        let Ok(taken_back) = self.disturbed(wholly.clone()).await else {
            return;
        };
        self.leak(newest, &taken_back, &older);
        let from = wholly
            .crashes
            .first()
            .map_or(as_it_is.moments.len(), |(at, _)| at + 1);
        for (moment, blamed) in points(&taken_back.moments, from, true) {
            let mut twice = wholly.clone();
            twice.crashes.push((moment, blamed.point));
            let ran = self.disturbed(twice).await;
            self.compare(blamed, ran, &taken_back);
        }
    }

    /// How to take everything back when all is made; nothing when the scenario does so itself.
    fn wholly(&self, as_it_is: &Ran<S>, last: usize) -> Option<Disturbance> {
        let verify = |moment: &Moment| {
            matches!(
                moment,
                Moment::Call {
                    work: Work::Verify,
                    ..
                }
            )
        };
        let mut later = as_it_is.moments.iter().enumerate().skip(last);
        match as_it_is.end.stage {
            Some(StageKind::InProgress) => Some(Disturbance {
                crashes: Vec::new(),
                cancel: Cancel::Last,
            }),
            Some(StageKind::Completed) => {
                let (at, _) = later.find(|(_, moment)| verify(moment))?;
                Some(Disturbance {
                    crashes: vec![(at, Point::BeforeEffect)],
                    cancel: Cancel::At(at),
                })
            }
            _ => None,
        }
    }

    async fn cancelled_run(&mut self, at: usize, point: Point) -> Result<Ran<S>, Broken> {
        let crashes = vec![(at, point)];
        let cancel = Cancel::At(at);
        self.disturbed(Disturbance { crashes, cancel }).await
    }

    /// The same, when it can be told of.
    async fn cancelled(&mut self, at: usize, point: Point) -> Option<Ran<S>> {
        let ran = self.cancelled_run(at, point).await.ok()?;
        ran.struck.then_some(ran)
    }

    async fn disturbed(&mut self, disturbance: Disturbance) -> Result<Ran<S>, Broken> {
        self.found.runs += 1;
        run(self.scenario, &self.fresh, &disturbance).await
    }

    fn compare(&mut self, blamed: Blamed, ran: Result<Ran<S>, Broken>, wanted: &Ran<S>) {
        match ran {
            Ok(ran) if !ran.struck => self.found.missed += 1,
            Ok(ran) => {
                if let Some(difference) = ran.differs(wanted) {
                    self.find(blamed, difference, ran.story);
                }
            }
            Err(broken) => self.find(blamed, broken.to_string(), String::new()),
        }
    }

    /// What is left behind when everything was taken back in peace, and was not when all but the
    /// newest effect had been made, is the fault of that one.
    fn leak(&mut self, newest: Option<&StepName>, ran: &Ran<S>, older: &Ran<S>) {
        if let Some(difference) = ran.leaves(older) {
            let blamed = Blamed {
                step: newest.cloned(),
                work: Some(Work::Undo),
                point: Point::Undisturbed,
                cancelled: true,
            };
            self.find(blamed, difference, ran.story.clone());
        }
    }

    fn find(&mut self, blamed: Blamed, difference: String, story: String) {
        let Blamed {
            step,
            work,
            point,
            cancelled,
        } = blamed;
        self.found.findings.push(Finding {
            step,
            work,
            point,
            cancelled,
            difference,
            story,
        });
    }
}

/// The points at and after a moment, in order.
fn points(moments: &[Moment], from: usize, cancelled: bool) -> Vec<(usize, Blamed)> {
    let mut points = Vec::new();
    let mut called: Option<(&StepName, Work)> = None;
    for (index, moment) in moments.iter().enumerate() {
        let (step, work, here) = match moment {
            Moment::Call { step, work, awaits } => {
                called = Some((step, *work));
                let here = [Point::BeforeEffect].into_iter().chain(inside(*awaits));
                (Some(step), Some(*work), here.collect())
            }
            Moment::Commit { step } => {
                let work = called.filter(|(called, _)| Some(*called) == step.as_ref());
                let here = vec![Point::ReportLost, Point::InDoubt];
                (step.as_ref(), work.map(|(_, work)| work), here)
            }
        };
        if index < from {
            continue;
        }
        points.extend(here.into_iter().map(|point| {
            let blamed = Blamed {
                step: step.cloned(),
                work,
                point,
                cancelled,
            };
            (index, blamed)
        }));
    }
    points
}

/// The points of a call at which it has begun.
fn inside(awaits: usize) -> impl Iterator<Item = Point> {
    let during = (1..=awaits.min(AWAITS)).map(Point::DuringEffect);
    during.chain([Point::AfterEffect])
}
