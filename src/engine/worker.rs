//! The loop: claim what is due, drive it, sleep until more is.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::engine::drive::drive;
use crate::engine::lease::{deadline, heartbeat};
use crate::engine::progress::post;
use crate::engine::{Engine, Shared};
use crate::store::{ClaimRequest, Error};

type Drives = JoinSet<Result<Option<Duration>, Error>>;

/// While some are under way, how long hints of more are gathered: a claim for several costs what a
/// claim for one does.
const GATHER: Duration = Duration::from_millis(5);

/// How many are claimed at once: a store holds them all in memory together, and locks them.
const BATCH: usize = 256;

/// When it is asked what is due, after as much as was due has been claimed.
const LATER: Duration = Duration::from_millis(20);

impl Engine {
    /// Works until `shutdown` is cancelled. Then nothing more is claimed, tasks under way may go
    /// on for the builder's grace, and the rest is given back.
    ///
    /// Failures of the store are logged and waited out.
    pub async fn run(&self, shutdown: CancellationToken) {
        let shared = &self.shared;
        let _beating = beat(shared);
        let mut drives = Drives::new();
        let mut pause = Pause::default();
        let mut due = shared.store.hints().until_due();
        // Whether a claim may find something, and when to ask for that: a claim in vain costs more.
        let mut look = true;
        let mut wake = Instant::now();
        let mut claimed_at = wake;
        let mut hinted = false;
        while !shutdown.is_cancelled() {
            let room = shared.concurrency.saturating_sub(drives.len());
            if look && room > 0 {
                claimed_at = Instant::now();
                match claim(shared, &mut drives).await {
                    // As many as asked for: there may be more.
                    Ok(claimed) if claimed >= room => wake = claimed_at + shared.poll,
                    Ok(claimed) => {
                        look = false;
                        wake = claimed_at + pause.after(claimed, shared.poll);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "claim failed");
                        wake = claimed_at + shared.poll;
                    }
                }
            }
            let full = drives.len() >= shared.concurrency;
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = due.heard(), if !full && !look => {
                    let soonest = claimed_at + GATHER;
                    look = drives.is_empty() || soonest <= Instant::now();
                    hinted = !look;
                    wake = wake.min(soonest);
                }
                () = tokio::time::sleep_until(wake), if !full => {
                    let due = match hinted {
                        true => Some(Duration::ZERO),
                        false => ask(shared).await,
                    };
                    hinted = false;
                    look |= due == Some(Duration::ZERO);
                    if !look {
                        pause = Pause::default();
                    }
                    wake = Instant::now() + due.unwrap_or(shared.poll).min(shared.poll);
                }
                Some(ended) = drives.join_next() => {
                    // There is room now for what there was none.
                    look |= full;
                    let rest = note(ended).map(|rest| Instant::now() + rest);
                    wake = rest.into_iter().fold(wake, Instant::min);
                }
            }
            while let Some(ended) = drives.try_join_next() {
                let rest = note(ended).map(|rest| Instant::now() + rest);
                wake = rest.into_iter().fold(wake, Instant::min);
            }
        }
        let all = async {
            while let Some(ended) = drives.join_next().await {
                let _ = note(ended);
            }
        };
        if tokio::time::timeout(shared.grace, all).await.is_err() {
            let held = shared.held.all();
            drives.shutdown().await;
            for lease in held {
                if let Err(error) = shared.store.release(&lease, Duration::ZERO).await {
                    tracing::warn!(%error, "release failed: the lease runs out by itself");
                }
            }
        }
    }

    /// Works until nothing is queued any more: everything is completed, failed, or waits for
    /// somebody. Sleeps through retry delays.
    ///
    /// # Errors
    /// The first failure of the store. What is under way is ended and can be resumed.
    ///
    /// # Cancel safety
    /// When the future is dropped, tasks are ended; their leases run out and any engine goes on
    /// from the last checkpoint.
    pub async fn run_until_idle(&self) -> Result<(), Error> {
        let shared = &self.shared;
        let _beating = beat(shared);
        let mut drives = Drives::new();
        let mut pause = Pause::default();
        loop {
            let claimed = claim(shared, &mut drives).await?;
            if claimed > 0 && drives.len() < shared.concurrency {
                continue;
            }
            let rest = match rest(shared).await? {
                None if drives.is_empty() => return Ok(()),
                None => shared.poll,
                Some(due) if drives.len() < shared.concurrency => {
                    pause.before(due, shared.poll, claimed)
                }
                Some(_) => shared.poll,
            };
            tokio::select! {
                () = tokio::time::sleep(rest.max(Duration::from_millis(1))) => {}
                Some(ended) = drives.join_next() => drop(finished(ended)?),
            }
            while let Some(ended) = drives.try_join_next() {
                let _ = finished(ended)?;
            }
        }
    }
}

