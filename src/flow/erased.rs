//! Tasks, conditions, gates and sources without their types, so that one list can hold them.
//!
//! Nothing is awaited here: [`Then`] maps a future's output by polling it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::flow::{
    Draft, EncodedFact, FactError, Facts, Gate, GateClosed, GateContext, Needs, Prefill,
    PrefillError, Problem, Step, Task, TaskContext, TaskError,
};
use crate::id::Key;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How running erased code went wrong: by the host's own error or by a fact that does not decode.
#[derive(Debug)]
pub(crate) enum Fault {
    Task(TaskError),
    Fact(FactError),
}

/// A [`Task`] by name only.
pub(crate) trait ErasedTask: Send + Sync {
    fn run<'a>(
        &'a self,
        cx: &'a TaskContext,
        facts: &Facts,
    ) -> BoxFuture<'a, Result<EncodedFact, Fault>>;

    fn undo<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: Option<&EncodedFact>,
    ) -> BoxFuture<'a, Result<(), Fault>>;

    fn verify<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: &EncodedFact,
    ) -> BoxFuture<'a, Result<(), Fault>>;
}

/// Ties a task to its flow, so that `ErasedTask` can be implemented for it.
pub(crate) struct Erase<F, T> {
    task: T,
    flow: std::marker::PhantomData<fn() -> F>,
}

impl<F, T> Erase<F, T> {
    pub(crate) fn new(task: T) -> Self {
        Self {
            task,
            flow: std::marker::PhantomData,
        }
    }
}

impl<F: 'static, T: Task<F>> ErasedTask for Erase<F, T> {
    fn run<'a>(
        &'a self,
        cx: &'a TaskContext,
        facts: &Facts,
    ) -> BoxFuture<'a, Result<EncodedFact, Fault>> {
        match T::Needs::gather(facts) {
            Err(error) => Box::pin(std::future::ready(Err(Fault::Fact(error)))),
            Ok(needs) => Box::pin(Then {
                future: Box::pin(self.task.run(cx, needs)),
                map: |done: Result<T::Output, TaskError>| {
                    let output = done.map_err(Fault::Task)?;
                    // Another attempt would make the same effect, and the same fact of it.
                    EncodedFact::encode(&output)
                        .map_err(|error| Fault::Task(TaskError::fatal(Problem::UNSTORABLE, error)))
                },
            }),
        }
    }

    fn undo<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: Option<&EncodedFact>,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        match made.map(EncodedFact::decode::<T::Output>).transpose() {
            Err(error) => Box::pin(std::future::ready(Err(Fault::Fact(error)))),
            Ok(made) => Box::pin(Then {
                future: Box::pin(self.task.undo(cx, made)),
                map: |done: Result<(), TaskError>| done.map_err(Fault::Task),
            }),
        }
    }

    fn verify<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: &EncodedFact,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        match made.decode::<T::Output>() {
            Err(error) => Box::pin(std::future::ready(Err(Fault::Fact(error)))),
            Ok(made) => Box::pin(Then {
                future: Box::pin(self.task.verify(cx, made)),
                map: |done: Result<(), TaskError>| done.map_err(Fault::Task),
            }),
        }
    }
}

/// A future whose output is mapped once.
struct Then<'a, T, M> {
    future: BoxFuture<'a, T>,
    map: M,
}

impl<T, U, M: Fn(T) -> U + Unpin> Future for Then<'_, T, M> {
    type Output = U;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<U> {
        self.future.as_mut().poll(cx).map(&self.map)
    }
}

/// Whether a conditional step applies.
pub(crate) type Condition = Box<dyn Fn(&Facts) -> Result<bool, FactError> + Send + Sync>;

/// A [`Gate`] by name only.
pub(crate) trait GateCheck: Send + Sync {
    fn name(&self) -> &'static str;
    fn timeout(&self) -> Duration;
    fn open_for(&self) -> Duration;
    fn check<'a>(&'a self, cx: &'a GateContext) -> BoxFuture<'a, Result<(), GateClosed>>;
}

impl<G: Gate> GateCheck for G {
    fn name(&self) -> &'static str {
        G::NAME
    }

    fn timeout(&self) -> Duration {
        Gate::timeout(self)
    }

    fn open_for(&self) -> Duration {
        Gate::open_for(self)
    }

    fn check<'a>(&'a self, cx: &'a GateContext) -> BoxFuture<'a, Result<(), GateClosed>> {
        Box::pin(Gate::check(self, cx))
    }
}

/// A [`Prefill`] by name only; what it knows as the draft that would be stored.
pub(crate) trait PrefillSource: Send + Sync {
    fn name(&self) -> &'static str;
    fn step(&self) -> &'static str;
    fn timeout(&self) -> Duration;
    fn known<'a>(&'a self, whom: &'a Key) -> BoxFuture<'a, Result<EncodedFact, PrefillError>>;
}

/// Ties a source to its flow.
pub(crate) struct ErasePrefill<F, S> {
    source: S,
    flow: std::marker::PhantomData<fn() -> F>,
}

impl<F, S> ErasePrefill<F, S> {
    pub(crate) fn new(source: S) -> Self {
        Self {
            source,
            flow: std::marker::PhantomData,
        }
    }
}

impl<F: 'static, S: Prefill<F>> PrefillSource for ErasePrefill<F, S> {
    fn name(&self) -> &'static str {
        S::SOURCE
    }

    fn step(&self) -> &'static str {
        S::Answer::STORED_AS
    }

    fn timeout(&self) -> Duration {
        self.source.timeout()
    }

    fn known<'a>(&'a self, whom: &'a Key) -> BoxFuture<'a, Result<EncodedFact, PrefillError>> {
        Box::pin(Then {
            future: Box::pin(self.source.known(whom)),
            map: |known: Result<Draft<S::Answer>, PrefillError>| {
                known?.encode().map_err(PrefillError::new)
            },
        })
    }
}
