//! The host's own tasks, with a hand on each call: it may fail, and the process may die around it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use crate::flow::{
    Definition, EncodedFact, ErasedTask, Facts, Fault as Failing, Parts, StepCode, TaskContext,
};
use crate::testing::script::{Point, Script, Work};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The same flow, for an engine. Its gates stay with the front door.
pub(super) fn tapped<F>(flow: &Definition<F>, script: &Arc<Script>) -> Definition<F> {
    let parts = flow.parts();
    let code = parts.code.iter().enumerate().map(|(index, code)| {
        let condition = code.condition.is_some().then(|| {
            let parts = Arc::clone(parts);
            let judge = move |facts: &Facts| match &parts.code[index].condition {
                Some(condition) => condition(facts),
                None => Ok(true),
            };
            Box::new(judge) as _
        });
        let task = code.task.is_some().then(|| {
            let (parts, script) = (Arc::clone(parts), Arc::clone(script));
            Box::new(Tapped {
                parts,
                index,
                script,
            }) as _
        });
        StepCode { condition, task }
    });
    Definition::new(Parts {
        plan: parts.plan.clone(),
        code: code.collect(),
        gates: Vec::new(),
    })
}

struct Tapped {
    parts: Arc<Parts>,
    index: usize,
    script: Arc<Script>,
}

impl Tapped {
    /// Calls the task as the script wants it. A crash never comes back.
    async fn call<'a, T>(
        &'a self,
        cx: &TaskContext,
        work: Work,
        begin: impl FnOnce(&'a dyn ErasedTask) -> BoxFuture<'a, Result<T, Failing>>,
    ) -> Result<T, Failing> {
        let script = &self.script;
        let entered = script.enter(cx.step(), work);
        let moment = entered.moment;
        if entered.crash == Some(Point::BeforeEffect) {
            return script.die(moment).await;
        }
        if let Some(planned) = entered.fault.filter(|planned| !planned.after) {
            return Err(Failing::Task(script.strike(cx.step(), work, planned)));
        }
        let Some(task) = &self.parts.code[self.index].task else {
            // Not reachable: only steps with a task are tapped.
            return script.die(moment).await;
        };
        let limit = match entered.crash {
            Some(Point::DuringEffect(n)) => n,
            _ => usize::MAX,
        };
        let Some(done) = self.until(begin(task.as_ref()), moment, limit).await else {
            return script.die(moment).await;
        };
        if entered.crash == Some(Point::AfterEffect) {
            return script.die(moment).await;
        }
        match entered.fault {
            Some(planned) => Err(Failing::Task(script.strike(cx.step(), work, planned))),
            None => done,
        }
    }

    /// Polls a future until it is done, or drops it when it has waited so often.
    async fn until<T>(
        &self,
        mut future: BoxFuture<'_, T>,
        moment: usize,
        limit: usize,
    ) -> Option<T> {
        let mut awaits = 0;
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                awaits += 1;
                self.script.awaited(moment);
                match awaits < limit {
                    true => Poll::Pending,
                    false => Poll::Ready(None),
                }
            }
        })
        .await
    }
}

impl ErasedTask for Tapped {
    fn run<'a>(
        &'a self,
        cx: &'a TaskContext,
        facts: &Facts,
    ) -> BoxFuture<'a, Result<EncodedFact, Failing>> {
        let facts = facts.clone();
        let begin = move |task: &'a dyn ErasedTask| task.run(cx, &facts);
        Box::pin(self.call(cx, Work::Run, begin))
    }

    fn undo<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: Option<&EncodedFact>,
    ) -> BoxFuture<'a, Result<(), Failing>> {
        let made = made.cloned();
        let begin = move |task: &'a dyn ErasedTask| task.undo(cx, made.as_ref());
        Box::pin(self.call(cx, Work::Undo, begin))
    }

    fn verify<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: &EncodedFact,
    ) -> BoxFuture<'a, Result<(), Failing>> {
        let made = made.clone();
        let begin = move |task: &'a dyn ErasedTask| task.verify(cx, &made);
        Box::pin(self.call(cx, Work::Verify, begin))
    }
}
