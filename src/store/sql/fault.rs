//! Why a piece of work failed, and what a caller is told of it.

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::dialect::{Class, Dialect};

/// Why a piece of work gave no result.
#[derive(Debug)]
pub enum Fault {
    /// The database or the way to it.
    Sql(sqlx::Error),
    /// A guarded statement found its row changed: someone came between, so all begins again.
    Moved,
    /// It is known already what a caller is told.
    Store(Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// Whether the same work may be run again from its beginning.
    pub(super) fn passes<D: Dialect>(&self) -> bool {
        match self {
            // A key that is taken was taken meanwhile: the work looked for it first. A connection
            // that is gone takes what was not committed along; its failure at COMMIT is in doubt,
            // and not this one.
            Self::Sql(error) => {
                matches!(class::<D>(error), Class::Busy | Class::Taken | Class::Gone)
            }
            Self::Moved => true,
            Self::Store(_) => false,
        }
    }

    /// Whether a key is taken.
    #[cfg(any(feature = "sqlite", feature = "mysql"))]
    pub(super) fn is_taken<D: Dialect>(&self) -> bool {
        matches!(self, Self::Sql(error) if class::<D>(error) == Class::Taken)
    }

    /// What a caller is told. Nothing has changed, unless [`at_commit`] said so.
    pub(super) fn told<D: Dialect>(self) -> Error {
        match self {
            Self::Store(error) => error,
            Self::Moved => Error::unavailable("others kept changing the same rows"),
            Self::Sql(error) => nothing_stored::<D>(error),
        }
    }
}

/// How COMMIT failed: as if before it, for a closed list of failures; otherwise in doubt.
pub(super) fn at_commit<D: Dialect>(error: sqlx::Error) -> Fault {
    if class::<D>(&error).is_definite() {
        return Fault::Sql(error);
    }
    let message = format!("{} did not confirm a commit", D::NAME);
    Fault::Store(Error::in_doubt(message).because(error))
}

/// What the database's failure means; one that it did not report itself is of the connection, or is
/// [`Class::Other`].
fn class<D: Dialect>(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Database(error) => D::class(&**error),
        // Cut while it was set up, a connection ends in a word that nobody understands.
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Class::Gone,
        _ => Class::Other,
    }
}

fn nothing_stored<D: Dialect>(error: sqlx::Error) -> Error {
    let name = D::NAME;
    let (kind, message) = match class::<D>(&error) {
        Class::Busy => (ErrorKind::Unavailable, "is too busy"),
        Class::Refused => (ErrorKind::Unavailable, "cannot store anything now"),
        Class::Taken => (ErrorKind::Unavailable, "already has what was to be stored"),
        Class::Invalid => (ErrorKind::Invalid, "refused what was to be stored"),
        Class::Corrupt => (ErrorKind::Corrupt, "is damaged, or is not a database"),
        Class::Schema => (ErrorKind::Schema, "does not have the tables expected"),
        Class::Gone => (ErrorKind::Unavailable, "closed the connection"),
        Class::Config => (
            ErrorKind::Config,
            "does not let this user in, or has no such database",
        ),
        Class::Other if is_decoding(&error) => (
            ErrorKind::Corrupt,
            "holds a value of another type than expected",
        ),
        Class::Other => (ErrorKind::Unavailable, "could not be used"),
    };
    Error::new(kind, format!("{name} {message}")).because(error)
}

fn is_decoding(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
    )
}
