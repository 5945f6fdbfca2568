//! Watching an onboarding: its journal, as it grows.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_core::Stream;
use uuid::Uuid;

use crate::id::{Actor, OnboardingId, Revision, TenantId};
use crate::lifecycle::{Event, StageKind};
use crate::store::contract::Store;
use crate::store::error::Error;
use crate::store::hints::ListenerOfOne;
use crate::store::record::JournalEntry;

/// Journal entries that are read at once.
const PAGE: usize = 100;

/// What one commit did to an onboarding that is watched.
///
/// ```
/// # use onramp::store::Progress;
/// fn show(progress: &Progress) {
///     for event in &progress.events {
///         println!("{} {}", progress.revision, event.happened.name());
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The revision that it made: where to resume from.
    pub revision: Revision,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked for it.
    pub by: Actor,
    /// What happened, in order. Holds no personal data.
    pub events: Vec<Event>,
}

/// An onboarding that is watched: everything that happens to it, once each and in order, whoever did
/// it, in whatever process. Made by [`Onramp::watch`](crate::Onramp::watch).
///
/// It ends when the onboarding has ended (completed or failed) and all of that was told, or when there
/// is no such onboarding. It looks at the store at once after a commit of this process, and otherwise
/// at a pace that slows down while nothing happens.
///
/// ```
/// use onramp::prelude::*;
/// # async fn show<F: Flow>(
/// #     onramp: &Onramp<F>, tenant: &TenantId, id: OnboardingId,
/// # ) -> Result<(), onramp::store::Error> {
/// let mut watch = onramp.watch(tenant, id, onramp::Revision::new(0));
/// while let Some(progress) = watch.next().await {
///     println!("{:?}", progress?.events);
/// }
/// # Ok(()) }
/// ```
#[must_use = "it does nothing until it is asked for what is next"]
pub struct Watch {
    watching: Option<Box<Watching>>,
    /// What `next` is doing for the stream.
    asked: Option<Asked>,
}

type Asked = Pin<Box<dyn Future<Output = (Box<Watching>, Told)> + Send>>;

type Told = Option<Result<Progress, Error>>;

struct Watching {
    store: Arc<dyn Store>,
    changes: ListenerOfOne,
    tenant: TenantId,
    id: OnboardingId,
    after: Revision,
    /// What was read and not yet told.
    read: VecDeque<JournalEntry>,
    /// Whether it is known to go on, as of `after`.
    goes_on: bool,
    over: bool,
    pace: Pace,
}

impl Watch {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        tenant: TenantId,
        id: OnboardingId,
        after: Revision,
    ) -> Self {
        let watching = Watching {
            // From before the first look, so that nothing is missed between that and the first wait.
            changes: store.hints().until_changed_of(id),
            store,
            tenant,
            id,
            after,
            read: VecDeque::new(),
            goes_on: false,
            over: false,
            pace: Pace::new(Duration::from_millis(250), Duration::from_secs(5)),
        };
        Self {
            watching: Some(Box::new(watching)),
            asked: None,
        }
    }

    /// How long to wait before looking again without a hint: `least` after something happened, then
    /// twice as long each time, `most` at most; both shortened at random by up to a quarter, so that
    /// many watchers do not look together. By default 250 ms and 5 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use onramp::store::Watch;
    /// fn patient(watch: Watch) -> Watch {
    ///     watch.pace(Duration::from_secs(1), Duration::from_secs(30))
    /// }
    /// ```
    pub fn pace(mut self, least: Duration, most: Duration) -> Self {
        if let Some(watching) = &mut self.watching {
            watching.pace = Pace::new(least, most);
        }
        self
    }

    /// What happened next; waits until something did. `None` when it has ended, and from then on.
    ///
    /// An error of the store ends nothing: the next call goes on from where this one was, after the
    /// pace's time.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing: the next call gives what it would have given.
    pub async fn next(&mut self) -> Option<Result<Progress, Error>> {
        if self.asked.is_some() {
            // The stream has begun to wait for it.
            return std::future::poll_fn(|cx| self.poll(cx)).await;
        }
        match &mut self.watching {
            Some(watching) => watching.next().await,
            None => None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Told> {
        if self.asked.is_none() {
            let Some(mut watching) = self.watching.take() else {
                return Poll::Ready(None);
            };
            self.asked = Some(Box::pin(async move {
                let told = watching.next().await;
                (watching, told)
            }));
        }
        let Some(asked) = &mut self.asked else {
            return Poll::Ready(None);
        };
        match asked.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready((watching, told)) => {
                self.watching = Some(watching);
                self.asked = None;
                Poll::Ready(told)
            }
        }
    }
}

