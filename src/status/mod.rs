//! Where is this customer? One pure projection, for whoever shows or stores it.
//!
//! ```text
//!   State (what is stored) ──┐
//!   Plan  (the flow)         ├── Status::of ──> Status ──> JSON, or Compat for an older client
//!   now                      ┘
//! ```
//!
//! **A status shows, it does not admit.** It can be copied, kept and forged; whether somebody may pass
//! is asked of the store each time.
//!
//! # The JSON
//!
//! Every key is always there; what does not exist is `null` or empty. Keys are added, never renamed.
//!
//! | key | value |
//! |---|---|
//! | `onboarding`, `tenant`, `flow`, `subject` | the identities |
//! | `flow_version` | the version of the flow that it goes on under |
//! | `revision` | how many commits it has seen: of two statuses of an onboarding the higher is newer |
//! | `needs_onboarding` | `false` once it is completed |
//! | `dismissed` | whether the subject does not want to be asked for now |
//! | `stage` | `pending`, `in_progress`, `completed`, `failed` |
//! | `phase` | `advancing`, `waiting`, `undoing`; `null` unless in progress |
//! | `percent` | 0 to 100, of the longest path |
//! | `current_step` | the first step that is not settled |
//! | `completed_steps` | the steps whose fact is there, in the flow's order |
//! | `steps` | every step: `key`, `title`, `kind`, `state` ([`Standing`]), `failure` |
//! | `requirements` | `due_now`, `past_due`, `due_later`, `waiting`, `optional`: each a list of `step`, `code` ([`RequirementCode`]), `deadline` |
//! | `next_action` | `action` and what belongs to it ([`NextAction`]) |
//! | `failure` | `code` and `message`, in words for people |
//! | `times` | `first_seen`, `first_login`, `started`, `completed`: each set once, RFC 3339 in UTC |

mod action;
mod compat;
mod projection;
mod requirement;
mod step;

pub use action::NextAction;
pub use compat::Compat;
pub use projection::{Status, Times};
pub use requirement::{Requirement, RequirementCode, Requirements};
pub use step::{Standing, StepStatus};
