//! How to change a flow while people are half-way.
//!
//! Nobody is migrated. What is stored are facts under the names of steps; the newest program's list of
//! steps is applied to whatever facts there are. So most changes are a change of the list:
//!
//! | change | do | and those who are half-way |
//! |---|---|---|
//! | add a step | `.since(2, Cohort::..)` behind it, count [`Flow::VERSION`](crate::flow::Flow::VERSION) up | get it or not, by [`Cohort`](crate::flow::Cohort) |
//! | move a step | move it, count up | nothing is lost; what is next may differ |
//! | remove a step | `.retired("name")`, count up | keep what it yielded; nobody reads it |
//! | rename a step | a new `NAME`, the old one as [`STORED_AS`](crate::flow::Step::STORED_AS) | keep their facts; the program before still reads them |
//! | change a fact's form | [`Step::VERSION`](crate::flow::Step::VERSION) up, [`upcast`](crate::flow::Step::upcast), count up | facts are read by the upcast, and stored anew when they are given anew |
//! | change what a task needs | count up | what was built stays built |
//! | change a task's code, retries or timeout; reminders and deadlines | nothing | have the new ones from now on |
//! | make an answer a task, or the like | a step of another name; retire the old one | |
//!
//! [`Cohort::NewStarts`](crate::flow::Cohort::NewStarts) is whoever was created with that version or a
//! later one, [`Cohort::NotCompleted`](crate::flow::Cohort::NotCompleted) whoever is not completed, and
//! [`Cohort::Everyone`](crate::flow::Cohort::Everyone) also who is: once it is reopened, by
//! [`reopen`](crate::Onboarding::reopen) or [`Bulk::Reopen`](crate::Bulk). The version that an onboarding
//! was created with never changes.
//!
//! # An example
//!
//! Version 2 asks for a country, asks for the terms, and does without branding.
//!
//! ```
//! use onramp::flow::{Cohort, NoUpcast, Plan};
//! use onramp::prelude::*;
//! use serde::{Deserialize, Serialize};
//! use serde_json::{Value, json};
//! # mod released {
//! #     use onramp::prelude::*;
//! #     use serde::{Deserialize, Serialize};
//! #     pub struct Workspace;
//! #     impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! #     #[derive(Serialize, Deserialize)] pub struct Company { name: String }
//! #     impl Step for Company { const NAME: &'static str = "company"; }
//! #     impl Answer<Workspace> for Company {}
//! #     #[derive(Serialize, Deserialize)] pub struct Branding { color: String }
//! #     impl Step for Branding { const NAME: &'static str = "branding"; }
//! #     impl Answer<Workspace> for Branding {}
//! #     pub fn lock() -> String {
//! #         let flow = Workspace::steps().ask::<Company>().ask_optional::<Branding>().build();
//! #         flow.unwrap().plan().to_lock()
//! #     }
//! # }
//!
//! struct Workspace;
//! impl Flow for Workspace {
//!     const NAME: &'static str = "workspace";
//!     const VERSION: u32 = 2;
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Company { name: String, country: String }
//! impl Step for Company {
//!     const NAME: &'static str = "company";
//!     const VERSION: u32 = 2;
//!
//!     fn upcast(from: u32, mut old: Value) -> Result<Value, NoUpcast> {
//!         match (from, old.as_object_mut()) {
//!             (1, Some(fields)) => { fields.insert("country".into(), json!("unknown")); }
//!             _ => return Err(NoUpcast),
//!         }
//!         Ok(old)
//!     }
//! }
//! impl Answer<Workspace> for Company {}
//!
//! #[derive(Serialize, Deserialize)]
//! struct Terms { accepted: bool }
//! impl Step for Terms { const NAME: &'static str = "terms"; }
//! impl Answer<Workspace> for Terms {}
//!
//! let flow = Workspace::steps()
//!     .ask::<Company>()
//!     .ask::<Terms>().since(2, Cohort::NotCompleted)
//!     .retired("branding")
//!     .build()?;
//!
//! // What was written down when version 1 was released.
//! # let lock_of_version_1 = released::lock();
//! let old = Plan::from_lock(&lock_of_version_1)?;
//! assert_eq!(flow.plan().breaks(&old), Vec::<String>::new());
//!
//! // Without `.retired("branding")`:
//! let careless = Workspace::steps().ask::<Company>().ask::<Terms>().build()?;
//! assert!(careless.plan().breaks(&old)[0].contains("step \"branding\" is gone"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Not by accident
//!
//! [`check_lock`](crate::testing::check_lock) in a test compares the flow with a file under version
//! control. A change that people can go on with asks for the file to be written anew
//! (`ONRAMP_LOCK=write`), so it is seen in review; any other fails and says what would break.
//!
//! ```
//! # use onramp::flow::Plan;
//! # fn workspace() -> Plan {
//! #     Plan::new("workspace", 1, vec![onramp::flow::PlanStep::new("company", onramp::flow::Kind::Answer)]).unwrap()
//! # }
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("workspace.lock");
//! // In a test, with a path such as "flows/workspace.lock":
//! onramp::testing::check_lock(&workspace(), file).unwrap();
//! ```
//!
//! # Rolling it out
//!
//! 1. Ask what would happen: [`Onramp::plan_evolution`](crate::Onramp::plan_evolution) goes over everyone
//!    who is under way and counts who gets another next step, and what nobody would read any more.
//! 2. Start the new program, beside the old one if you like. An onboarding that a program cannot read,
//!    because a newer one has written it, is left alone: it burns no attempt and keeps nobody waiting.
//! 3. [`Onramp::evolve`](crate::Onramp::evolve) tells everyone under way, in the journal, that it goes on
//!    under the new version, and has workers look. It refuses when something would be lost.
//!
//! ```
//! # use onramp::prelude::*;
//! use onramp::flow::Plan;
//! # async fn roll_out<F: Flow>(
//! #     onramp: &Onramp<F>, lock_of_version_1: &str,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let old = Plan::from_lock(lock_of_version_1)?;
//! let evolution = onramp.plan_evolution(&old).await?;
//! if evolution.is_safe() {
//!     let evolved = onramp.evolve(&evolution, &Actor::Operator("ann".into())).await?;
//!     println!("{} go on under the new version", evolved.adopted);
//! }
//! # Ok(()) }
//! ```
