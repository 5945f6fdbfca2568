//! What the tiers did, for metrics.

use std::time::Duration;

use serde::Serialize;

/// Where an answer came from.
///
/// ```
/// use onramp::tiers::Tier;
/// assert_eq!(Tier::Database.as_str(), "database");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tier {
    /// The copy in this process.
    Local,
    /// The authoritative store.
    Database,
    /// The mirror.
    Mirror,
    /// None of them: it is unknown.
    Default,
}

impl Tier {
    /// `"local"`, `"database"`, `"mirror"` or `"default"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Database => "database",
            Self::Mirror => "mirror",
            Self::Default => "default",
        }
    }
}

/// Something that the tiers did. The same is told to `tracing`, with the tier as the field `tier`.
///
/// ```
/// # fn count(_: &str, _: &str) {}
/// use onramp::tiers::Observed;
/// fn measure(observed: &Observed) {
///     match observed {
///         Observed::Read { tier, .. } => count("status_reads", tier.as_str()),
///         Observed::Mirrored { code: Some(code), .. } => count("mirror_failures", code),
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observed {
    /// A status was read.
    #[non_exhaustive]
    Read {
        /// Which tier answered.
        tier: Tier,
        /// Whether a newer one may exist.
        stale: bool,
        /// How long it took.
        took: Duration,
    },
    /// A status was to be brought to the mirror.
    #[non_exhaustive]
    Mirrored {
        /// How often the mirror was tried.
        attempts: u32,
        /// Why it could not be; none when the mirror has it.
        code: Option<&'static str>,
        /// How long it took.
        took: Duration,
    },
}

/// Who is told.
pub(super) type Observer = Box<dyn Fn(&Observed) + Send + Sync>;
