//! For tests of hosts and of stores. Imports anything, is imported by nothing.
//!
//! A host tests its flow as a [`Scenario`], its tasks by [`crashes`], and whatever else in a [`World`],
//! whose time passes by itself where only time is waited for.
//!
//! ```
//! # use std::{collections::BTreeSet, sync::{Arc, Mutex}};
//! # use onramp::prelude::*;
//! # use onramp::lifecycle::WaitingFor;
//! use onramp::testing::{Fault, Scenario, act, check, crashes};
//! # use serde::{Deserialize, Serialize};
//! # const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! # #[derive(Serialize, Deserialize)] struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//! # #[derive(Serialize, Deserialize)] struct Paid { invoice: String }
//! # impl Step for Paid { const NAME: &'static str = "paid"; }
//! # impl Evidence<Workspace> for Paid {}
//! # #[derive(Serialize, Deserialize)] struct Site { url: String }
//! # impl Step for Site { const NAME: &'static str = "build_site"; }
//! # type Sites = Arc<Mutex<BTreeSet<String>>>;
//! # struct BuildSite(Sites);
//! # impl Task<Workspace> for BuildSite {
//! #     type Needs = (Company, Paid);
//! #     type Output = Site;
//! #     async fn run(&self, cx: &TaskContext, _: (Company, Paid)) -> Result<Site, TaskError> {
//! #         self.0.lock().unwrap().insert(cx.effect_key().to_string());
//! #         Ok(Site { url: cx.effect_key().to_string() })
//! #     }
//! #     async fn undo(&self, cx: &TaskContext, _: Option<Site>) -> Result<(), TaskError> {
//! #         self.0.lock().unwrap().remove(&cx.effect_key().to_string());
//! #         Ok(())
//! #     }
//! # }
//! # fn workspace(sites: &Sites) -> Definition<Workspace> {
//! #     let task = BuildSite(sites.clone());
//! #     Workspace::steps().ask::<Company>().expect::<Paid>().run(task).build().unwrap()
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() { // #[tokio::test]
//! let paid = || act::evidence(Paid { invoice: "inv-1".into() });
//! let scenario = Scenario::new()
//!     .given(act::fails::<_, Site>(2, Fault::retryable(BUSY)))
//!     .given(act::answer(Company { name: "Acme".into() }))
//!     .then(check::waits_for(WaitingFor::ThirdParty))
//!     .when(paid())
//!     .then(check::attempts::<Site>(3)) // and the delays between them took no time
//!     .then(check::completed()); // otherwise the journal is shown, and the seed
//! scenario.play(workspace(&Sites::default())).await;
//!
//! let simple = Scenario::new().given(act::answer(Company { name: "Acme".into() })).when(paid());
//! let found = crashes(&simple, async || {
//!     let sites = Sites::default();
//!     (workspace(&sites), async move || sites.lock().unwrap().clone())
//! });
//! found.await.expect_none(); // otherwise: which step, crashed where, and what was left behind
//! # }
//! ```

pub mod act;
mod chance;
pub mod check;
mod clock;
pub mod commits;
pub mod conformance;
mod crashes;
mod difference;
mod fault;
mod layer;
mod lock;
mod point;
pub mod pure;
mod scenario;
mod script;
mod story;
mod tapped;
mod wire;
mod world;

pub use act::{Act, Refusal};
pub use check::Check;
pub use clock::VirtualClock;
pub use crashes::{Crashes, Finding, crashes, overtakes};
pub use fault::Fault;
pub use layer::{Layer, Layered};
pub use lock::{LockDrift, check_lock};
pub use point::{Point, Work};
pub use scenario::{Broken, Scenario};
pub use world::{Unsettled, World};
