//! For tests of hosts and of stores. Imports anything, is imported by nothing.

pub mod conformance;
pub mod pure;
