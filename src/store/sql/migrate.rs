//! The schema's version: read at every start, brought up to date in one transaction.

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::codec::Reader;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::names::Names;
use crate::store::sql::session::Session;
use crate::store::sql::transact::{Work, read, write};

/// The schema version of this program.
pub(super) fn version<D: Dialect>() -> u32 {
    u32::try_from(D::MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Brings an older schema up to date; refuses a newer one.
///
/// Any number of processes may do so at once. Where a migration is one transaction, the version's
/// row, inserted first, keeps the others waiting until it is done. Where it is not, all of them run
/// the same statements, each of which does nothing when it was done, and one inserts the row.
pub(super) async fn migrate<D: Dialect>(
    writers: &sqlx::Pool<D::Db>,
    names: &'static Names,
) -> Result<(), Error> {
    // Looked at first, so that a start with nothing to do waits for no other writer.
    if current::<D>(writers, names).await? == version::<D>() {
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
    if found == version::<D>() {
        return Ok(());
    }
    Err(refused::<D>(found))
}

async fn current<D: Dialect>(
    pool: &sqlx::Pool<D::Db>,
    names: &'static Names,
) -> Result<u32, Error> {
    read::<D, _>(pool, &names.statements, Current).await
}

fn refused<D: Dialect>(found: u32) -> Error {
    let expected = version::<D>();
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

/// The version that the database has; 0 when it has none.
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
        db.run(db.sql.create_schema, args![]).await?;
        let found = Current.run(db).await?;
        if found > version::<D>() {
            return Err(refused::<D>(found).into());
        }
        for (version, script) in (1..).zip(&self.0.migrations) {
            if version > found {
                if D::DDL_COMMITS {
                    db.script(script).await?;
                }
                let args = args![i64::from(version)];
                db.run(db.sql.insert_schema, args).await?;
                if !D::DDL_COMMITS {
                    db.script(script).await?;
                }
            }
        }
        Ok(())
    }
}
