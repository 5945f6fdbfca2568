//! What the onboardings of a flow say together: a funnel, who is stuck, and how marks of the host's
//! own are spread over the stages.
//!
//! ```
//! use std::time::Duration;
//! use chrono::TimeDelta;
//! use onramp::insight::Cohort;
//! use onramp::prelude::*;
//! # use onramp::{Clock, SystemClock};
//!
//! # async fn monday<F: Flow>(onramp: &Onramp<F>, acme: &TenantId) -> Result<(), Box<dyn std::error::Error>> {
//! const DAY: Duration = Duration::from_secs(24 * 60 * 60);
//! let now = SystemClock.now();
//! let last_month = Cohort::created_between(now - TimeDelta::days(30), now).tenant(acme);
//!
//! let funnel = onramp.funnel(&last_month.abandoned_after(DAY * 14)).await?;
//! for step in &funnel.total.steps {
//!     println!("{}: {} came, {} went on, {} gave up", step.step, step.entered, step.completed, step.abandoned);
//! }
//! std::fs::write("funnel.csv", funnel.to_csv())?;
//! std::fs::write("funnel.json", serde_json::to_string_pretty(&funnel)?)?;
//!
//! for stuck in onramp.stuck(DAY * 7, 20).await? {
//!     println!("{} of {} since {}: {}", stuck.key.subject, stuck.key.tenant, stuck.since, stuck.waits_for);
//! }
//! # Ok(()) }
//! ```
//!
//! ```text
//!   Cohort ──> Store::scan, a page at a time ──> where each stands (pure) ──> counts and histograms
//! ```
//!
//! Nothing is kept but counts: what a funnel needs of memory depends on the steps and versions of the
//! flow and not on how many onboardings there are. It reads what is stored, once; whatever is committed
//! meanwhile is seen or not.

mod cohort;
mod crossing;
mod csv;
mod durations;
mod funnel;
mod standing;
mod stuck;
mod tally;

pub use cohort::Cohort;
pub use crossing::{Crossed, Crossing, StageCounts};
pub use funnel::{Funnel, FunnelPart, StepFunnel};
pub use stuck::Stuck;

pub(crate) use crossing::cross;
pub(crate) use funnel::funnel;
pub(crate) use stuck::stuck;
