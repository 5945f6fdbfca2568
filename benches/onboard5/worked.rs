//! The workload as tasks: a host starts an onboarding, and workers do its five steps.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use onramp::engine::Engine;
use onramp::lifecycle::Happened;
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::One;
use crate::typed::{Counted, opened, text};

struct Build;
impl Flow for Build {
    const NAME: &'static str = "build";
    const VERSION: u32 = 1;
}

/// When the first task of an onboarding began.
type Begun = Arc<Mutex<HashMap<OnboardingId, Instant>>>;

macro_rules! tasks {
    ($($task:ident $step:ident $name:literal),+) => {
        $(
            #[derive(Serialize, Deserialize)]
            struct $step {
                text: String,
            }
            impl Step for $step {
                const NAME: &'static str = $name;
            }
            struct $task(Begun);
            impl Task<Build> for $task {
                type Needs = ();
                type Output = $step;
                async fn run(&self, cx: &TaskContext, (): ()) -> Result<$step, TaskError> {
                    if $name == "first" {
                        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                        begun.insert(cx.onboarding(), Instant::now());
                    }
                    Ok($step { text: text() })
                }
            }
        )+
    };
}
tasks!(DoFirst First "first", DoSecond Second "second", DoThird Third "third", DoFourth Fourth "fourth",
    DoFifth Fifth "fifth");

/// Those who wait for the end of an onboarding.
type Waiting = Arc<Mutex<HashMap<OnboardingId, oneshot::Sender<()>>>>;

/// An engine at work, and what onboards by it.
pub(crate) struct Worked {
    pub(crate) one: One,
    pub(crate) store: Counted,
    begun: Begun,
    onramp: Onramp<Build>,
    shutdown: CancellationToken,
}

pub(crate) async fn engine(store: &str, folder: &Path, concurrency: usize) -> Worked {
    let (shared, counted) = opened(store, folder).await;
    let begun = Begun::default();
    let flow = Build::steps()
        .run(DoFirst(Arc::clone(&begun)))
        .run(DoSecond(Arc::clone(&begun)))
        .run(DoThird(Arc::clone(&begun)))
        .run(DoFourth(Arc::clone(&begun)))
        .run(DoFifth(Arc::clone(&begun)))
        .build()
        .unwrap();
    let waiting = Waiting::default();
    let ended = Arc::clone(&waiting);
    let engine = Engine::builder(Arc::clone(&shared))
        .flow(&flow)
        .concurrency(concurrency)
        .observe(move |seen| {
            let over = |event: &onramp::lifecycle::Event| event.happened == Happened::Completed;
            if seen.events.iter().any(over) {
                let mut waiting = ended.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(done) = waiting.remove(&seen.state.id()) {
                    let _ = done.send(());
                }
            }
        })
        .build();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move { engine.run(stop).await });
    let onramp = Onramp::shared(shared, flow);
    let front = onramp.clone();
    let one: One = Arc::new(move |_| {
        let (onramp, waiting) = (front.clone(), Arc::clone(&waiting));
        Box::pin(async move {
            let pending = pending(&onramp).await;
            let (done, over) = oneshot::channel();
            let id = pending.id();
            waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id, done);
            start(&onramp, pending).await;
            over.await.unwrap();
        })
    });
    Worked {
        one,
        store: counted,
        begun,
        onramp,
        shutdown,
    }
}

async fn pending(onramp: &Onramp<Build>) -> Onboarding<Build, Pending> {
    let tenant = TenantId::new("acme").unwrap();
    let subject = SubjectId::new(format!("subject-{}", uuid::Uuid::now_v7())).unwrap();
    let found = onramp.enroll(&tenant, &subject).await.unwrap();
    found.into_pending().unwrap()
}

async fn start(onramp: &Onramp<Build>, pending: Onboarding<Build, Pending>) {
    let clearance = onramp.clear(&pending).await.unwrap();
    let _ = onramp.commit(pending.start(clearance)).await.unwrap();
}

impl Worked {
    /// How long it takes an idle engine from the durable start to the first task, `times` times.
    pub(crate) async fn latencies(&self, times: usize) -> Vec<Duration> {
        let mut took = Vec::with_capacity(times);
        for _ in 0..times {
            let pending = pending(&self.onramp).await;
            let id = pending.id();
            start(&self.onramp, pending).await;
            let started = Instant::now();
            let begun = |id| {
                let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
                begun.get(&id).copied()
            };
            while begun(id).is_none() {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            let begun = begun(id).map(|at| at.saturating_duration_since(started));
            took.extend(begun);
            // Until it is idle again.
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        took.sort_unstable();
        took
    }

    pub(crate) fn forget(&self) {
        self.begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn stop(&self) {
        self.shutdown.cancel();
    }
}
