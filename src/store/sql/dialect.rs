//! What differs between databases.

use crate::store::sql::claim::ClaimTexts;
use crate::store::sql::driver::Driver;
use crate::store::sql::fault::Fault;
use crate::store::sql::group::{Batch, Member, Outcome, Texts};
use crate::store::sql::session::Session;
use crate::store::sql::statements::Statements;

/// A database that [`SqlStore`](super::SqlStore) knows. Sealed.
///
/// ```
/// fn is_known<D: onramp::store::sql::Dialect>() {}
/// is_known::<onramp::store::sql::Sqlite>();
/// ```
pub trait Dialect: Speaks {}

/// The sealed part of a [`Dialect`].
pub trait Speaks: Send + Sync + 'static {
    /// The database, for sqlx.
    type Db: Driver;

    /// For operators.
    const NAME: &'static str;

    /// What in a URL asks for verified TLS; nothing where there is no network.
    const VERIFIED_TLS: &'static str;

    /// How a transaction that writes begins. It either excludes all others, or each of its
    /// statements sees what is committed when that statement begins, and waits for, then notices,
    /// another one that changes the same row.
    const BEGIN: &'static str;

    /// The statements.
    const STATEMENTS: Statements;

    /// The statements of a claim.
    const CLAIMS: ClaimTexts;

    /// The statements of a group commit.
    const GROUP: Texts;

    /// How many group commits run at the same time, at most.
    const LANES: usize;

    /// Stores, in one transaction, those members of a batch that hold; gives nothing for the others.
    /// After a fault nothing is stored, unless it says that this is in doubt; and after one that the
    /// database reported the connection is as good as before.
    fn together(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        batch: &Batch,
    ) -> impl Future<Output = Result<Vec<Option<Outcome>>, Fault>> + Send
    where
        Self: Dialect + Sized;

    /// Stores a member in a transaction that is under way. All or nothing of it is written, whatever
    /// becomes of the transaction, unless an error is reported.
    fn joined(
        db: &mut Session<'_, Self>,
        texts: &'static Texts,
        member: Member,
    ) -> impl Future<Output = Result<Outcome, Fault>> + Send
    where
        Self: Dialect + Sized;

    /// Whether statements that create tables commit by themselves, so that a crash leaves some of a
    /// migration done.
    const DDL_COMMITS: bool;

    /// One text for each schema version, oldest first; each only adds. Every statement can be run
    /// again, or fails in a way that [`is_there`](Self::is_there) knows; on SQLite one that adds a
    /// column cannot, and need not.
    const MIGRATIONS: &'static [&'static str];

    /// Whether a statement of a migration failed because what it adds is there already, and for no
    /// other reason. Asked of nothing but migrations. By code, never by message.
    fn is_there(error: &dyn sqlx::error::DatabaseError) -> bool;

    /// What a failure means. By code, never by message.
    fn class(error: &dyn sqlx::error::DatabaseError) -> Class;
}

/// What a failure that a database reports means for the transaction it occurred in.
///
/// At COMMIT only what is *definite* is believed; everything else there is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Rolled back, or to be: another transaction was in the way. The whole may be run again.
    /// Definite.
    Busy,
    /// The database refused to store it, for want of room or right. Definite.
    Refused,
    /// A unique key exists already. Definite.
    Taken,
    /// A rule of the tables would be broken, or something is too large. Definite.
    Invalid,
    /// What is on disk is damaged, or no database at all.
    Corrupt,
    /// The tables are not as the statements expect them.
    Schema,
    /// The connection was closed: by an operator, a timeout, a server that stops or starts.
    Gone,
    /// The server does not let this user in, or has no such database.
    Config,
    /// Anything else.
    Other,
}

impl Class {
    /// Whether nothing is stored even when COMMIT failed this way.
    pub(super) fn is_definite(self) -> bool {
        match self {
            Self::Busy | Self::Refused | Self::Taken | Self::Invalid => true,
            Self::Corrupt | Self::Schema | Self::Gone | Self::Config | Self::Other => false,
        }
    }
}
