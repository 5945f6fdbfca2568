//! A flow of five tasks, and its host.

use std::sync::Arc;

use onramp::flow::Definition;
use onramp::prelude::*;
use onramp::store::sql::Written;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub(crate) struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "bench";
    const VERSION: u32 = 1;
}

/// What the tasks do besides giving a fact.
#[derive(Default)]
pub(crate) struct Hooks {
    /// Told when the first task of an onboarding begins.
    pub(crate) began: Option<tokio::sync::mpsc::UnboundedSender<(SubjectId, Instant)>>,
    /// The first task waits for a permit here.
    pub(crate) held: Option<Semaphore>,
}

impl Hooks {
    async fn first(&self, cx: &TaskContext) {
        if let Some(began) = &self.began {
            let _ = began.send((cx.subject().clone(), Instant::now()));
        }
        if let Some(held) = &self.held {
            held.acquire().await.unwrap().forget();
        }
    }
}

/// 200 bytes of JSON.
fn text() -> String {
    "x".repeat(200 - r#"{"text":""}"#.len())
}

macro_rules! tasks {
    ($($task:ident $output:ident $name:literal),+) => {$(
        #[derive(Serialize, Deserialize)]
        struct $output {
            text: String,
        }
        impl Step for $output {
            const NAME: &'static str = $name;
        }
        struct $task(Arc<Hooks>);
        impl Task<Signup> for $task {
            type Needs = ();
            type Output = $output;
            async fn run(&self, cx: &TaskContext, (): ()) -> Result<$output, TaskError> {
                if $name == "first" {
                    self.0.first(cx).await;
                }
                Ok($output { text: text() })
            }
        }
    )+};
}
tasks!(
    DoFirst First "first", DoSecond Second "second", DoThird Third "third",
    DoFourth Fourth "fourth", DoFifth Fifth "fifth"
);

pub(crate) fn flow(hooks: &Arc<Hooks>) -> Definition<Signup> {
    let hooks = || Arc::clone(hooks);
    Signup::steps()
        .run(DoFirst(hooks()))
        .run(DoSecond(hooks()))
        .run(DoThird(hooks()))
        .run(DoFourth(hooks()))
        .run(DoFifth(hooks()))
        .build()
        .unwrap()
}

/// What a host does: begins an onboarding.
pub(crate) async fn start(onramp: &Onramp<Signup>, subject: &SubjectId) {
    let tenant = TenantId::new("acme").unwrap();
    let begun = onramp.begin(&tenant, subject).await.unwrap();
    assert_eq!(begun.revision().get(), 1, "it is new");
}

/// A store, and what it has written.
pub(crate) type Opened = (Arc<dyn Store>, Box<dyn Fn() -> Written>);

pub(crate) async fn open(store: &str, url: &str) -> Opened {
    macro_rules! opened {
        ($opening:expr) => {{
            let store = $opening.await.unwrap();
            let counted = store.clone();
            (Arc::new(store), Box::new(move || counted.written()))
        }};
    }
    match store {
        "postgres" => opened!(PostgresStore::connect(url)),
        "mariadb" => opened!(MySqlStore::connect(url)),
        _ => opened!(SqliteStore::open(url)),
    }
}
