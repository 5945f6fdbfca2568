//! Messages that wait, and those that are dead.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::id::{Fence, OnboardingId, Revision};
use crate::store::delivery::{DeadLetter, Delivery, OutboxLag, Settlement};
use crate::store::record::OutboxMessage;

/// Where a message is: its onboarding, the revision of its commit, its place among the messages of that.
type Where = (OnboardingId, Revision, u32);

/// All messages that were not delivered, in the order in which each onboarding's are delivered.
#[derive(Default)]
pub(super) struct Outbox(BTreeMap<Where, Kept>);

struct Kept {
    message: OutboxMessage,
    stored_at: DateTime<Utc>,
    due: Due,
    fence: Fence,
    attempt: u32,
}

enum Due {
    At(DateTime<Utc>),
    /// Dead, since when and why.
    Never(DateTime<Utc>, String),
}

impl Kept {
    /// When it is due, if it is not dead.
    fn due(&self) -> Option<DateTime<Utc>> {
        match self.due {
            Due::At(at) => Some(at),
            Due::Never(..) => None,
        }
    }
}

impl Outbox {
    pub(super) fn post(&mut self, messages: Vec<OutboxMessage>, now: DateTime<Utc>) {
        for (place, message) in (0..).zip(messages) {
            let at = (message.onboarding, message.revision, place);
            let kept = Kept {
                message,
                stored_at: now,
                due: Due::At(now),
                fence: Fence::new(0),
                attempt: 0,
            };
            self.0.insert(at, kept);
        }
    }

    pub(super) fn take(
        &mut self,
        max: usize,
        hidden: Duration,
        now: DateTime<Utc>,
    ) -> Vec<Delivery> {
        let mut last = None;
        let oldest = self.0.iter_mut().filter(|((onboarding, ..), kept)| {
            kept.due().is_some() && last.replace(*onboarding) != Some(*onboarding)
        });
        let mut due: Vec<_> = oldest.filter(|(_, k)| k.due() <= Some(now)).collect();
        due.sort_by_key(|(_, kept)| (kept.due(), kept.stored_at));
        let taken = due.into_iter().take(max).map(|((_, _, place), kept)| {
            kept.due = Due::At(now + hidden);
            kept.fence = kept.fence.next();
            kept.attempt += 1;
            Delivery {
                message: kept.message.clone(),
                place: *place,
                fence: kept.fence,
                attempt: kept.attempt,
            }
        });
        taken.collect()
    }

    pub(super) fn settle(
        &mut self,
        delivery: &Delivery,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) {
        let Delivery { message, place, .. } = delivery;
        let at = (message.onboarding, message.revision, *place);
        let Some(kept) = self.0.get_mut(&at) else {
            return;
        };
        if kept.fence != delivery.fence || kept.due().is_none() {
            return;
        }
        match settlement {
            Settlement::Delivered => {
                self.0.remove(&at);
            }
            Settlement::Later(after) => kept.due = Due::At(now + *after),
            Settlement::Dead(reason) => kept.due = Due::Never(now, reason.clone()),
        }
    }

    pub(super) fn next_due(&self, now: DateTime<Utc>) -> Option<Duration> {
        let mut last = None;
        let oldest = self.0.iter().filter(|((onboarding, ..), kept)| {
            kept.due().is_some() && last.replace(*onboarding) != Some(*onboarding)
        });
        let soonest = oldest.filter_map(|(_, kept)| kept.due()).min();
        soonest.map(|due| (due - now).to_std().unwrap_or_default())
    }

    pub(super) fn dead(&self, limit: usize) -> Vec<DeadLetter> {
        let dead = self.0.values().filter_map(|kept| match &kept.due {
            Due::Never(since, reason) => Some(DeadLetter {
                message: kept.message.clone(),
                reason: reason.clone(),
                attempts: kept.attempt,
                since: *since,
            }),
            Due::At(_) => None,
        });
        let mut dead: Vec<_> = dead.collect();
        dead.sort_by_key(|letter| letter.since);
        dead.truncate(limit);
        dead
    }

    pub(super) fn revive(&mut self, message: Uuid, now: DateTime<Utc>) -> bool {
        let mut dead = self.0.values_mut().filter(|kept| kept.due().is_none());
        let Some(kept) = dead.find(|kept| kept.message.id == message) else {
            return false;
        };
        kept.due = Due::At(now);
        kept.attempt = 0;
        true
    }

    pub(super) fn lag(&self, now: DateTime<Utc>) -> OutboxLag {
        let waiting = self.0.values().filter(|kept| kept.due().is_some());
        let oldest = waiting.map(|kept| kept.stored_at).min();
        OutboxLag {
            oldest: oldest.map(|at| (now - at).to_std().unwrap_or_default()),
            dead: self.0.values().filter(|kept| kept.due().is_none()).count() as u64,
        }
    }
}
