//! Durable, explainable customer onboarding.
pub mod flow;
pub mod lifecycle;
#[cfg(feature = "fields")]
pub mod fields;
mod id;
mod time;
pub use id::*;
pub use time::*;
/// prelude
pub mod prelude { pub use crate::flow::*; pub use crate::lifecycle::*; }
