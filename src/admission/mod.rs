//! May this subject pass? Asked of the store, each time.
//!
//! ```text
//!   authoritative store ──> Onramp::admit ──> Granted(Proof)      completed
//!                                        ├──> Onboard(NextAction) not completed: what to do about it
//!                                        └──> Unknown(RetryAfter) the store did not say
//! ```
//!
//! **Only what the store has just said can grant.** A [`Proof`] is made nowhere else, and from nothing
//! that was kept, copied or sent: not from a [`Status`](crate::status::Status), which anybody can write.
//! A store that is down is *unknown*: nobody is sent back to the beginning for it, and nobody gets in.
//!
//! To move here from an older system, [`LegacyPolicy`] says what its rows meant, and a [`Shadow`]
//! compares its answers with ours until they agree.

mod legacy;
mod proof;
mod shadow;

pub use legacy::{LegacyPolicy, LegacyRow};
pub use proof::{Admission, Proof, RetryAfter};
pub use shadow::{CutOver, Mismatch, MismatchKind, NotYet, Shadow, ShadowReport};
