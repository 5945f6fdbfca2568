//! The flow: two things that hosts give, four tasks whose effects are lines of the ledger.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::flow::Definition;
use onramp::prelude::*;
use onramp::{Fence, OnboardingId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ledger::{Effect, Ledger, Line};

pub(crate) struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "soak";
    const VERSION: u32 = 1;
}

/// How an onboarding is meant to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Completed,
    /// Its last task fails for good, and everything is taken back.
    Failed,
    /// Its host cancels it on the way.
    Cancelled,
}

impl Fate {
    /// The name of the subject with this number, which tells its fate.
    pub(crate) fn subject(host: &str, number: usize) -> String {
        let fate = match number % 5 {
            2 => "failed",
            4 => "cancelled",
            _ => "completed",
        };
        format!("{host}-{number}-{fate}")
    }

    pub(crate) fn of(subject: &SubjectId) -> Self {
        match subject.as_str().rsplit('-').next() {
            Some("failed") => Self::Failed,
            Some("cancelled") => Self::Cancelled,
            _ => Self::Completed,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Company {
    pub(crate) name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {}

#[derive(Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) invoice: String,
}
impl Step for Paid {
    const NAME: &'static str = "paid";
}
impl Evidence<Signup> for Paid {}

const BUSY: Problem = Problem::new("busy", "Our provider is busy.");
const NO_ROOM: Problem = Problem::new("no_room", "There is no room for it.");

/// What the tasks of a process share.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    /// Under which claim this process works on an onboarding.
    pub(crate) fences: Mutex<HashMap<OnboardingId, Fence>>,
}

impl World {
    pub(crate) fn new(ledger: Ledger) -> Arc<Self> {
        let fences = Mutex::default();
        Arc::new(Self { ledger, fences })
    }

    fn effect(&self, cx: &TaskContext) -> Effect {
        let fences = self.fences.lock().unwrap();
        Effect {
            key: cx.effect_key(),
            id: cx.onboarding(),
            step: cx.step().to_string(),
            fence: fences[&cx.onboarding()],
            attempt: cx.attempt(),
        }
    }

    async fn make(&self, cx: &TaskContext) -> Result<Uuid, TaskError> {
        let [before, after, transient, ..] = *cx.effect_key().as_bytes();
        work(before / 16).await;
        self.ledger.write(&Line::Made(self.effect(cx)));
        work(after).await;
        match transient < 16 && cx.attempt() == 1 {
            true => Err(TaskError::retryable(BUSY, "503")),
            false => Ok(cx.effect_key()),
        }
    }

    async fn take_back(&self, cx: &TaskContext) -> Result<(), TaskError> {
        let [before, after, transient, ..] = *cx.effect_key().as_bytes();
        work(before / 16).await;
        self.ledger.write(&Line::TakenBack(self.effect(cx)));
        work(after / 4).await;
        match transient > 239 && cx.attempt() == 1 {
            true => Err(TaskError::retryable(BUSY, "503")),
            false => Ok(()),
        }
    }
}

/// Takes a while: often a few milliseconds, often enough so long that a fault meets it.
async fn work(dice: u8) {
    let millis = u64::from(if dice < 128 { dice / 16 } else { dice });
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Kills use up attempts, and are not meant to end anything here.
fn retry() -> RetryPolicy {
    RetryPolicy::new(1_000)
        .base(Duration::from_millis(20))
        .cap(Duration::from_millis(100))
}

macro_rules! tasks {
    ($($task:ident $output:ident $name:literal: $needs:ty;)+) => {$(
        #[derive(Serialize, Deserialize)]
        struct $output {
            key: Uuid,
        }
        impl Step for $output {
            const NAME: &'static str = $name;
        }

        struct $task(Arc<World>);
        impl Task<Signup> for $task {
            type Needs = $needs;
            type Output = $output;

            async fn run(&self, cx: &TaskContext, _: $needs) -> Result<$output, TaskError> {
                let key = self.0.make(cx).await?;
                match Fate::of(cx.subject()) == Fate::Failed && $output::NAME == "announced" {
                    true => Err(TaskError::fatal(NO_ROOM, "507")),
                    false => Ok($output { key }),
                }
            }

            async fn undo(&self, cx: &TaskContext, _: Option<$output>) -> Result<(), TaskError> {
                self.0.take_back(cx).await
            }

            fn retry(&self) -> RetryPolicy {
                retry()
            }
        }
    )+};
}
tasks! {
    Reserve Reserved "reserved": Company;
    Provision Provisioned "provisioned": Reserved;
    Publish Published "published": (Provisioned, Paid);
    Announce Announced "announced": Published;
}

pub(crate) fn flow(world: &Arc<World>) -> Definition<Signup> {
    let world = || Arc::clone(world);
    Signup::steps()
        .ask::<Company>()
        .run(Reserve(world()))
        .run(Provision(world()))
        .expect::<Paid>()
        .run(Publish(world()))
        .run(Announce(world()))
        .build()
        .unwrap()
}
