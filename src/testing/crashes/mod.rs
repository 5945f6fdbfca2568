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

mod points;
mod report;
mod run;
mod search;

use std::fmt::Debug;

use crate::flow::{Definition, Flow};
use crate::testing::scenario::Scenario;
use search::Search;

pub use report::{Crashes, Finding};

/// Plays a scenario with the host's own flow and tasks, once for every crash that can happen: before
/// and after each effect and at each of its first 16 awaits, as its report is lost, or stored and the
/// answer lost; on the way forward, and on the way back after a cancellation. What then exists has to be
/// as in an undisturbed run. Checks hold undisturbed only.
///
/// `fresh` makes a world of the host's and the flow in it, and says how to look at that world: a count
/// of what exists for each effect key, say, or a picture of all. It must not hold what is another one
/// in each run, as times and random keys are; effect keys are the same in every run. What a task only
/// adds to, a log of calls, say, is no part of it. What a task keeps in itself outlives a crash here, as
/// it would not in a process that dies; and what a task has begun on another thread goes on after it was
/// dropped, so it is given 25 ms of real time.
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

/// The same for attempts that are slow instead of dead: each is paused at each of its first 16 awaits,
/// overtaken by another attempt, and goes on when that one has had its effect, as a request that
/// arrives late would. It finds tasks that look first and then make what was not there.
///
/// What an attempt holds while it waits, it holds until it goes on: a lock, or the only connection of a
/// pool, which two processes would not share, would be waited for in vain. So give such a test a timeout.
///
/// # Panics
/// As [`crashes`].
///
/// ```
/// # use std::fmt::Debug;
/// # use onramp::prelude::*;
/// use onramp::testing::{Scenario, overtakes};
/// async fn survives<F: Flow, S: PartialEq + Debug, O: AsyncFn() -> S>(
///     scenario: &Scenario<F>,
///     fresh: impl AsyncFn() -> (Definition<F>, O),
/// ) {
///     overtakes(scenario, fresh).await.expect_none();
/// }
/// ```
pub async fn overtakes<F, S, O>(
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
    search.late(&as_it_is).await;
    search.found
}
