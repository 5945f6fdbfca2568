//! Taking over what another system knew: users that are half-way or done already.
//!
//! ```text
//!   csv, json_files, rows ──> Record ──map (the host)──> Imported ──one commit──> Store
//!                    └─ unreadable ─┐         └─ Reject ─┐    └─ refused ─┐
//!                                   └────────────────────┴────────────────┴──> quarantine, Report
//! ```
//!
//! **A second run changes nothing.** A commit is identified by the source's name and the record, so an
//! import that was interrupted is simply run again; what is there already is `unchanged`.
//!
//! An import claims nothing that it cannot know. The journal has one event that names the source; whoever
//! counts as complete by the older system's rule is completed by that event, and whoever does not is
//! pending with the facts that were known, until the gates are checked and it starts like everybody else.
//! Nobody gets a message because of it. Sources are only read.
//!
//! An onboarding that an import creates belongs to the cohort of the time when the subject first signed in
//! or started there, whichever was earlier, so that a funnel of last year counts those of last year, and
//! that of the day of the import counts only those of whom neither is known. It is created on that day all
//! the same, and the journal says so. One that was there already keeps its place.
//!
//! Nothing in a source stops a run: what cannot be read, mapped or stored goes to the quarantine with its
//! place and the reason, and the next one is looked at.
//!
//! ```
//! use onramp::admission::{LegacyPolicy, LegacyRow};
//! use onramp::import::{Conflict, Import, Imported, csv};
//! use onramp::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! #[derive(Serialize, Deserialize)]
//! struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let flow = Workspace::steps().ask::<Company>().build()?;
//! # let onramp = Onramp::new(MemoryStore::new(), flow);
//! let users = "user,company,status,setup_completed,done_at\n\
//!              u1,Acme,complete,f,2024-03-01T10:00:00Z\n\
//!              u2,Initech,open,f,\n\
//!              u3,\n";
//! let mut quarantine = Vec::new(); // or a file
//!
//! let report = Import::into(&onramp, "crm")
//!     .policy(Conflict::KeepExisting)
//!     .quarantine(&mut quarantine)
//!     .map(|record| {
//!         let subject = SubjectId::new(record.text("user")?)?;
//!         let row = LegacyRow {
//!             status_complete: record.text("status")? == "complete",
//!             setup_completed: record.flag("setup_completed")?,
//!         };
//!         Ok(Imported::new(TenantId::new("acme")?, subject)
//!             .answer(Company { name: record.text("company")?.to_owned() })
//!             .complete_by(LegacyPolicy::StatusOrFlag, row)
//!             .completed(record.maybe_time("done_at")?))
//!     })
//!     .run(csv("users.csv", users.as_bytes()))
//!     .await?;
//!
//! assert_eq!(
//!     report.to_string(),
//!     "crm: 3 read, 2 imported (1 complete, 1 pending), 0 filled, 0 unchanged, 0 kept, 1 quarantined\n\
//!      \x20 users.csv:4: 2 columns, and the header has 5: check quotes and separators",
//! );
//! # Ok(()) }
//! ```

mod conflict;
mod csv;
mod identity;
mod imported;
mod json_files;
mod lines;
mod quarantine;
mod record;
mod reject;
mod report;
mod rows;
mod run;
mod take;
mod time;
mod together;

pub use conflict::Conflict;
pub use csv::{Csv, csv};
pub use imported::Imported;
pub use json_files::{JsonFiles, json_files};
pub use record::{Entry, Place, Record, Unreadable};
pub use reject::Reject;
pub use report::{Rejected, Report, Stopped};
pub use rows::rows;
pub use run::Import;

/// The longest record, in bytes.
const MAX_RECORD_BYTES: usize = 1024 * 1024;
