//! The host's own tasks, with a hand on each call: it may fail, and the process may die around it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::flow::{
    Definition, EncodedFact, ErasedTask, Facts, Fault as Failing, Parts, StepCode, TaskContext,
};
use crate::testing::point::{Point, Work};
use crate::testing::script::{Entered, Script};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a dropped future has begun on another thread, or in a service, goes on. Before anybody takes
/// over, a lease would run out, and it would long be done; but no real time passes here, so it is given.
const AFTERMATH: Duration = Duration::from_millis(25);

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
        StepCode {
            condition,
            task,
            #[cfg(feature = "http")]
            form: None,
        }
    });
    Definition::new(Parts {
        plan: parts.plan.clone(),
        code: code.collect(),
        gates: Vec::new(),
        prefills: Vec::new(),
    })
}

#[derive(Clone)]
struct Tapped {
    parts: Arc<Parts>,
    index: usize,
    script: Arc<Script>,
}

impl Tapped {
    /// The host's task.
    async fn task(&self) -> &dyn ErasedTask {
        match &self.parts.code[self.index].task {
            Some(task) => task.as_ref(),
            // Not reachable: only steps with a task are tapped.
            None => std::future::pending().await,
        }
    }

    /// Calls the task as the script wants it. A crash never comes back.
    async fn call<T: Send + 'static>(
        &self,
        cx: &TaskContext,
        work: Work,
        task: BoxFuture<'static, Result<T, Failing>>,
    ) -> Result<T, Failing> {
        let (script, step) = (&self.script, cx.step());
        let Entered {
            moment,
            crash,
            fault,
        } = script.enter(step, work);
        if crash == Some(Point::BeforeEffect) {
            return script.die(moment).await;
        }
        if let Some(planned) = fault.filter(|planned| !planned.after) {
            return Err(Failing::Task(script.strike(step, work, planned)));
        }
        let limit = match crash {
            Some(Point::DuringEffect(n) | Point::Overtaken(n)) => n,
            _ => usize::MAX,
        };
        let done = match self.until(task, moment, limit).await {
            Ok(done) => done,
            Err(halfway) => {
                if matches!(crash, Some(Point::Overtaken(_))) {
                    let late = async move { drop(halfway.await) };
                    script.overtaken(step, work, Box::pin(late));
                } else {
                    drop(halfway);
                    let _ = tokio::task::spawn_blocking(|| std::thread::sleep(AFTERMATH)).await;
                }
                return script.die(moment).await;
            }
        };
        if let Some(late) = script.late(step, work) {
            // In a task of its own, because how it ends is nobody's business any more.
            drop(tokio::spawn(late).await);
        }
        if crash == Some(Point::AfterEffect) {
            return script.die(moment).await;
        }
        match fault {
            Some(planned) => Err(Failing::Task(script.strike(step, work, planned))),
            None => done,
        }
    }

    /// Polls a future until it is done, or gives it back when it has waited so often.
    async fn until<T>(
        &self,
        mut future: BoxFuture<'static, T>,
        moment: usize,
        limit: usize,
    ) -> Result<T, BoxFuture<'static, T>> {
        let mut awaits = 0;
        let done = std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                awaits += 1;
                self.script.awaited(moment);
                match awaits < limit {
                    true => Poll::Pending,
                    false => Poll::Ready(None),
                }
            }
        });
        match done.await {
            Some(done) => Ok(done),
            None => Err(future),
        }
    }
}

impl ErasedTask for Tapped {
    fn run<'a>(
        &'a self,
        cx: &'a TaskContext,
        facts: &Facts,
    ) -> BoxFuture<'a, Result<EncodedFact, Failing>> {
        let (tapped, its, facts) = (self.clone(), cx.clone(), facts.clone());
        let task = async move { tapped.task().await.run(&its, &facts).await };
        Box::pin(self.call(cx, Work::Run, Box::pin(task)))
    }

    fn undo<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: Option<&EncodedFact>,
    ) -> BoxFuture<'a, Result<(), Failing>> {
        let (tapped, its, made) = (self.clone(), cx.clone(), made.cloned());
        let task = async move { tapped.task().await.undo(&its, made.as_ref()).await };
        Box::pin(self.call(cx, Work::Undo, Box::pin(task)))
    }

    fn verify<'a>(
        &'a self,
        cx: &'a TaskContext,
        made: &EncodedFact,
    ) -> BoxFuture<'a, Result<(), Failing>> {
        let (tapped, its, made) = (self.clone(), cx.clone(), made.clone());
        let task = async move { tapped.task().await.verify(&its, &made).await };
        let call = self.call(cx, Work::Verify, Box::pin(task));
        Box::pin(async move {
            // One that answers at once shares a commit with the last fact, and between the two is where
            // everything is made: the place to crash, and to take all back from.
            tokio::task::yield_now().await;
            call.await
        })
    }
}
