//! Several futures at once, without a runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Waits for all of them. Gives what each gave, in their order.
pub(super) async fn together<T>(mut works: Vec<Work<'_, T>>) -> Vec<T> {
    let mut gave: Vec<Option<T>> = works.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut all = true;
        for (work, gave) in works.iter_mut().zip(&mut gave) {
            if gave.is_none() {
                match work.as_mut().poll(cx) {
                    Poll::Ready(it) => *gave = Some(it),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    gave.into_iter().flatten().collect()
}
