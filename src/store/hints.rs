//! Hints that something is to be done, or has changed. They save waiting, and prove nothing: whoever
//! hears one looks, and whoever hears none looks now and then all the same.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::id::OnboardingId;
use crate::store::record::QueueChange;

/// The hints of a store. A clone gives, and hears, the same ones.
///
/// Store authors keep one, give it out by [`Store::hints`](super::Store::hints), and call
/// [`committed`](Self::committed) after each commit.
///
/// ```
/// use onramp::store::Hints;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let hints = Hints::default();
/// let mut due = hints.until_due();
/// hints.due();
/// due.heard().await; // at once: it listened already
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Hints {
    due: Arc<Signal>,
    changed: Arc<Signal>,
    /// What was given here, and not by another process.
    here: Arc<Signal>,
    /// Those that somebody listens to alone: a watcher is woken by its own, however many there are.
    of_one: Arc<Mutex<HashMap<OnboardingId, Arc<Signal>>>>,
}

impl Hints {
    /// Says that something may be due.
    pub fn due(&self) {
        self.due.give();
    }

    /// Says that an onboarding has changed, and what becomes of its place in the queue.
    pub fn committed(&self, id: OnboardingId, queue: QueueChange) {
        self.changed.give();
        if let Some(signal) = self.lock().get(&id) {
            signal.give();
        }
        if matches!(queue, QueueChange::Wake(after) if after <= SOON) {
            self.due.give();
            self.here.give();
        }
    }

    /// Listens, from now on, for something that may be due.
    #[must_use]
    pub fn until_due(&self) -> Listener {
        Listener::of(&self.due)
    }

    /// Listens, from now on, for changes.
    #[must_use]
    pub fn until_changed(&self) -> Listener {
        Listener::of(&self.changed)
    }

    /// Listens, from now on, for changes of one onboarding.
    #[must_use]
    pub fn until_changed_of(&self, id: OnboardingId) -> ListenerOfOne {
        let signal = Arc::clone(self.lock().entry(id).or_default());
        ListenerOfOne {
            listener: Listener::of(&signal),
            id,
            hints: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OnboardingId, Arc<Signal>>> {
        self.of_one.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens for what other processes are to be told.
    #[cfg(feature = "postgres")]
    pub(crate) fn until_due_here(&self) -> Listener {
        Listener::of(&self.here)
    }
}

/// What is due no later than this is due.
const SOON: Duration = Duration::from_millis(50);

impl std::fmt::Debug for Hints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hints").finish_non_exhaustive()
    }
}

/// Hears hints of one kind. Several at once may be heard as one; none is missed.
///
/// ```
/// use onramp::store::{Hints, Listener};
/// let listener: Listener = Hints::default().until_changed();
/// # drop(listener);
/// ```
pub struct Listener {
    signal: Arc<Signal>,
    heard: u64,
}

impl Listener {
    fn of(signal: &Arc<Signal>) -> Self {
        Self {
            signal: Arc::clone(signal),
            heard: signal.given.load(Ordering::Acquire),
        }
    }

    /// Forgets what was not heard yet: for who is about to look anyway.
    pub fn forget(&mut self) {
        self.heard = self.signal.given.load(Ordering::Acquire);
    }

    /// Waits for a hint that was given since the last one was heard.
    ///
    /// # Cancel safety
    /// A hint that comes when the future has been dropped is heard by the next call.
    pub async fn heard(&mut self) {
        let Self { signal, heard } = self;
        *heard = poll_fn(|cx| signal.poll_since(*heard, cx)).await;
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// Hears of one onboarding. Made by [`Hints::until_changed_of`].
///
/// ```
/// # use std::time::Duration;
/// # use onramp::store::ListenerOfOne;
/// async fn at_once_or_soon(listener: &mut ListenerOfOne) {
///     let _ = tokio::time::timeout(Duration::from_secs(1), listener.heard()).await;
/// }
/// ```
pub struct ListenerOfOne {
    listener: Listener,
    id: OnboardingId,
    hints: Hints,
}

impl ListenerOfOne {
    /// Waits for a hint that was given since the last one was heard.
    ///
    /// # Cancel safety
    /// A hint that comes when the future has been dropped is heard by the next call.
    pub async fn heard(&mut self) {
        self.listener.heard().await;
    }
}

impl Drop for ListenerOfOne {
    fn drop(&mut self) {
        let mut all = self.hints.lock();
        // The last one, which is this, and the map's own: others are made under the same lock.
        if Arc::strong_count(&self.listener.signal) <= 2 {
            all.remove(&self.id);
        }
    }
}

impl std::fmt::Debug for ListenerOfOne {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerOfOne")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Signal {
    given: AtomicU64,
    waiting: Mutex<Vec<Waker>>,
}

impl Signal {
    fn give(&self) {
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            self.given.fetch_add(1, Ordering::Release);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn poll_since(&self, heard: u64, cx: &mut Context<'_>) -> Poll<u64> {
        // Under the lock, so that a hint that is given meanwhile finds the waker.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let given = self.given.load(Ordering::Acquire);
        if given != heard {
            return Poll::Ready(given);
        }
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use super::*;

    async fn hears(one: &mut ListenerOfOne) -> bool {
        let moment = Duration::from_millis(20);
        tokio::time::timeout(moment, one.heard()).await.is_ok()
    }

    #[tokio::test]
    async fn each_hears_of_its_own_and_leaves_nothing_behind() {
        let hints = Hints::default();
        let (a, b) = (OnboardingId::fresh(), OnboardingId::fresh());
        let (mut first, mut second) = (hints.until_changed_of(a), hints.until_changed_of(a));
        let mut other = hints.until_changed_of(b);
        hints.committed(a, QueueChange::Keep);
        hints.committed(a, QueueChange::Keep);
        assert!(hears(&mut first).await && hears(&mut second).await);
        assert!(!hears(&mut first).await && !hears(&mut other).await);
        drop(first);
        hints.committed(a, QueueChange::Keep);
        assert!(hears(&mut second).await);
        drop(second);
        drop(other);
        assert!(hints.lock().is_empty());
    }
}
