//! A host whose onboardings are five tasks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use onramp::flow::TaskContext;
use onramp::http::{Access, Authorizer, Denied, Parts};
use onramp::prelude::*;
use onramp::store::{Commit, CommitOutcome, Error};
use onramp::testing::{Layer, Layered};
use serde::{Deserialize, Serialize};

use crate::tally::Tally;

pub(crate) struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "live";
    const VERSION: u32 = 1;
}

macro_rules! tasks {
    ($($task:ident $output:ident $name:literal),+) => {$(
        #[derive(Serialize, Deserialize)]
        struct $output;
        impl Step for $output {
            const NAME: &'static str = $name;
        }
        struct $task(Duration);
        impl Task<Signup> for $task {
            type Needs = ();
            type Output = $output;
            async fn run(&self, _: &TaskContext, (): ()) -> Result<$output, TaskError> {
                tokio::time::sleep(self.0).await;
                Ok($output)
            }
        }
    )+};
}
tasks!(
    DoFirst First "first", DoSecond Second "second", DoThird Third "third",
    DoFourth Fourth "fourth", DoFifth Fifth "fifth"
);

/// Tells when a commit has returned.
struct Timed {
    inner: SqliteStore,
    tally: Arc<Tally>,
}

#[async_trait]
impl Layer for Timed {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn commit(&self, commit: Commit) -> Result<CommitOutcome, Error> {
        let (id, revision) = (commit.row.state.id(), commit.row.state.revision());
        let outcome = self.inner.commit(commit).await?;
        if matches!(outcome, CommitOutcome::Committed) {
            self.tally.stored(id, revision);
        }
        Ok(outcome)
    }
}

pub(crate) async fn host(folder: &Path, tally: Arc<Tally>, task: Duration) -> Onramp<Signup> {
    let path = folder.join("live.db");
    let inner = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    let flow = Signup::steps()
        .run(DoFirst(task))
        .run(DoSecond(task))
        .run(DoThird(task))
        .run(DoFourth(task))
        .run(DoFifth(task))
        .build()
        .unwrap();
    Onramp::new(Layered(Timed { inner, tally }), flow)
}

/// Stands in for sessions.
pub(crate) struct Believing;
impl Authorizer for Believing {
    async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
        let who = request
            .headers
            .get("x-who")
            .ok_or(Denied::Unauthenticated)?;
        let who = who.to_str().map_err(Denied::unknown)?;
        let subject = SubjectId::new(who).map_err(Denied::unknown)?;
        let tenant = TenantId::new("acme").map_err(Denied::unknown)?;
        Ok(Access::of(tenant, subject))
    }
}
