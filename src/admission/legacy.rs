//! What the rows of an older system meant.

/// What an older system knows of a subject.
///
/// ```
/// use onramp::admission::LegacyRow;
/// let row = LegacyRow { status_complete: false, setup_completed: true };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyRow {
    /// Whether its status is `complete`.
    pub status_complete: bool,
    /// Its other flag, for the same thing.
    pub setup_completed: bool,
}

/// When a subject of an older system counts as onboarded. There is no default: whoever imports says
/// which rule held there.
///
/// ```
/// use onramp::admission::{LegacyPolicy, LegacyRow};
/// let row = LegacyRow { status_complete: false, setup_completed: true };
/// assert!(LegacyPolicy::StatusOrFlag.is_complete(row));
/// assert!(!LegacyPolicy::StatusAlone.is_complete(row));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LegacyPolicy {
    /// `status = complete OR setup_completed`: what the older system did.
    StatusOrFlag,
    /// Both have to say so; where they differ somebody has to look.
    StatusAndFlag,
    /// The status alone, where the flag is known to be wrong.
    StatusAlone,
}

impl LegacyPolicy {
    /// Whether it counts as onboarded.
    #[must_use]
    pub const fn is_complete(self, row: LegacyRow) -> bool {
        match self {
            Self::StatusOrFlag => row.status_complete || row.setup_completed,
            Self::StatusAndFlag => row.status_complete && row.setup_completed,
            Self::StatusAlone => row.status_complete,
        }
    }
}
