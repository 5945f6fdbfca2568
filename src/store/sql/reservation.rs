//! What only one onboarding may have.

use crate::id::StepName;
use crate::lifecycle::Digest;
use crate::store::record::{Commit, ReservationChange};
use crate::store::sql::codec::Reader;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;

/// Who has what is to be reserved.
enum Holder {
    Nobody,
    /// The very step that wants it.
    Itself,
    Another,
}

async fn holder<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
    step: &StepName,
    held: &Digest,
) -> Result<Holder, Fault> {
    let rows = db.all(db.sql.holder, args![&held.as_bytes()[..]]).await?;
    let Some(row) = rows.first() else {
        return Ok(Holder::Nobody);
    };
    let read = Reader::<D>::of(row, commit.id());
    let onboarding = read.uuid(0, "a reservation")?;
    let by = read.text(1, "a reservation")?;
    let itself = onboarding == commit.id().as_uuid() && by == step.as_str();
    Ok(match itself {
        true => Holder::Itself,
        false => Holder::Another,
    })
}

/// The step whose reservation another one has, before anything is written.
pub(super) async fn taken<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
) -> Result<Option<StepName>, Fault> {
    if let Some(step) = commit.reserved_twice() {
        return Ok(Some(step.clone()));
    }
    for change in &commit.reservations {
        if let ReservationChange::Take { step, held } = change
            && matches!(holder(db, commit, step, held).await?, Holder::Another)
        {
            return Ok(Some(step.clone()));
        }
    }
    Ok(None)
}

/// Frees and takes, in the order of the commit. Whoever was faster since [`taken`] has looked, seen or
/// met at the key, makes all begin again.
pub(super) async fn change<D: Dialect>(
    db: &mut Session<'_, D>,
    commit: &Commit,
) -> Result<(), Fault> {
    let id = commit.id().as_uuid();
    for change in &commit.reservations {
        match change {
            ReservationChange::Release { step } => {
                db.run(db.sql.free, args![id, step.as_str()]).await?;
            }
            ReservationChange::Take { step, held } => match holder(db, commit, step, held).await? {
                Holder::Nobody => {
                    let args = args![&held.as_bytes()[..], id, step.as_str()];
                    db.run(db.sql.reserve, args).await?;
                }
                Holder::Itself => {}
                Holder::Another => return Err(Fault::Moved),
            },
        }
    }
    Ok(())
}
