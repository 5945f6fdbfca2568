//! The leases that a worker process holds, one heartbeat for all, and when each is lost.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    leases: Mutex<HashMap<OnboardingId, Holding>>,
    /// Told when a renewal finds that some are lost, which is rare: so all may look.
    losses: watch::Sender<()>,
}

/// Longer than anything takes.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

struct Holding {
    lease: Arc<Lease>,
    /// `None` when it is lost already.
    until: Option<Instant>,
}

/// A held lease, as the one who works under it sees it. Dropped, the process no longer holds it.
pub(crate) struct Guard<'a> {
    pub(crate) lease: Arc<Lease>,
    held: &'a Held,
}

pub(crate) fn deadline(sent: Instant, lease: Duration) -> Instant {
    sent + lease * 2 / 3
}

impl Held {
    pub(crate) fn hold(&self, lease: Arc<Lease>, until: Instant) -> Guard<'_> {
        let holding = Holding {
            lease: Arc::clone(&lease),
            until: Some(until),
        };
        self.lock().insert(lease.id, holding);
        Guard { lease, held: self }
    }

    pub(crate) fn all(&self) -> Vec<Lease> {
        let leases = self.lock();
        leases
            .values()
            .map(|held| Lease::clone(&held.lease))
            .collect()
    }

    /// Takes note of what a renewal gave: those kept last longer, the others are lost.
    fn renewed(&self, asked: &[Lease], kept: &[Lease], until: Instant) {
        let kept: HashSet<_> = kept.iter().map(|lease| (lease.id, lease.fence)).collect();
        let mut lost = false;
        let mut leases = self.lock();
        for lease in asked {
            let newest = leases.get_mut(&lease.id);
            if let Some(held) = newest.filter(|held| held.lease.fence == lease.fence) {
                held.until = kept.contains(&(lease.id, lease.fence)).then_some(until);
                lost |= held.until.is_none();
            }
        }
        drop(leases);
        if lost {
            self.losses.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OnboardingId, Holding>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guard<'_> {
    /// When the lease is lost, unless it is renewed; `None` when it is lost already.
    fn deadline(&self) -> Option<Instant> {
        let leases = self.held.lock();
        let newest = leases.get(&self.lease.id);
        newest
            .filter(|held| held.lease.fence == self.lease.fence)?
            .until
    }

    /// Waits until the lease is lost, for ever if need be.
    pub(crate) async fn lost(&self) {
        while !self.lost_before(Instant::now() + AGE).await {}
    }

    /// Waits until the lease is lost, or until a time. Gives whether it is lost.
    pub(crate) async fn lost_before(&self, time: Instant) -> bool {
        let mut losses = self.held.losses.subscribe();
        loop {
            let until = {
                let now = Instant::now();
                match self.deadline() {
                    Some(at) if at > now && time > now => at.min(time),
                    deadline => return deadline.is_none_or(|at| at <= now),
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                // The sender is in `held`, so it is there.
                _ = losses.changed() => {}
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
            .is_some_and(|held| held.lease.fence == self.lease.fence)
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
