//! For tests of hosts and of stores. Imports anything, is imported by nothing.

pub mod conformance;
mod lock;
pub mod pure;

pub use lock::{LockDrift, check_lock};
