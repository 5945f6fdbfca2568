//! A status with where it is from.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::id::Revision;
use crate::status::Status;
use crate::tiers::observed::Tier;
use crate::tiers::snapshot::Snapshot;

/// What the tiers know of a subject.
///
/// ```
/// use onramp::tiers::Reading;
/// fn banner(reading: &Reading) -> String {
///     match reading {
///         Reading::Known(sourced) if sourced.stale => format!("{} % (may have changed)", sourced.value.percent),
///         Reading::Known(sourced) => format!("{} %", sourced.value.percent),
///         Reading::NotEnrolled => "welcome".into(),
///         _ => "please try again soon".into(),
///     }
/// }
/// ```
///
/// ```compile_fail
/// # use onramp::admission::Proof;
/// # use onramp::tiers::Reading;
/// fn let_in(reading: Reading) -> Proof {
///     reading.into() // a copy admits nobody
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reading", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reading {
    /// A status, and how good it is.
    Known(Box<Sourced<Status>>),
    /// The database says that there is no onboarding.
    NotEnrolled,
    /// No tier has answered. Not the same as "not completed".
    Unknown,
}

/// A value with where it is from. Good for showing, and for nothing else.
///
/// ```
/// use onramp::tiers::Sourced;
/// fn age<T>(sourced: &Sourced<T>, now: chrono::DateTime<chrono::Utc>) -> i64 {
///     (now - sourced.as_of).num_seconds()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Which tier it is from.
    pub source: Tier,
    /// When the database was asked for it.
    pub as_of: DateTime<Utc>,
    /// The revision that it is as of; of a mirror, as the mirror says.
    pub revision: Revision,
    /// Whether a newer one may exist: it is older than a copy may be, or the database did not answer.
    pub stale: bool,
}

impl Reading {
    pub(super) fn known(snapshot: Snapshot, source: Tier, stale: bool) -> Self {
        Self::Known(Box::new(Sourced {
            source,
            stale,
            as_of: snapshot.as_of,
            revision: snapshot.status.revision,
            value: snapshot.status,
        }))
    }

    /// Which tier answered.
    #[must_use]
    pub fn source(&self) -> Tier {
        match self {
            Self::Known(sourced) => sourced.source,
            Self::NotEnrolled => Tier::Database,
            Self::Unknown => Tier::Default,
        }
    }

    /// The status, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Known(sourced) => Some(&sourced.value),
            Self::NotEnrolled | Self::Unknown => None,
        }
    }

    /// Whether a newer one may exist.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        match self {
            Self::Known(sourced) => sourced.stale,
            Self::NotEnrolled => false,
            Self::Unknown => true,
        }
    }
}
