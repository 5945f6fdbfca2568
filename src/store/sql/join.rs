//! Writing in a transaction of the host's.

use async_trait::async_trait;

use crate::store::error::Error;
use crate::store::join::Join;
use crate::store::record::{Commit, CommitOutcome, Created, NewOnboarding};
use crate::store::sql::body::SqlStore;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::Connection;
use crate::store::sql::fault::Fault;
use crate::store::sql::group::Member;
use crate::store::sql::names::Names;
use crate::store::sql::session::Session;

/// A transaction of the host's, joined by [`SqlStore::join`].
///
/// ```no_run
/// # use onramp::store::{Join, SqliteStore};
/// fn join<'t>(
///     store: &SqliteStore,
///     transaction: &'t mut sqlx::Transaction<'_, sqlx::Sqlite>,
/// ) -> impl Join + 't {
///     store.join(transaction)
/// }
/// ```
pub struct Joined<'t, D: Dialect> {
    on: &'t mut Connection<D>,
    names: &'static Names,
}

impl<D: Dialect> SqlStore<D> {
    /// Joins a transaction that the host has begun in the same database, by a pool of its own. Its
    /// isolation level may be any; on SQLite begin it by `BEGIN IMMEDIATE`, so that it cannot fail
    /// half-way.
    ///
    /// On the host's pool beware of futures dropped while a transaction begins: with sqlx 0.9.0 the
    /// connection goes back to the pool with the transaction open.
    ///
    /// ```no_run
    /// # async fn show(
    /// #     store: onramp::store::SqliteStore, pool: sqlx::SqlitePool,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    /// let mut _joined = store.join(&mut transaction);
    /// # Ok(()) }
    /// ```
    pub fn join<'t>(&self, transaction: &'t mut sqlx::Transaction<'_, D::Db>) -> Joined<'t, D> {
        Joined {
            on: &mut *transaction,
            names: self.names,
        }
    }
}

impl<D: Dialect> std::fmt::Debug for Joined<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined")
            .field("dialect", &D::NAME)
            .finish_non_exhaustive()
    }
}

impl<D: Dialect> Joined<'_, D> {
    async fn store(&mut self, member: Member) -> Result<crate::store::sql::group::Outcome, Error> {
        let mut session = Session::new(&mut *self.on, &self.names.statements);
        let stored = D::joined(&mut session, &self.names.group, member).await;
        stored.map_err(Fault::told::<D>)
    }
}

#[async_trait]
impl<D: Dialect> Join for Joined<'_, D> {
    async fn create(&mut self, new: NewOnboarding) -> Result<Created, Error> {
        new.check()?;
        self.store(Member::create(new)).await?.created()
    }

    async fn commit(&mut self, commit: Commit) -> Result<CommitOutcome, Error> {
        commit.check()?;
        self.store(Member::commit(commit)).await?.commit()
    }
}
