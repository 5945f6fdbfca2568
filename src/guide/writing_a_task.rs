//! How a task survives crashes, repetitions and undoing.
//!
//! A [`Task`](crate::flow::Task) names the facts that it needs and the fact that it makes. Around it the
//! engine claims, times out, repeats, stores and takes back. What remains for its author are four
//! questions.
//!
//! # What if it runs twice?
//!
//! It will: a process that dies after the effect and before the checkpoint leaves an effect that nobody
//! knows of. So name the effect by [`TaskContext::effect_key`](crate::flow::TaskContext::effect_key):
//! it is the same for every attempt and for the undo, and another one after an undo. Give it to a
//! provider as its idempotency key, or make it the primary key of the row.
//!
//! "Look whether it is there, else make it" is not enough: an attempt that was overtaken may still be on
//! its way. Where the other side can compare numbers, give it
//! [`TaskContext::fence`](crate::flow::TaskContext::fence), which is higher for every claim.
//!
//! # What if it fails?
//!
//! - [`TaskError::retryable`](crate::flow::TaskError::retryable): another attempt may succeed. It follows
//!   after a delay that grows, at random within it, as often as the
//!   [`RetryPolicy`](crate::flow::RetryPolicy) allows: eight attempts unless told.
//! - [`TaskError::fatal`](crate::flow::TaskError::fatal): none can. Everything is taken back, the newest
//!   first, and the onboarding has failed. It can be retried by hand: answers and evidence are kept.
//! - A panic and a timeout (five minutes unless told) are failed attempts. A crash uses one up, too, so
//!   a task that always kills its process is given up like any other.
//!
//! People are told the [`Problem`](crate::flow::Problem): a permanent code and a text, both fixed when
//! the program is written. The cause is for logs.
//!
//! # How is it taken back?
//!
//! `undo` gets what was made, or `None` when an attempt never reported: then look for the effect by its
//! key. It must succeed when there is nothing to take back, because it may run twice as well. An undo
//! whose attempts are used up is listed for operators, who can ask for it again (`retry_undo`).
//!
//! # Is it really there?
//!
//! `verify` is asked for once everything is done, before the onboarding completes. A fatal error from it
//! means that the effect is gone or wrong: it, and what was built on it, is undone and done again.
//!
//! # One that is right
//!
//! [`crashes`](crate::testing::crashes) plays a scenario once for every crash that can happen, with the
//! host's own tasks, and names the step that is not idempotent;
//! [`overtakes`](crate::testing::overtakes) does so for attempts that arrive late.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//!
//! use onramp::prelude::*;
//! use onramp::testing::{Scenario, act, check, crashes};
//! use serde::{Deserialize, Serialize};
//!
//! struct Workspace;
//! impl Flow for Workspace {
//!     const NAME: &'static str = "workspace";
//!     const VERSION: u32 = 1;
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Company { name: String }
//! impl Step for Company { const NAME: &'static str = "company"; }
//! impl Answer<Workspace> for Company {}
//!
//! #[derive(Serialize, Deserialize)]
//! struct Dataset { id: String }
//! impl Step for Dataset { const NAME: &'static str = "create_dataset"; }
//!
//! const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy. We try again.");
//!
//! /// Stands for a provider that knows idempotency keys.
//! type Cloud = Arc<Mutex<BTreeMap<String, String>>>;
//!
//! struct CreateDataset(Cloud);
//! impl Task<Workspace> for CreateDataset {
//!     type Needs = Company;
//!     type Output = Dataset;
//!
//!     async fn run(&self, cx: &TaskContext, company: Company) -> Result<Dataset, TaskError> {
//!         let id = cx.effect_key().to_string();
//!         let mut cloud = self.0.try_lock().map_err(|_| TaskError::retryable(BUSY, "503"))?;
//!         cloud.insert(id.clone(), company.name); // again: the same one
//!         Ok(Dataset { id })
//!     }
//!
//!     async fn undo(&self, cx: &TaskContext, _: Option<Dataset>) -> Result<(), TaskError> {
//!         // By the key, and not by what was made: that may not be known.
//!         self.0.lock().unwrap().remove(&cx.effect_key().to_string()); // fine when it is not there
//!         Ok(())
//!     }
//!
//!     async fn verify(&self, _: &TaskContext, made: Dataset) -> Result<(), TaskError> {
//!         match self.0.lock().unwrap().contains_key(&made.id) {
//!             true => Ok(()),
//!             false => Err(TaskError::fatal(BUSY, "the dataset is gone")),
//!         }
//!     }
//!
//!     fn retry(&self) -> RetryPolicy {
//!         RetryPolicy::new(6).base(Duration::from_secs(1)).cap(Duration::from_secs(60))
//!     }
//!
//!     fn timeout(&self) -> Duration {
//!         Duration::from_secs(30)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let answer = act::answer(Company { name: "Acme".into() });
//! let scenario = Scenario::new().given(answer).then(check::completed());
//! let found = crashes(&scenario, async || {
//!     let cloud = Cloud::default();
//!     let task = CreateDataset(cloud.clone());
//!     let flow = Workspace::steps().ask::<Company>().run(task).build().unwrap();
//!     (flow, async move || cloud.lock().unwrap().clone()) // what is compared
//! });
//! found.await.expect_none(); // otherwise: which step, crashed where, and what was left behind
//! # }
//! ```
//!
//! # And beside it
//!
//! - A task holds no transaction of ours while it runs, and needs none.
//! - Its future is dropped when the lease is lost or the worker shuts down. What it began elsewhere, on a
//!   thread say, hears of it by [`cancellation`](crate::flow::TaskContext::cancellation).
//! - [`progress`](crate::flow::TaskContext::progress) tells people how far it is, and costs next to
//!   nothing.
//! - A value that only one customer may have belongs into
//!   [`Step::reserves`](crate::flow::Step::reserves): when it is taken, the attempt has failed and the
//!   next one can choose another.
//! - A secret is no fact. Keep it in the [`vault`](crate::vault), and a fingerprint of it in the fact.
//! - What may differ in an upgrade is the task's code. What may not is the fact's name and form: see
//!   [evolving a flow](super::evolving_a_flow).
