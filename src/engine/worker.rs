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

type Drives = JoinSet<Result<(), Error>>;

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
        // Whether a claim may find something. Asking when something is due costs one query, a claim
        // in vain costs more.
        let mut look = true;
        while !shutdown.is_cancelled() {
            let looked = look && drives.len() < shared.concurrency;
            let claimed = match looked {
                true => claim(shared, &mut drives).await,
                false => Ok(0),
            };
            let full = drives.len() >= shared.concurrency;
            let wait = match claimed {
                Ok(_) if full => shared.poll,
                Ok(claimed) => match rest(shared).await {
                    Ok(Some(due)) => {
                        look = due <= shared.poll;
                        if due.is_zero() && !looked {
                            continue;
                        }
                        pause.before(due, shared.poll, claimed)
                    }
                    Ok(None) => {
                        look = false;
                        shared.poll
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the queue could not be read");
                        shared.poll
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "claim failed");
                    shared.poll
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = due.heard(), if !full => look = true,
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
                Some(ended) = drives.join_next() => {
                    note(ended);
                    // There is room now for what there was none.
                    look |= full;
                }
            }
            while let Some(ended) = drives.try_join_next() {
                note(ended);
            }
        }
        let all = async {
            while let Some(ended) = drives.join_next().await {
                note(ended);
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
                Some(ended) = drives.join_next() => finished(ended)?,
            }
            while let Some(ended) = drives.try_join_next() {
                finished(ended)?;
            }
        }
    }
}

/// Waits longer each time that nothing could be claimed of what is due: it is of tenants at their
/// limit, or others are just claiming it.
#[derive(Default)]
struct Pause(Duration);

impl Pause {
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

/// Claims as many onboardings as there is room for, flow by flow, and drives each.
async fn claim(shared: &Arc<Shared>, drives: &mut Drives) -> Result<usize, Error> {
    let mut claimed = 0;
    for (flow, parts) in &shared.flows {
        let room = shared.concurrency.saturating_sub(drives.len());
        if room == 0 {
            break;
        }
        let sent = Instant::now();
        let store = &shared.store;
        let request = ClaimRequest::new(flow, &shared.worker)
            .max(room)
            .lease(shared.lease)
            .order(shared.order)
            .per_tenant(shared.per_tenant);
        let leases = store.claim(&request).await?;
        claimed += leases.len();
        for lease in leases {
            let (shared, parts) = (Arc::clone(shared), Arc::clone(parts));
            drives.spawn(async move {
                let until = deadline(sent, shared.lease);
                let guard = shared.held.hold(lease, until);
                drive(&shared, &parts, guard).await
            });
        }
    }
    Ok(claimed)
}

/// How long until something is due in any flow; `None` when nothing is queued.
async fn rest(shared: &Shared) -> Result<Option<Duration>, Error> {
    let mut soonest: Option<Duration> = None;
    for flow in shared.flows.keys() {
        let due = shared.store.next_due(flow).await?;
        soonest = match (soonest, due) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    Ok(soonest)
}

type Ended = Result<Result<(), Error>, tokio::task::JoinError>;

/// A drive that panicked is a bug of ours; its lease runs out and another claim goes on.
fn finished(ended: Ended) -> Result<(), Error> {
    match ended {
        Ok(result) => result,
        Err(join) => {
            tracing::error!(cause = %join, "a drive ended abnormally");
            Ok(())
        }
    }
}

fn note(ended: Ended) {
    if let Err(error) = finished(ended) {
        tracing::warn!(%error, "a drive ended early: its lease runs out");
    }
}
