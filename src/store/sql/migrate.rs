//! The schema's version: read at every start, brought up to date, or refused.
//!
//! Where statements that make tables can be rolled back, a migration is one transaction. Its first
//! statement enters the version, so that of several migrators one makes it and the others wait for
//! the row. Where they cannot, all of them run the same statements, each of which does nothing when
//! it was done, and one enters the version when all is there. So a crash leaves either nothing, or
//! something that the next start goes on with. No lock is held for it.

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::codec::Reader;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::names::Names;
use crate::store::sql::session::Session;
use crate::store::sql::transact::{Work, read, write};

/// Brings an older schema up to date; refuses a newer one. Any number of processes may do so at
/// once.
pub(super) async fn migrate<D: Dialect>(
    writers: &sqlx::Pool<D::Db>,
    names: &'static Names,
) -> Result<(), Error> {
    // Looked at first, so that a start with nothing to do waits for no other writer.
    if current::<D>(writers, names).await? == names.version() {
        return Ok(());
    }
    write::<D, _>(writers, &names.statements, Migrate(names)).await
}

/// Refuses a schema that is not of exactly this program's version.
pub(super) async fn check<D: Dialect>(
    writers: &sqlx::Pool<D::Db>,
    names: &'static Names,
) -> Result<(), Error> {
    let found = current::<D>(writers, names).await?;
    if found == names.version() {
        return Ok(());
    }
    Err(refused(found, names))
}

/// The version that the database has; 0 when it has none.
pub(super) async fn current<D: Dialect>(
    pool: &sqlx::Pool<D::Db>,
    names: &'static Names,
) -> Result<u32, Error> {
    read::<D, _>(pool, &names.statements, Current).await
}

pub(super) fn refused(found: u32, names: &Names) -> Error {
    let expected = names.version();
    let advice = match found {
        0 => "the database has no schema yet, this program needs",
        _ if found < expected => "migrate the database: its schema is older than",
        _ => "use a newer program: the database's schema is newer than",
    };
    Error::new(
        ErrorKind::Schema,
        format!("{advice} version {expected} (found version {found})"),
    )
}

/// Something that a migration does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Run a statement.
    Run(&'static str),
    /// Enter that this version is there.
    Enter(u32),
}

/// What leads from the version that was found to the newest, in order.
pub(super) fn parts<D: Dialect>(names: &'static Names, found: u32) -> Vec<Part> {
    let mut parts = Vec::new();
    for (version, statements) in (1..).zip(&names.migrations) {
        if version > found {
            let enter = [Part::Enter(version)];
            let (before, after) = enter.split_at(if D::DDL_COMMITS { 0 } else { 1 });
            parts.extend(before);
            parts.extend(statements.iter().map(|statement| Part::Run(statement)));
            parts.extend(after);
        }
    }
    parts
}

struct Current;

impl<D: Dialect> Work<D> for Current {
    type Out = u32;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<u32, Fault> {
        let exists = db.all(db.sql.has_schema, args![]).await?;
        if exists.is_empty() {
            return Ok(0);
        }
        let rows = db.all(db.sql.schema_version, args![]).await?;
        let Some(row) = rows.first() else {
            return Ok(0);
        };
        let read = Reader::<D>::any(row, "the schema");
        match read.maybe_int(0, "the version")? {
            Some(_) => Ok(read.count(0, "the version")?),
            None => Ok(0),
        }
    }
}

struct Migrate(&'static Names);

impl<D: Dialect> Work<D> for Migrate {
    type Out = ();

    async fn run(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        added::<D>(db.script(db.sql.create_schema).await)?;
        let found = Current.run(db).await?;
        if found > self.0.version() {
            return Err(refused(found, self.0).into());
        }
        for part in parts::<D>(self.0, found) {
            match part {
                Part::Run(statement) => added::<D>(db.script(statement).await)?,
                Part::Enter(version) => {
                    let args = args![i64::from(version)];
                    db.run(db.sql.insert_schema, args).await?;
                }
            }
        }
        Ok(())
    }
}

/// What it means when a statement finds that what it adds is there. Where each statement is for
/// itself, that it was done before. In a transaction, which has failed by that, that another migrator
/// was at it; only then is that worth beginning again.
fn added<D: Dialect>(ended: Result<(), sqlx::Error>) -> Result<(), Fault> {
    match ended {
        Err(sqlx::Error::Database(error)) if D::is_there(&*error) => match D::DDL_COMMITS {
            true => Ok(()),
            false => Err(Fault::Moved),
        },
        ended => Ok(ended?),
    }
}

#[cfg(test)]
mod tests;
