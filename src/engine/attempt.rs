//! One attempt at host code: guarded against panics, ended when the lease is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::engine::lease::Guard;
use crate::flow::{
    Cancellation, Direction, EncodedFact, ErasedTask, FactError, Facts, Failure, Fault, Parts,
    PlanStep, Problem, ProgressSink, TaskContext,
};
use crate::id::StepName;
use crate::lifecycle::State;

/// How an attempt ended.
pub(crate) enum Ended<T> {
    /// It succeeded.
    Done(T),
    /// It failed, in the host's own words or by a panic.
    Failed { failure: Failure, retryable: bool },
    /// A fact does not decode with this program: nothing was attempted.
    Undecodable(FactError),
    /// The lease was lost; how the attempt ended is no longer ours to say.
    LeaseLost,
}

/// What is attempted.
pub(crate) enum Job {
    Run(Facts),
    Undo(Option<EncodedFact>),
    Verify(EncodedFact),
}

/// Attempts a job of the step at `index` of the plan.
pub(crate) async fn attempt(
    parts: &Arc<Parts>,
    index: usize,
    cx: TaskContext,
    job: Job,
    guard: &Guard<'_>,
    progress: Arc<dyn ProgressSink>,
) -> Ended<Option<EncodedFact>> {
    let parts = Arc::clone(parts);
    let step = cx.step().clone();
    let (number, direction) = (cx.attempt(), cx.direction().as_str());
    tracing::debug!(onboarding = %guard.lease.id, %step, attempt = number, direction, "attempt");
    // Dropped, whatever becomes of this future, it says that nobody waits any more.
    let ends = CancelOnDrop(Cancellation::default());
    let timeout = parts
        .plan
        .steps()
        .get(index)
        .map_or(Duration::ZERO, PlanStep::timeout);
    let cx = cx.within(timeout, ends.0.clone(), progress, guard.lease.fence);
    let span = tracing::info_span!("attempt", onboarding = %guard.lease.id, tenant = %cx.tenant(),
        %step, attempt = number, direction);
    let work = async move {
        let code = parts.code.get(index).and_then(|code| code.task.as_ref());
        match code {
            Some(task) => perform(task.as_ref(), &cx, job).await,
            None => Ok(None),
        }
    };
    #[cfg(feature = "metrics")]
    let begun = std::time::Instant::now();
    #[cfg(feature = "metrics")]
    let took = |outcome| {
        crate::measure::attempted(step.as_str(), direction, outcome, begun.elapsed());
    };
    // A task of its own: a panic ends the attempt, not the worker.
    let running = AbortOnDropHandle::new(tokio::spawn(work.instrument(span)));
    let ended = tokio::select! {
        biased;
        ended = running => ended,
        () = guard.lost() => return Ended::LeaseLost,
        () = tokio::time::sleep(timeout) => {
            tracing::warn!(onboarding = %guard.lease.id, %step, attempt = number, direction,
                ?timeout, "attempt timed out");
            #[cfg(feature = "metrics")]
            took("timed_out");
            return Ended::Failed {
                failure: Failure::from(Problem::TIMED_OUT),
                retryable: true,
            };
        }
    };
    let id = guard.lease.id;
    #[cfg(feature = "metrics")]
    took(match &ended {
        Ok(Ok(_)) => "done",
        Ok(Err(_)) => "failed",
        Err(_) => "panicked",
    });
    match ended {
        Ok(Ok(fact)) => Ended::Done(fact),
        Ok(Err(Fault::Fact(error))) => {
            tracing::error!(onboarding = %id, %step, %error, "fact does not decode");
            Ended::Undecodable(error)
        }
        Ok(Err(Fault::Task(error))) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(onboarding = %id, %step, attempt = number, direction,
                code = error.problem().code(), cause, "attempt failed");
            Ended::Failed {
                failure: Failure::from(error.problem()),
                retryable: error.is_retryable(),
            }
        }
        Err(join) => {
            tracing::error!(onboarding = %id, %step, attempt = number, direction,
                cause = %join, "attempt panicked");
            Ended::Failed {
                failure: Failure::from(Problem::PANICKED),
                retryable: true,
            }
        }
    }
}

struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn perform(
    task: &dyn ErasedTask,
    cx: &TaskContext,
    job: Job,
) -> Result<Option<EncodedFact>, Fault> {
    match job {
        Job::Run(facts) => task.run(cx, &facts).await.map(Some),
        Job::Undo(made) => task.undo(cx, made.as_ref()).await.map(|()| None),
        Job::Verify(made) => task.verify(cx, &made).await.map(|()| None),
    }
}

/// The context of an attempt.
pub(crate) fn context(
    state: &State,
    step: &StepName,
    direction: Direction,
    attempt: u32,
    now: chrono::DateTime<chrono::Utc>,
) -> TaskContext {
    let key = state.key();
    TaskContext::new(
        state.id(),
        key.tenant.clone(),
        key.subject.clone(),
        step.clone(),
        direction,
        attempt,
        state
            .step(step.as_str())
            .map_or(0, crate::lifecycle::StepState::round),
        now,
    )
}
