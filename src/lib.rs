//! Durable, explainable customer onboarding.
pub mod flow;
mod id;
mod time;
pub use id::*;
pub use time::*;
/// prelude
pub mod prelude { pub use crate::flow::*; }
