//! Deletion of whole onboardings.

use crate::store::record::Listed;
use crate::store::sql::codec::counter;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;

/// Delete those that are still at the revision listed.
pub(super) struct Delete(pub(super) Vec<Listed>);

impl<D: Dialect> Work<D> for Delete {
    type Out = usize;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<usize, Fault> {
        let mut gone = 0;
        for listed in &self.0 {
            let id = listed.id.as_uuid();
            let args = args![
                id,
                listed.key.tenant.as_str(),
                counter(listed.revision.get())?
            ];
            // The row first, as every commit does: whoever has it decides what becomes of the rest.
            if db.run(db.sql.delete_onboarding, args).await? == 1 {
                for statement in [
                    db.sql.delete_queued,
                    db.sql.delete_facts,
                    db.sql.delete_reservations,
                    db.sql.delete_journal,
                ] {
                    db.run(statement, args![id]).await?;
                }
                gone += 1;
            }
        }
        Ok(gone)
    }
}
