//! Why a record is not imported.

use std::fmt;

/// Why a record is not imported, for whoever reads the quarantine. Every error turns into one by `?`.
///
/// ```
/// use onramp::SubjectId;
/// use onramp::import::Reject;
///
/// fn subject(text: &str) -> Result<SubjectId, Reject> {
///     if text == "test" {
///         return Err(Reject::new("a test account: leave it behind"));
///     }
///     Ok(SubjectId::new(text)?)
/// }
/// assert_eq!(subject(" u1").unwrap_err().to_string(), "subject id starts or ends with white space: trim it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject(String);

impl Reject {
    /// For a reason of the host's.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    pub(super) fn into_reason(self) -> String {
        self.0
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not an error itself, or it could not be made from every one.
impl<E: std::error::Error> From<E> for Reject {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
