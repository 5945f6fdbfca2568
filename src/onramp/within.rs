//! Code of the host's, run all at once, each for so long at most, without a runtime.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How a call of the host's code ended.
pub(super) enum Ended<T> {
    Gave(T),
    TookTooLong,
    Panicked,
}

type Call<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Waits for all of them, for none longer than until its time. Gives how each ended and how long that
/// took.
pub(super) async fn all<T>(
    mut calls: Vec<(Call<'_, T>, Instant)>,
    begun: Instant,
) -> Vec<(Ended<T>, Duration)> {
    let mut ended: Vec<Option<(Ended<T>, Duration)>> = calls.iter().map(|_| None).collect();
    let mut alarm = None;
    poll_fn(|cx| {
        for ((call, until), ended) in calls.iter_mut().zip(&mut ended) {
            if ended.is_some() {
                continue;
            }
            *ended = poll_one(call, *until, cx).map(|how| (how, begun.elapsed()));
        }
        let waiting = calls.iter().zip(&ended).filter(|(_, e)| e.is_none());
        match waiting.map(|((_, until), _)| *until).min() {
            None => Poll::Ready(()),
            Some(next) => {
                alarm = Some(Alarm::at(next, cx.waker().clone()));
                Poll::Pending
            }
        }
    })
    .await;
    ended.into_iter().flatten().collect()
}

fn poll_one<T>(call: &mut Call<'_, T>, until: Instant, cx: &mut Context<'_>) -> Option<Ended<T>> {
    // It is never polled again after a panic.
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx)));
    match polled {
        Ok(Poll::Ready(gave)) => Some(Ended::Gave(gave)),
        Ok(Poll::Pending) if Instant::now() < until => None,
        Ok(Poll::Pending) => Some(Ended::TookTooLong),
        Err(_) => Some(Ended::Panicked),
    }
}

/// Wakes a task at a time, on a thread of its own: gates are checked without a runtime, too, and few of
/// them take long enough to need one. Dropped, it does nothing.
struct Alarm(Arc<(Mutex<bool>, Condvar)>);

impl Alarm {
    fn at(time: Instant, waker: Waker) -> Self {
        let off = Arc::new((Mutex::new(false), Condvar::new()));
        let state = Arc::clone(&off);
        let thread = std::thread::Builder::new().name("onramp-within".to_owned());
        let started = thread.spawn(move || {
            let (is_off, changed) = &*state;
            let guard = is_off.lock().unwrap_or_else(PoisonError::into_inner);
            let wait = time.saturating_duration_since(Instant::now());
            // Somewhat late, so that the time is over for whoever is woken.
            let wait = wait + Duration::from_millis(1);
            let ended = changed.wait_timeout_while(guard, wait, |is_off| !*is_off);
            let is_off = ended.map_or_else(|poisoned| *poisoned.into_inner().0, |(off, _)| *off);
            if !is_off {
                waker.wake();
            }
        });
        if let Err(error) = started {
            // Without it a check that hangs is found when anything else wakes the task.
            drop(error);
        }
        Self(off)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let (is_off, changed) = &*self.0;
        *is_off.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}
