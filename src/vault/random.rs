//! The system's random generator, the only one that is used here.

/// The system's random generator does not answer: nothing was generated, and nothing weaker is used
/// in its place.
///
/// ```
/// use onramp::vault::NoRandomness;
/// assert!(NoRandomness.to_string().starts_with("the system's random generator"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator does not answer: try again, or look at the system")]
pub struct NoRandomness;

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(|_| NoRandomness)
}
