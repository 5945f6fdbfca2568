//! Who counts when there is somebody already.

/// What becomes of a record whose subject has an onboarding already, by somebody else.
///
/// None of them overwrites: what a subject has given here counts more than what another system knew.
///
/// ```
/// use onramp::import::Conflict;
/// assert_ne!(Conflict::KeepExisting, Conflict::FillPending);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conflict {
    /// The onboarding stays as it is.
    KeepExisting,
    /// One that is still pending is given what it lacks, and is complete if the record says so: for
    /// subjects that have signed in since. One that was started stays as it is.
    FillPending,
    /// Somebody is to look at it.
    Quarantine,
}