/// Waits longer each time that nothing could be claimed of what is due: it is of tenants at their
/// limit, or others are just claiming it.
#[derive(Default)]
struct Pause(Duration);

impl Pause {
    /// When to ask what is due next, when so many were just claimed and no more could be: soon, and later
    /// each time that something seems to be due and cannot be claimed.
    fn after(&mut self, claimed: usize, poll: Duration) -> Duration {
        self.0 = match claimed {
            0 => (self.0 * 2).max(Duration::from_millis(2)).min(poll),
            _ => Duration::ZERO,
        };
        self.0.max(LATER)
    }

    /// How long to wait for what is due after `due`, when so many were just claimed.
    fn before(&mut self, due: Duration, poll: Duration, claimed: usize) -> Duration {
        self.0 = if due.is_zero() && claimed == 0 {
            (self.0 * 2).max(Duration::from_millis(2))
        } else {
            Duration::ZERO
        };
        self.0 = self.0.min(poll);
        due.max(self.0).min(poll)
    }
}

/// The heartbeat and the progress of tasks, for as long as the handle lives.
fn beat(shared: &Arc<Shared>) -> AbortOnDropHandle<()> {
    let shared = Arc::clone(shared);
    AbortOnDropHandle::new(tokio::spawn(async move {
        tokio::join!(heartbeat(&shared), post(&shared));
    }))
}

/// Claims as many onboardings as there is room for, flow by flow, and drives each. The deadline of a
/// lease is reckoned from before its claim was sent.
async fn claim(shared: &Arc<Shared>, drives: &mut Drives) -> Result<usize, Error> {
    let before = drives.len();
    for (flow, parts) in &shared.flows {
        while let wanted @ 1.. = shared.concurrency.saturating_sub(drives.len()).min(BATCH) {
            let sent = Instant::now();
            let request = ClaimRequest::new(flow, &shared.worker)
                .max(wanted)
                .lease(shared.lease)
                .order(shared.order)
                .per_tenant(shared.per_tenant);
            let leases = shared.store.claim(&request).await?;
            #[cfg(feature = "metrics")]
            crate::measure::claimed(flow, sent.elapsed());
            let claimed = leases.len();
            for lease in leases {
                let (shared, parts) = (Arc::clone(shared), Arc::clone(parts));
                let lease = Arc::new(lease);
                drives.spawn(async move {
                    let until = deadline(sent, shared.lease);
                    let guard = shared.held.hold(lease, until);
                    drive(&shared, &parts, guard).await
                });
            }
            if claimed < wanted {
                break;
            }
        }
    }
    #[cfg(feature = "metrics")]
    crate::measure::in_flight(shared.worker.as_str(), drives.len());
    Ok(drives.len() - before)
}

/// The same, for one who goes on without an answer.
async fn ask(shared: &Shared) -> Option<Duration> {
    rest(shared).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the queue could not be read");
        None
    })
}

/// How long until something is due in any flow; `None` when nothing is queued.
async fn rest(shared: &Shared) -> Result<Option<Duration>, Error> {
    let flows: Vec<_> = shared.flows.keys().cloned().collect();
    shared.store.next_due(&flows).await
}

type Ended = Result<Result<Option<Duration>, Error>, tokio::task::JoinError>;

/// After how long the onboarding is due again. A drive that panicked is a bug of ours; its lease runs
/// out and another claim goes on.
fn finished(ended: Ended) -> Result<Option<Duration>, Error> {
    match ended {
        Ok(result) => result,
        Err(join) => {
            tracing::error!(cause = %join, "a drive ended abnormally");
            Ok(None)
        }
    }
}

fn note(ended: Ended) -> Option<Duration> {
    finished(ended).unwrap_or_else(|error| {
        tracing::warn!(%error, "a drive ended early: its lease runs out");
        None
    })
}
