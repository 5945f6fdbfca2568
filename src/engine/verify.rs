//! Is there what was built? Asked of every task that built something, before the onboarding completes.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tracing::Instrument as _;

use crate::engine::attempt::{CancelOnDrop, Ended, What, timeout};
use crate::flow::{
    BoxFuture, Cancellation, EncodedFact, FactError, Failure, Parts, ProgressSink, Roll,
    TaskContext,
};
use crate::id::{Fence, StepName};

/// What was built by the task of one step.
pub(crate) struct Built {
    /// The step's place in the plan.
    pub(crate) index: usize,
    pub(crate) cx: TaskContext,
    pub(crate) progress: Arc<dyn ProgressSink>,
    pub(crate) made: EncodedFact,
}

/// What came of the looking.
pub(crate) enum Verdict {
    /// Everything is there.
    AsBuilt,
    /// Something could not be looked at, which says nothing of it; after so long it may be tried again.
    Unseen(Duration),
    /// What this step built is gone or wrong.
    Drifted { step: StepName, failure: Failure },
    /// What it built cannot be read by this program.
    Unreadable(FactError),
}

/// A looking under way. It holds all it needs, so that it may have begun before a commit and be waited
/// for after it.
pub(crate) type Looking = BoxFuture<'static, Verdict>;

/// Looks at one after the other.
pub(crate) fn look(parts: &Arc<Parts>, built: Vec<Built>, fence: Fence) -> Looking {
    let parts = Arc::clone(parts);
    Box::pin(async move {
        for one in built {
            let (step, index) = (one.cx.step().clone(), one.index);
            match look_at(&parts, one, fence).await {
                Ended::Done(()) => {}
                Ended::LeaseLost
                | Ended::Failed {
                    retryable: true, ..
                } => {
                    let planned = parts.plan.steps().get(index);
                    let rest = planned.and_then(|p| p.retry().delay(1, Roll::from_bits(u32::MAX)));
                    return Verdict::Unseen(rest.unwrap_or(Duration::from_secs(1)));
                }
                Ended::Failed { failure, .. } => return Verdict::Drifted { step, failure },
                Ended::Undecodable(error) => return Verdict::Unreadable(error),
            }
        }
        Verdict::AsBuilt
    })
}

/// Whether it is over at once: most have nothing to look at, or nothing to wait for.
pub(crate) async fn at_once(looking: &mut Looking) -> Poll<Verdict> {
    std::future::poll_fn(|cx| Poll::Ready(looking.as_mut().poll(cx))).await
}

/// In the drive's own task: it changes nothing, so nothing has to be stopped when time is up.
async fn look_at(parts: &Arc<Parts>, built: Built, fence: Fence) -> Ended<()> {
    let code = parts.code.get(built.index);
    let Some(task) = code.and_then(|code| code.task.as_ref()) else {
        return Ended::Done(());
    };
    let ends = CancelOnDrop(Cancellation::default());
    let allowed = timeout(parts, built.index);
    let cx = built.cx;
    let cx = cx.within(allowed, ends.0.clone(), built.progress, fence);
    let what = What::of(&cx);
    let span = what.span(&cx);
    let work = pin!(async { task.verify(&cx, &built.made).await }.instrument(span));
    match tokio::time::timeout(allowed, Caught(work)).await {
        Ok(ended) => what.ended(ended),
        Err(_) => what.timed_out(allowed),
    }
}

/// A future whose panic is an outcome. It is not polled again after that.
struct Caught<F>(F);

impl<F: Future + Unpin> Future for Caught<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(cx)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(said(panic.as_ref()))),
        }
    }
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without words"))
}
