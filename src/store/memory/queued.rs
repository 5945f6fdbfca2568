//! The queue entry of an onboarding.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Kept;
use crate::store::record::QueueChange;

#[derive(Clone, Copy)]
pub(super) struct Queued {
    /// Due from here on; for a leased entry, when its lease runs out.
    pub(super) due: DateTime<Utc>,
    pub(super) leased: bool,
    /// How long the newest lease was given for.
    pub(super) lease: Duration,
    /// Whether it was claimed with a limit for its tenant.
    pub(super) limited: bool,
    pub(super) attempt: u32,
}

impl Queued {
    /// Whether it can be claimed. A lease that ends later than twice its length from now was given
    /// before the clock was set back.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        let overlong = self.leased && self.due > now + self.lease * 2;
        self.due <= now || overlong
    }
}

impl Kept {
    pub(super) fn change_queue(&mut self, change: QueueChange, now: DateTime<Utc>) {
        match (change, &mut self.queued) {
            (QueueChange::Keep, _) => {}
            (QueueChange::Wake(_), Some(queued)) if queued.leased => queued.attempt = 1,
            (QueueChange::Wake(after), queued) => {
                *queued = Some(Queued {
                    due: now + after,
                    leased: false,
                    lease: Duration::ZERO,
                    limited: false,
                    attempt: 0,
                });
            }
            (QueueChange::Hold, Some(queued)) => queued.attempt = 1,
            (QueueChange::Release(after), Some(queued)) => {
                queued.due = now + after;
                queued.leased = false;
            }
            (QueueChange::Hold | QueueChange::Release(_), None) => {}
            (QueueChange::Remove, queued) => {
                *queued = None;
                self.progress = None;
            }
        }
    }
}
