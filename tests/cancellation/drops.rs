//! A future that is polled so many times and then dropped.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::place::Place;

/// So many polls are enough for anything here.
const MOST: usize = 5_000;

/// From here on not every poll, but every eighth part more: these are loops that go on as they began.
const EACH: usize = 48;

/// Polls a future as often as it is woken, so many times at most, and drops it. Gives what it gave, if it
/// ended before.
pub(crate) async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(gave) => Poll::Ready(Some(gave)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

type Ended<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// A public future: the file and the function it comes from, and how it is made.
pub(crate) struct Case {
    pub(crate) of: &'static str,
    /// Whether it goes over all onboardings there are.
    pub(crate) walks: bool,
    /// With a subject of its own each time. Gives whether it ended before it was dropped.
    pub(crate) call: for<'a> fn(&'a Place, &'a str, usize) -> Ended<'a>,
}

impl Case {
    /// Drops it after no poll, after one, after two, until it once comes to its end. Gives how often.
    pub(crate) async fn dropped_everywhere(&self, place: &Place) -> usize {
        let (mut polls, mut drops) = (0, 0);
        while polls < MOST {
            let subject = match self.walks {
                // It goes over all there are, so there may not be more each time.
                true => "walked".to_owned(),
                false => format!("{} {polls}", self.of),
            };
            let patience = Duration::from_secs(60);
            let called = tokio::time::timeout(patience, (self.call)(place, &subject, polls));
            let ended = called.await;
            let ended = ended.unwrap_or_else(|_| panic!("{}: {polls} polls hang", self.of));
            place.is_well(&subject).await;
            if ended {
                place.is_at_rest(self.of).await;
                return drops;
            }
            drops += 1;
            polls += (polls / EACH * polls / 8).max(1);
        }
        panic!("{} does not end", self.of);
    }
}

/// Those that go over all onboardings there are.
pub(crate) const fn walks(of: &str) -> bool {
    matches!(of.as_bytes(), [b'*', ..])
}

/// `"file function" (place, subject) { what is there before } the future;`
macro_rules! cases {
    ($($of:literal ($place:ident, $subject:ident) { $($before:tt)* } $future:expr;)+) => {
        &[$($crate::cancellation::drops::Case {
            of: $of,
            walks: $crate::cancellation::drops::walks($of),
            call: |$place, $subject, polls| {
                Box::pin(async move {
                    let _ = (&$place, &$subject);
                    $($before)*
                    $crate::cancellation::drops::dropped_after(polls, $future).await.is_some()
                })
            },
        }),+]
    };
}
pub(crate) use cases;
