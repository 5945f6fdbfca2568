//! For tests of hosts and of stores. Imports anything, is imported by nothing.

mod chance;
mod clock;
pub mod conformance;
pub mod pure;

pub use clock::VirtualClock;