impl Stream for Watch {
    type Item = Result<Progress, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Told> {
        self.get_mut().poll(cx)
    }
}

impl Watching {
    async fn next(&mut self) -> Told {
        loop {
            if self.over {
                return None;
            }
            if self.pace.waits {
                tokio::select! {
                    () = self.changes.heard() => {}
                    () = tokio::time::sleep(self.pace.rest()) => {}
                }
                self.pace.waits = false;
            }
            let told = match self.tell() {
                Some(told) => told,
                None => match self.look().await {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
            };
            if told.is_err() {
                self.pace.slower();
            }
            return Some(told);
        }
    }

    /// The oldest of what was read. One that does not decode is told as an error again and again:
    /// what comes after it would be without a beginning.
    fn tell(&mut self) -> Told {
        let entry = self.read.front()?;
        let events = match entry.decode() {
            Ok(events) => events,
            Err(error) => return Some(Err(error)),
        };
        let entry = self.read.pop_front()?;
        self.after = entry.revision;
        Some(Ok(Progress {
            revision: entry.revision,
            at: entry.at,
            by: entry.by,
            events,
        }))
    }

    /// Reads what is new. When nothing is, whether it has ended.
    async fn look(&mut self) -> Result<(), Error> {
        let Self { tenant, id, .. } = self;
        let journal = self.store.journal(tenant, *id, self.after, PAGE).await?;
        if !journal.is_empty() {
            self.read.extend(journal);
            self.goes_on = false;
            self.pace.quick();
            return Ok(());
        }
        if !self.goes_on {
            match self.store.load(tenant, *id).await? {
                // It has moved on since: look again, at once.
                Some(row) if row.state.revision() > self.after => return Ok(()),
                Some(row) => {
                    let stage = row.state.stage();
                    self.over = matches!(stage, StageKind::Completed | StageKind::Failed);
                    self.goes_on = !self.over;
                }
                None => self.over = true,
            }
        }
        self.pace.slower();
        Ok(())
    }
}

/// How long to wait between looks.
struct Pace {
    least: Duration,
    most: Duration,
    now: Duration,
    /// Whether to wait before the next look.
    waits: bool,
}

impl Pace {
    fn new(least: Duration, most: Duration) -> Self {
        let least = least.max(Duration::from_millis(1));
        Self {
            least,
            most: most.max(least),
            now: Duration::ZERO,
            waits: false,
        }
    }

    fn quick(&mut self) {
        self.now = Duration::ZERO;
        self.waits = false;
    }

    fn slower(&mut self) {
        self.now = self.now.saturating_mul(2).clamp(self.least, self.most);
        self.waits = true;
    }

    fn rest(&self) -> Duration {
        let [random, ..] = *Uuid::new_v4().as_bytes();
        self.now - self.now / 4 * u32::from(random) / 255
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer_while_nothing_happens() {
        let (least, most) = (Duration::from_millis(250), Duration::from_secs(5));
        let mut pace = Pace::new(least, most);
        assert!(!pace.waits);
        let mut rests = Vec::new();
        for _ in 0..8 {
            pace.slower();
            assert!(pace.waits);
            assert!((pace.now * 3 / 4..=pace.now).contains(&pace.rest()));
            rests.push(pace.now.as_millis());
        }
        assert_eq!(rests, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
        pace.quick();
        assert!(!pace.waits);
        pace.slower();
        assert_eq!(pace.now, least);
    }
}
