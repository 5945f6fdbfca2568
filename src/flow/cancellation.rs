//! A signal that an attempt is over. No runtime is needed to wait for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Says when nobody waits for an attempt any more. A clone is the same signal.
///
/// ```
/// use onramp::flow::TaskContext;
/// # fn copy_block() {}
/// async fn copy(cx: &TaskContext, blocks: u32) {
///     let cancellation = cx.cancellation().clone();
///     std::thread::spawn(move || {
///         for _ in 0..blocks {
///             if cancellation.is_cancelled() {
///                 return;
///             }
///             copy_block();
///         }
///     });
/// }
/// ```
#[derive(Clone, Default)]
pub struct Cancellation {
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    given: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Cancellation {
    /// Whether nobody waits any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.signal.given.load(Ordering::Acquire)
    }

    /// Waits until nobody waits any more.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        Cancelled {
            signal: Arc::clone(&self.signal),
        }
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn cancel(&self) {
        let waiting = {
            let mut waiting = self.signal.wakers();
            self.signal.given.store(true, Ordering::Release);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Signal {
    fn wakers(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cancellation")
            .field(&self.is_cancelled())
            .finish()
    }
}

struct Cancelled {
    signal: Arc<Signal>,
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Under the lock, so that a signal that is given meanwhile finds the waker.
        let mut waiting = self.signal.wakers();
        if self.signal.given.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
