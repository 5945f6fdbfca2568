//! Wake-ups within a process: something was committed, look now instead of at your next look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use crate::id::{FlowName, OnboardingId};

/// How many hints a listener may be behind before it is told to look at everything.
const BEHIND: usize = 1_024;

/// Tells those who wait in this process that something was committed by this process.
///
/// **A hint is only ever a reason to look sooner**: nothing may depend on it, because other processes
/// send none, and because one may come too early, twice, or not at all. A clone is another handle of
/// the same.
///
/// ```
/// use onramp::store::Hints;
/// use onramp::{FlowName, OnboardingId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let hints = Hints::new();
/// let mut listener = hints.subscribe();
/// let id = OnboardingId::fresh();
/// hints.notify(&FlowName::from_static("workspace"), id);
/// assert_eq!(listener.next().await.unwrap().id, id);
/// # }
/// ```
#[derive(Clone)]
pub struct Hints {
    inner: Arc<Inner>,
}

struct Inner {
    all: broadcast::Sender<Hint>,
    /// Those who wait for one onboarding: a watcher is woken by its own alone, however many there are.
    one: Mutex<HashMap<OnboardingId, watch::Sender<()>>>,
}

/// What was committed to.
///
/// ```
/// # use onramp::store::Hint;
/// fn is_of(hint: &Hint, flow: &str) -> bool {
///     hint.flow.as_str() == flow
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The flow.
    pub flow: FlowName,
    /// The onboarding.
    pub id: OnboardingId,
}

impl Hints {
    /// Hints that nobody listens to yet.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner {
            all: broadcast::Sender::new(BEHIND),
            one: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Wakes those who listen. To be called after the commit is durable; never waits.
    pub fn notify(&self, flow: &FlowName, id: OnboardingId) {
        if self.inner.all.receiver_count() > 0 {
            let flow = flow.clone();
            // Nobody may be listening any more.
            let _ = self.inner.all.send(Hint { flow, id });
        }
        if let Some(sender) = self.inner.lock().get(&id) {
            sender.send_replace(());
        }
    }

    /// Listens to the hints of all onboardings from now on.
    #[must_use]
    pub fn subscribe(&self) -> Listener {
        Listener(self.inner.all.subscribe())
    }

    /// Listens to the hints of one onboarding from now on.
    #[must_use]
    pub fn subscribe_to(&self, id: OnboardingId) -> HintsOfOne {
        let mut one = self.inner.lock();
        let sender = one.entry(id).or_insert_with(|| watch::Sender::new(()));
        HintsOfOne {
            receiver: sender.subscribe(),
            id,
            inner: Arc::clone(&self.inner),
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<OnboardingId, watch::Sender<()>>> {
        self.one.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hints {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Hints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hints")
            .field("listeners", &self.inner.all.receiver_count())
            .finish_non_exhaustive()
    }
}

/// Hears of every onboarding. Made by [`Hints::subscribe`].
///
/// ```
/// # use onramp::store::Listener;
/// async fn show(mut listener: Listener) {
///     loop {
///         match listener.next().await {
///             Some(hint) => println!("look at {}", hint.id),
///             None => println!("look at everything"),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Hint>);

impl Listener {
    /// Forgets the hints that wait: for who is about to look at everything.
    pub fn forget(&mut self) {
        self.0 = self.0.resubscribe();
    }

    /// Waits for the next hint; `None` when some were missed, so that anything may have changed.
    /// Waits for ever once all handles of its [`Hints`] are gone.
    ///
    /// # Cancel safety
    /// A dropped future loses no hint.
    pub async fn next(&mut self) -> Option<Hint> {
        match self.0.recv().await {
            Ok(hint) => Some(hint),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Hears of one onboarding. Made by [`Hints::subscribe_to`].
///
/// ```
/// # use std::time::Duration;
/// # use onramp::store::HintsOfOne;
/// async fn at_once_or_soon(hints: &mut HintsOfOne) {
///     let _ = tokio::time::timeout(Duration::from_secs(1), hints.changed()).await;
/// }
/// ```
pub struct HintsOfOne {
    receiver: watch::Receiver<()>,
    id: OnboardingId,
    inner: Arc<Inner>,
}

impl HintsOfOne {
    /// Waits until there was a hint since the last time this returned, or since it was made.
    ///
    /// # Cancel safety
    /// A dropped future loses no hint.
    pub async fn changed(&mut self) {
        // The sender lives as long as there is a listener.
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for HintsOfOne {
    fn drop(&mut self) {
        let mut one = self.inner.lock();
        // The last one, which is this: others of the same onboarding are counted under the same lock.
        let last = one.get(&self.id).is_some_and(|s| s.receiver_count() <= 1);
        if last {
            one.remove(&self.id);
        }
    }
}

impl std::fmt::Debug for HintsOfOne {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HintsOfOne")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn hears(one: &mut HintsOfOne) -> bool {
        let moment = Duration::from_millis(20);
        tokio::time::timeout(moment, one.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn each_hears_of_its_own_and_leaves_nothing_behind() {
        let (hints, flow) = (Hints::new(), FlowName::from_static("f"));
        let (a, b) = (OnboardingId::fresh(), OnboardingId::fresh());
        let (mut first, mut second) = (hints.subscribe_to(a), hints.subscribe_to(a));
        let mut other = hints.subscribe_to(b);
        hints.notify(&flow, a);
        hints.notify(&flow, a);
        assert!(hears(&mut first).await && hears(&mut second).await);
        assert!(!hears(&mut first).await && !hears(&mut other).await);
        drop(first);
        hints.notify(&flow, a);
        assert!(hears(&mut second).await);
        drop(second);
        drop(other);
        assert!(hints.inner.lock().is_empty());
    }

    #[tokio::test]
    async fn who_is_far_behind_is_told_to_look_at_everything() {
        let (hints, flow) = (Hints::new(), FlowName::from_static("f"));
        let mut listener = hints.subscribe();
        for _ in 0..2 * BEHIND {
            hints.notify(&flow, OnboardingId::fresh());
        }
        assert_eq!(listener.next().await, None);
        assert!(listener.next().await.is_some());
        listener.forget();
        let id = OnboardingId::fresh();
        hints.notify(&flow, id);
        assert_eq!(listener.next().await.map(|hint| hint.id), Some(id));
    }
}
