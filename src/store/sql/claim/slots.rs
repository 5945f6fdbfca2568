//! Slots: how many of a tenant's onboardings may be leased at the same time.

use uuid::Uuid;

use crate::id::FlowName;
use crate::store::sql::claim::Entry;
use crate::store::sql::claim::texts::ClaimTexts;
use crate::store::sql::codec::Reader;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::driver::args;
use crate::store::sql::fault::Fault;
use crate::store::sql::session::Session;

/// A slot that was found free.
pub(super) struct Slot {
    pub(super) number: i64,
    /// The lease that it names; none when there is no row yet.
    was: Option<(Uuid, i64)>,
    /// The lease ran out, and has to be ended, or it could be renewed.
    ran_out: bool,
}

/// The free slots of a tenant, the last one to be taken first.
pub(super) async fn free<D: Dialect>(
    db: &mut Session<'_, D>,
    texts: &'static ClaimTexts,
    flow: &FlowName,
    tenant: &str,
    limit: u32,
) -> Result<Vec<Slot>, Fault> {
    let args = args![flow.as_str(), tenant, i64::from(limit)];
    let mut slots = Vec::new();
    let mut next = 0;
    for row in &db.all(texts.slots, args).await? {
        let read = Reader::<D>::any(row, "a slot");
        let number = read.int(0, "the number")?;
        slots.extend((next..number).map(Slot::unused));
        next = number + 1;
        let left = read.maybe_int(3, "the lease")?;
        if left.is_none_or(|left| left <= 0) {
            slots.push(Slot {
                number,
                was: Some((read.uuid(1, "the onboarding")?, read.int(2, "the fence")?)),
                ran_out: left.is_some(),
            });
        }
    }
    slots.extend((next..i64::from(limit)).map(Slot::unused));
    slots.reverse();
    Ok(slots)
}

impl Slot {
    fn unused(number: i64) -> Self {
        Self {
            number,
            was: None,
            ran_out: false,
        }
    }

    /// The lease that has to be ended first.
    pub(super) fn over(&self) -> Option<(Uuid, i64)> {
        self.was.filter(|_| self.ran_out)
    }

    /// Takes it for an entry that was taken, unless somebody else was faster.
    pub(super) async fn take<D: Dialect>(
        &self,
        db: &mut Session<'_, D>,
        texts: &'static ClaimTexts,
        flow: &FlowName,
        entry: &Entry,
    ) -> Result<bool, Fault> {
        let fence = entry.fence.saturating_add(1);
        let (flow, tenant) = (flow.as_str(), entry.tenant.as_str());
        let taken = match self.was {
            Some((id, was)) => {
                let args = args![entry.id, fence, flow, tenant, self.number, id, was];
                db.run(texts.take_slot, args).await?
            }
            None => {
                let args = args![entry.id, fence, flow, tenant, self.number];
                db.run(texts.new_slot, args).await?
            }
        };
        Ok(taken == 1)
    }
}
