//! All that is needed of sqlx, without its generics: arguments in, rows out.

use std::future::Future;

/// An argument of a statement. The three kinds of column that the tables have.
#[derive(Debug, Clone)]
pub enum Arg {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<uuid::Uuid> for Arg {
    fn from(value: uuid::Uuid) -> Self {
        Self::Bytes(value.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Arg {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

/// A statement's arguments, in the order in which its text has them.
macro_rules! args {
    ($($arg:expr),* $(,)?) => {
        vec![$($crate::store::sql::driver::Arg::from($arg)),*]
    };
}
pub(super) use args;

/// A database that sqlx speaks to. Implemented by [`driver!`] alone.
pub trait Driver: sqlx::Database {
    /// Runs a statement. Gives how many rows it changed.
    fn run(
        on: &mut Self::Connection,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs a query to its end, so that no statement is left half-way.
    fn all(
        on: &mut Self::Connection,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Runs several statements without arguments.
    fn script(
        on: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    fn int(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error>;
    fn text(row: &Self::Row, column: usize) -> Result<String, sqlx::Error>;
    fn bytes(row: &Self::Row, column: usize) -> Result<Vec<u8>, sqlx::Error>;
}

/// The connection of a dialect's database.
pub(super) type Connection<D> = <<D as super::dialect::Speaks>::Db as sqlx::Database>::Connection;

/// A row of a dialect's database.
pub(super) type DbRow<D> = <<D as super::dialect::Speaks>::Db as sqlx::Database>::Row;

/// Makes one of sqlx's databases a [`Driver`]. A macro, because the same as one generic
/// implementation takes some twenty bounds. `$text`: the method of a row that reads text.
macro_rules! driver {
    ($database:ty, text: $text:ident) => {
        impl $crate::store::sql::driver::Driver for $database {
            async fn run(
                on: &mut Self::Connection,
                sql: &'static str,
                args: Vec<$crate::store::sql::driver::Arg>,
            ) -> Result<u64, sqlx::Error> {
                let query = $crate::store::sql::driver::bound!(sql, args);
                Ok(query.execute(on).await?.rows_affected())
            }

            async fn all(
                on: &mut Self::Connection,
                sql: &'static str,
                args: Vec<$crate::store::sql::driver::Arg>,
            ) -> Result<Vec<Self::Row>, sqlx::Error> {
                $crate::store::sql::driver::bound!(sql, args)
                    .fetch_all(on)
                    .await
            }

            async fn script(
                on: &mut Self::Connection,
                sql: &'static str,
            ) -> Result<(), sqlx::Error> {
                sqlx::Executor::execute(on, sqlx::raw_sql(sql)).await?;
                Ok(())
            }

            fn int(row: &Self::Row, column: usize) -> Result<Option<i64>, sqlx::Error> {
                sqlx::Row::try_get(row, column)
            }

            fn text(row: &Self::Row, column: usize) -> Result<String, sqlx::Error> {
                sqlx::Row::$text(row, column)
            }

            fn bytes(row: &Self::Row, column: usize) -> Result<Vec<u8>, sqlx::Error> {
                sqlx::Row::try_get(row, column)
            }
        }
    };
}

/// The query of a text with its arguments bound.
macro_rules! bound {
    ($sql:expr, $args:expr) => {
        $args
            .into_iter()
            .fold(sqlx::query::<Self>($sql), |query, arg| match arg {
                $crate::store::sql::driver::Arg::Int(value) => query.bind(value),
                $crate::store::sql::driver::Arg::Text(value) => query.bind(value),
                $crate::store::sql::driver::Arg::Bytes(value) => query.bind(value),
            })
    };
}
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(unused_imports, reason = "used by drivers")
)]
pub(super) use {bound, driver};
