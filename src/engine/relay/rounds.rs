//! The loop: settle what ended, take what is due, sleep until more is.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::deliver::deliver;
use super::{Relay, Shared};
use crate::store::{Delivery, Error, Listener, Settlement};

/// How long to wait, at least, when nothing could be taken of what seemed to be due.
const SHORTEST: Duration = Duration::from_millis(2);

/// How long hints are gathered.
const DEBOUNCE: Duration = Duration::from_millis(5);

impl Relay {
    /// Delivers until `shutdown` is cancelled. Then nothing more is taken, and what is being delivered
    /// is waited for, no longer than an attempt may take.
    ///
    /// Failures of the store are logged and waited out.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut rounds = Rounds::of(&self.shared);
        #[cfg(feature = "metrics")]
        let _measuring = measuring(&self.shared);
        while !shutdown.is_cancelled() {
            let rest = match rounds.round().await {
                Ok(Some(rest)) => rest.min(self.shared.poll),
                Ok(None) => self.shared.poll,
                Err(error) => {
                    tracing::warn!(%error, "the outbox could not be read or written");
                    self.shared.poll
                }
            };
            // After every round, however many messages there are: a shutdown waits for none of them.
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = rounds.wait(rest) => {}
            }
        }
        if let Err(error) = rounds.end().await {
            tracing::warn!(%error, "not settled: some messages will come again");
        }
    }

    /// Delivers until no message waits any more: each is delivered or dead. Sleeps through retry delays.
    ///
    /// # Errors
    /// The first failure of the store. What was not settled comes again.
    ///
    /// # Cancel safety
    /// When the future is dropped deliveries are ended, and their messages come again.
    pub async fn run_until_idle(&self) -> Result<(), Error> {
        let mut rounds = Rounds::of(&self.shared);
        while let Some(rest) = rounds.round().await? {
            rounds.wait(rest.min(self.shared.poll)).await;
        }
        Ok(())
    }
}

/// Tells the recorder how far delivery is behind, now and then, for as long as the handle lives.
#[cfg(feature = "metrics")]
fn measuring(shared: &Arc<Shared>) -> tokio_util::task::AbortOnDropHandle<()> {
    let store = Arc::clone(&shared.store);
    tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            if let Ok(lag) = store.outbox_lag().await {
                crate::measure::outbox(lag.oldest, lag.dead);
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }))
}

/// What a run of a relay has under way.
struct Rounds<'a> {
    shared: &'a Arc<Shared>,
    under_way: JoinSet<(Delivery, Settlement)>,
    /// What ended and is to be settled, and until when that makes sense: afterwards somebody else may
    /// have been given the message.
    ended: Vec<(Delivery, Settlement, Instant)>,
    changes: Listener,
    /// How long nothing could be taken of what seemed to be due: others are just taking it.
    pause: Duration,
}

impl<'a> Rounds<'a> {
    fn of(shared: &'a Arc<Shared>) -> Self {
        Self {
            shared,
            under_way: JoinSet::new(),
            ended: Vec::new(),
            changes: shared.store.hints().until_changed(),
            pause: Duration::ZERO,
        }
    }

    /// Settles what ended and takes what there is room for. Gives how long there is nothing to do,
    /// which is no time at all when there may be more; `None` when nothing waits.
    async fn round(&mut self) -> Result<Option<Duration>, Error> {
        self.changes.forget();
        self.settle().await?;
        let room = self.room();
        if room == 0 {
            return Ok(Some(self.shared.poll));
        }
        // Cheaper than to try: nothing is locked for it.
        match self.shared.store.next_outbox().await? {
            Some(due) if due.is_zero() => {}
            Some(due) => return Ok(Some(due)),
            None if self.under_way.is_empty() => return Ok(None),
            None => return Ok(Some(self.shared.poll)),
        }
        self.pause = match self.take(room).await? {
            0 => (self.pause * 2).max(SHORTEST).min(self.shared.poll),
            _ => Duration::ZERO,
        };
        Ok(Some(self.pause))
    }

    fn room(&self) -> usize {
        let busy = self.under_way.len() + self.ended.len();
        let room = self.shared.concurrency.saturating_sub(busy);
        room.min(self.shared.batch)
    }

    async fn take(&mut self, room: usize) -> Result<usize, Error> {
        let hidden = self.shared.hidden();
        let taken = self.shared.store.take_outbox(room, hidden).await?;
        let number = taken.len();
        for delivery in taken {
            let shared = Arc::clone(self.shared);
            self.under_way.spawn(async move {
                let settlement = deliver(&shared, &delivery).await;
                (delivery, settlement)
            });
        }
        Ok(number)
    }

    /// Waits until an attempt ends, something is committed, or the time is over.
    async fn wait(&mut self, rest: Duration) {
        if rest.is_zero() {
            return;
        }
        let hinted = async {
            self.changes.heard().await;
            // One commit seldom comes alone, and one look is enough for all of them.
            tokio::time::sleep(DEBOUNCE).await;
        };
        tokio::select! {
            Some(ended) = self.under_way.join_next() => note(&mut self.ended, self.shared, ended),
            () = hinted => {}
            () = tokio::time::sleep(rest.max(Duration::from_millis(1))) => {}
        }
    }

    /// Settles all that has ended, in one transaction.
    async fn settle(&mut self) -> Result<(), Error> {
        while let Some(ended) = self.under_way.try_join_next() {
            note(&mut self.ended, self.shared, ended);
        }
        let now = Instant::now();
        self.ended.retain(|(.., until)| *until > now);
        if self.ended.is_empty() {
            return Ok(());
        }
        let settled = self.ended.iter();
        let settled: Vec<_> = settled.map(|(d, s, _)| (d.clone(), s.clone())).collect();
        self.shared.store.settle_outbox(&settled).await?;
        self.ended.clear();
        Ok(())
    }

    async fn end(mut self) -> Result<(), Error> {
        while let Some(ended) = self.under_way.join_next().await {
            note(&mut self.ended, self.shared, ended);
        }
        self.settle().await
    }
}

type Ended = Result<(Delivery, Settlement), tokio::task::JoinError>;

/// An attempt that ended abnormally is a bug of ours; its message comes again.
fn note(all: &mut Vec<(Delivery, Settlement, Instant)>, shared: &Shared, ended: Ended) {
    match ended {
        Ok((delivery, settlement)) => {
            // It was taken at most one timeout ago, and is hidden for three.
            let until = Instant::now() + shared.timeout;
            all.push((delivery, settlement, until));
        }
        Err(join) => tracing::error!(cause = %join, "a delivery ended abnormally"),
    }
}
