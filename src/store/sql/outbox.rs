//! The outbox: handing messages out, and forgetting delivered ones.

use std::time::Duration;

use uuid::Uuid;

use crate::store::record::OutboxMessage;
use crate::store::sql::codec::{self, Reader, micros};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;
use crate::store::sql::transact::Work;

/// Take the oldest messages and hide them for a while.
///
/// In the order of their index, which hiding does not change: passing over the few that are hidden
/// costs less than moving each message within the index whenever it is given out.
pub(super) struct Take {
    pub(super) max: usize,
    pub(super) hidden: Duration,
}

impl<D: Dialect> Work<D> for Take {
    type Out = Vec<OutboxMessage>;

    async fn run(&self, db: &mut Session<'_, D>) -> Result<Vec<OutboxMessage>, Fault> {
        let args = args![codec::limit(self.max)];
        let visible = db.all(db.sql.visible_outbox, args).await?;
        let mut taken = Vec::with_capacity(visible.len());
        for row in &visible {
            let read = Reader::<D>::any(row, "an outbox message");
            let id = read.uuid(0, "the id")?;
            let args = args![micros(self.hidden), id, read.int(1, "the time")?];
            let hidden = db.run(db.sql.hide_outbox, args).await?;
            match codec::message::<D>(row) {
                Ok(message) if hidden == 1 => taken.push(message),
                // Someone else has taken it.
                Ok(_) => {}
                // Hidden, not given out: so it keeps nobody from those after it.
                Err(error) => tracing::error!(message = %id, %error, "skipped in the outbox"),
            }
        }
        Ok(taken)
    }
}

/// Delete delivered messages.
pub(super) struct Ack(pub(super) Vec<Uuid>);

impl<D: Dialect> Work<D> for Ack {
    type Out = ();

    async fn run(&self, db: &mut Session<'_, D>) -> Result<(), Fault> {
        for id in &self.0 {
            db.run(db.sql.delete_outbox, args![*id]).await?;
        }
        Ok(())
    }
}
