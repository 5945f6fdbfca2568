//! The leases that a worker process holds, one heartbeat for all, and when each is lost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::engine::Shared;
use crate::id::OnboardingId;
use crate::store::Lease;

/// The leases held by this process.
///
/// A lease is lost at its deadline: two thirds of its length after the claim or renewal was
/// *sent*, on the monotonic clock. So the worker stops before the store lets anyone else in, as
/// far as time can tell; what really keeps it from writing is the fence.
#[derive(Default)]
pub(crate) struct Held {
    leases: Mutex<HashMap<OnboardingId, (Lease, watch::Sender<Deadline>)>>,
}

/// When a lease is lost; `None` when it is lost already.
type Deadline = Option<Instant>;

/// A held lease, as the one who works under it sees it. Dropped, the process no longer holds it.
pub(crate) struct Guard<'a> {
    pub(crate) lease: Lease,
    deadline: watch::Receiver<Deadline>,
    held: &'a Held,
}

pub(crate) fn deadline(sent: Instant, lease: Duration) -> Instant {
    sent + lease * 2 / 3
}

impl Held {
    pub(crate) fn hold(&self, lease: Lease, until: Instant) -> Guard<'_> {
        let (sender, deadline) = watch::channel(Some(until));
        self.lock().insert(lease.id, (lease.clone(), sender));
        Guard {
            lease,
            deadline,
            held: self,
        }
    }

    pub(crate) fn all(&self) -> Vec<Lease> {
        self.lock()
            .values()
            .map(|(lease, _)| lease.clone())
            .collect()
    }

    /// Takes note of what a renewal gave: those kept last longer, the others are lost.
    fn renewed(&self, asked: &[Lease], kept: &[Lease], until: Instant) {
        let leases = self.lock();
        for lease in asked {
            let Some((held, sender)) = leases.get(&lease.id) else {
                continue;
            };
            if held.fence == lease.fence {
                sender.send_replace(kept.contains(lease).then_some(until));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OnboardingId, (Lease, watch::Sender<Deadline>)>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guard<'_> {
    /// Waits until the lease is lost.
    pub(crate) async fn lost(&self) {
        let mut deadline = self.deadline.clone();
        loop {
            let Some(at) = *deadline.borrow_and_update() else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep_until(at) => {
                    if *deadline.borrow() == Some(at) {
                        return;
                    }
                }
                changed = deadline.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let mut leases = self.held.lock();
        // The same onboarding may have been claimed again meanwhile: that is another lease.
        if leases
            .get(&self.lease.id)
            .is_some_and(|(l, _)| l.fence == self.lease.fence)
        {
            leases.remove(&self.lease.id);
        }
    }
}

/// Renews every held lease three times per lease. Runs until it is dropped.
pub(crate) async fn heartbeat(shared: &Shared) {
    let beat = shared.lease / 3;
    let mut ticks = tokio::time::interval(beat);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let asked = shared.held.all();
        if asked.is_empty() {
            continue;
        }
        let sent = Instant::now();
        match tokio::time::timeout(beat, shared.store.renew(&asked, shared.lease)).await {
            Ok(Ok(kept)) => shared
                .held
                .renewed(&asked, &kept, deadline(sent, shared.lease)),
            // Not renewed is not lost yet: the deadlines run on.
            Ok(Err(error)) => tracing::warn!(%error, "heartbeat failed"),
            Err(_) => tracing::warn!("heartbeat timed out"),
        }
    }
}
