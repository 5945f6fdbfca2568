//! How a store fails: few public kinds, the cause kept for logs.

use std::fmt;

/// What kind of failure it was, and so what a caller can do.
///
/// ```
/// use onramp::store::ErrorKind;
/// assert_ne!(ErrorKind::Unavailable, ErrorKind::InDoubt);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store could not be reached or was too busy. Nothing has changed; try again.
    Unavailable,
    /// The connection broke after a commit was sent: it is stored or it is not. Look the command
    /// up before doing anything else.
    InDoubt,
    /// What is stored cannot be read by this program. Nothing has changed; others are unaffected.
    Corrupt,
    /// The database's schema is older or newer than this program, or is not there.
    Schema,
    /// What was to be stored breaks a rule of storing. Nothing has changed.
    Invalid,
    /// The store's settings cannot be used.
    Config,
}

/// A failure of a store.
///
/// ```
/// use onramp::store::{Error, ErrorKind};
/// let error = Error::unavailable("the database does not answer");
/// assert!(error.is_retryable());
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// ```
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// A failure of kind [`ErrorKind::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// A failure of kind [`ErrorKind::InDoubt`].
    pub fn in_doubt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InDoubt, message)
    }

    /// A failure of kind [`ErrorKind::Corrupt`].
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later. Never for what is in doubt.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
