//! What a mirror must do.

use std::fmt;

use async_trait::async_trait;

use crate::id::Key;

/// A text per onboarding kept somewhere else, for instance as an attribute at the identity provider.
///
/// **Only the server writes it**: give it an attribute that users cannot edit. That is a matter of
/// order, not of safety, because nothing in it admits anybody.
///
/// [`MemoryMirror`](crate::tiers::MemoryMirror) is a whole implementation to read.
///
/// ```
/// use onramp::Key;
/// use onramp::tiers::{Mirror, MirrorError, Stored, Tag};
///
/// /// A provider that is always away.
/// struct Away;
///
/// #[async_trait::async_trait]
/// impl Mirror for Away {
///     async fn load(&self, _: &Key) -> Result<Stored, MirrorError> {
///         Err(MirrorError::unavailable("no route to host"))
///     }
///
///     async fn store(&self, _: &Key, _: &str, _: &Tag) -> Result<(), MirrorError> {
///         Err(MirrorError::unavailable("no route to host"))
///     }
/// }
/// ```
#[async_trait]
pub trait Mirror: Send + Sync + 'static {
    /// What is kept, if anything, and a tag of that state.
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError>;

    /// Keeps a text in place of what was loaded with this tag. When somebody has written in between,
    /// nothing changes and it is an error of kind [`Moved`](MirrorErrorKind::Moved).
    ///
    /// # Cancel safety
    /// When the future is dropped the text is kept or it is not, wholly.
    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError>;
}

/// Holds that it can be used as a trait object.
const _: fn(&dyn Mirror) = |_| {};

#[async_trait]
impl<M: Mirror + ?Sized> Mirror for std::sync::Arc<M> {
    async fn load(&self, key: &Key) -> Result<Stored, MirrorError> {
        (**self).load(key).await
    }

    async fn store(&self, key: &Key, text: &str, at: &Tag) -> Result<(), MirrorError> {
        (**self).store(key, text, at).await
    }
}

/// What a mirror keeps, and a tag of that state.
///
/// ```
/// use onramp::tiers::{Stored, Tag};
/// let nothing = Stored { text: None, tag: Tag::new("0") };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The text; none when nothing is kept.
    pub text: Option<String>,
    /// The state, also that of nothing being kept.
    pub tag: Tag,
}

/// A state of a mirror, in its own words: an `ETag`, a version number.
///
/// ```
/// use onramp::tiers::Tag;
/// assert_eq!(Tag::new("\"v7\"").as_str(), "\"v7\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// The tag with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What kind of failure it was, and so what can be done.
///
/// ```
/// use onramp::tiers::MirrorErrorKind;
/// assert_eq!(MirrorErrorKind::Moved.as_str(), "mirror_moved");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MirrorErrorKind {
    /// It could not be reached or was too busy: try again.
    Unavailable,
    /// Somebody has written since it was loaded: load again.
    Moved,
    /// It will not: wrong credentials, a text that is too long. Somebody has to look.
    Refused,
}

impl MirrorErrorKind {
    /// A permanent code, for metrics and dead letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "mirror_unavailable",
            Self::Moved => "mirror_moved",
            Self::Refused => "mirror_refused",
        }
    }
}

/// A failure of a mirror.
///
/// ```
/// use onramp::tiers::{MirrorError, MirrorErrorKind};
/// let error = MirrorError::refused("401: renew the token");
/// assert_eq!(error.kind(), MirrorErrorKind::Refused);
/// assert_eq!(error.to_string(), "mirror_refused: 401: renew the token");
/// ```
pub struct MirrorError {
    kind: MirrorErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl MirrorError {
    /// It could not be reached or was too busy.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(MirrorErrorKind::Unavailable, message)
    }

    /// Somebody has written since it was loaded.
    #[must_use]
    pub fn moved() -> Self {
        Self::new(MirrorErrorKind::Moved, "somebody has written in between")
    }

    /// It will not.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(MirrorErrorKind::Refused, message)
    }

    fn new(kind: MirrorErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> MirrorErrorKind {
        self.kind
    }
}

impl fmt::Display for MirrorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

impl fmt::Debug for MirrorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl std::error::Error for MirrorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
