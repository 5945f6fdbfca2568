//! One attempt at host code: guarded against panics, ended when the lease is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::engine::lease::Guard;
use crate::flow::{
    Cancellation, Direction, EncodedFact, ErasedTask, FactError, Facts, Failure, Fault, Parts,
    PlanStep, Problem, ProgressSink, TaskContext,
};
use crate::id::{OnboardingId, StepName};
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
}

/// An attempt under way.
///
/// In two parts, [`begin`](Self::begin) and [`ended`](Self::ended), so that whoever waits for it holds
/// nothing of what it was begun with: thousands wait at once.
pub(crate) struct Attempt<'a> {
    guard: &'a Guard<'a>,
    /// A task of its own: a panic ends the attempt, not the worker.
    running: AbortOnDropHandle<Result<Option<EncodedFact>, Fault>>,
    /// Dropped, whatever becomes of this future, it says that nobody waits any more.
    _ends: CancelOnDrop,
    what: What,
    timeout: Duration,
}

/// What logs and figures say of an attempt.
#[derive(Clone)]
pub(crate) struct What {
    onboarding: OnboardingId,
    step: StepName,
    number: u32,
    direction: Direction,
    #[cfg(feature = "metrics")]
    begun: std::time::Instant,
}

impl<'a> Attempt<'a> {
    /// Begins a job of the step at `index` of the plan.
    pub(crate) fn begin(
        parts: &Arc<Parts>,
        index: usize,
        cx: TaskContext,
        job: Job,
        guard: &'a Guard<'a>,
        progress: Arc<dyn ProgressSink>,
    ) -> Self {
        let parts = Arc::clone(parts);
        let ends = CancelOnDrop(Cancellation::default());
        let timeout = timeout(&parts, index);
        let cx = cx.within(timeout, ends.0.clone(), progress, guard.lease.fence);
        let what = What::of(&cx);
        let span = what.span(&cx);
        let work = async move {
            let code = parts.code.get(index).and_then(|code| code.task.as_ref());
            match code {
                Some(task) => perform(task.as_ref(), &cx, job).await,
                None => Ok(None),
            }
        };
        Self {
            guard,
            running: AbortOnDropHandle::new(tokio::spawn(work.instrument(span))),
            _ends: ends,
            what,
            timeout,
        }
    }

    /// Waits until it has ended, its time is up, or the lease is lost.
    #[expect(clippy::manual_async_fn, reason = "its future would hold it twice")]
    pub(crate) fn ended(mut self) -> impl Future<Output = Ended<Option<EncodedFact>>> + Send {
        async move {
            let until = Instant::now() + self.timeout;
            // The whole of it, so that none of it is dropped before the end.
            let this = &mut self;
            let ended = tokio::select! {
                biased;
                ended = &mut this.running => ended,
                lost = this.guard.lost_before(until) => match lost {
                    true => return Ended::LeaseLost,
                    false => return this.what.timed_out(this.timeout),
                },
            };
            this.what.ended(ended.map_err(|join| join.to_string()))
        }
    }
}

/// How long an attempt at the step at `index` may take.
pub(crate) fn timeout(parts: &Parts, index: usize) -> Duration {
    let planned = parts.plan.steps().get(index);
    planned.map_or(Duration::ZERO, PlanStep::timeout)
}

impl What {
    pub(crate) fn of(cx: &TaskContext) -> Self {
        let what = Self {
            onboarding: cx.onboarding(),
            step: cx.step().clone(),
            number: cx.attempt(),
            direction: cx.direction(),
            #[cfg(feature = "metrics")]
            begun: std::time::Instant::now(),
        };
        tracing::debug!(onboarding = %what.onboarding, step = %what.step, attempt = what.number,
            direction = what.direction.as_str(), "attempt");
        what
    }

    pub(crate) fn span(&self, cx: &TaskContext) -> tracing::Span {
        tracing::info_span!("attempt", onboarding = %self.onboarding, tenant = %cx.tenant(),
            step = %self.step, attempt = self.number, direction = self.direction.as_str())
    }

    pub(crate) fn timed_out<T>(&self, timeout: Duration) -> Ended<T> {
        tracing::warn!(onboarding = %self.onboarding, step = %self.step, attempt = self.number,
            direction = self.direction.as_str(), ?timeout, "attempt timed out");
        self.took("timed_out");
        Ended::Failed {
            failure: Failure::from(Problem::TIMED_OUT),
            retryable: true,
        }
    }

    /// What the end of the host's code means; of a panic, with what it said.
    pub(crate) fn ended<T>(&self, ended: Result<Result<T, Fault>, String>) -> Ended<T> {
        let (id, step, number) = (self.onboarding, &self.step, self.number);
        let direction = self.direction.as_str();
        self.took(match &ended {
            Ok(Ok(_)) => "done",
            Ok(Err(_)) => "failed",
            Err(_) => "panicked",
        });
        match ended {
            Ok(Ok(made)) => Ended::Done(made),
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
            Err(cause) => {
                tracing::error!(onboarding = %id, %step, attempt = number, direction,
                    cause, "attempt panicked");
                Ended::Failed {
                    failure: Failure::from(Problem::PANICKED),
                    retryable: true,
                }
            }
        }
    }

    #[cfg(feature = "metrics")]
    fn took(&self, outcome: &'static str) {
        let direction = self.direction.as_str();
        crate::measure::attempted(self.step.as_str(), direction, outcome, self.begun.elapsed());
    }

    #[cfg(not(feature = "metrics"))]
    #[expect(clippy::unused_self, reason = "who is told is a feature")]
    fn took(&self, _outcome: &'static str) {}
}

/// Tells whoever has the context that nobody waits any more.
pub(crate) struct CancelOnDrop(pub(crate) Cancellation);

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
