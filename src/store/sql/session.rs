//! A connection, and the statements of the store that it belongs to.

use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::{Arg, Connection, DbRow, Driver};
use crate::store::sql::statements::Statements;

/// What work runs its statements on.
pub struct Session<'c, D: Dialect> {
    pub(super) on: &'c mut Connection<D>,
    /// The statements, with the store's own table names.
    pub(super) sql: &'static Statements,
    /// Whether COMMIT was sent: from then on, no answer means nothing.
    pub(super) committing: bool,
}

impl<'c, D: Dialect> Session<'c, D> {
    pub(super) fn new(on: &'c mut Connection<D>, sql: &'static Statements) -> Self {
        Self {
            on,
            sql,
            committing: false,
        }
    }
}

impl<D: Dialect> Session<'_, D> {
    /// Runs a statement. Gives how many rows it changed.
    pub(super) async fn run(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<u64, sqlx::Error> {
        D::Db::run(self.on, sql, args).await
    }

    /// Runs a query to its end.
    pub(super) async fn all(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> Result<Vec<DbRow<D>>, sqlx::Error> {
        D::Db::all(self.on, sql, args).await
    }

    /// Runs several statements without arguments.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        D::Db::script(self.on, sql).await
    }
}
