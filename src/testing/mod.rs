//! For tests of hosts and of stores. Imports anything, is imported by nothing.

pub mod act;
mod chance;
pub mod check;
mod clock;
pub mod conformance;
mod crashes;
mod difference;
pub mod pure;
mod scenario;
mod script;
mod story;
mod tapped;
mod wire;
mod world;

pub use act::{Act, Refusal};
pub use check::Check;
pub use clock::VirtualClock;
pub use crashes::{Crashes, Finding, crashes};
pub use scenario::{Broken, Scenario};
pub use script::{Fault, Point, Work};
pub use world::{Unsettled, World};
