//! Why is this one not complete?

use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::{Shown, maybe};
use crate::cli::target::{Found, Target};
use crate::cli::time::shown;
use crate::flow::Failure;
use crate::lifecycle::{Obstacle, StageKind};
use crate::{FlowName, NotDone, OnboardingId, SubjectId, TenantId};

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Explained {
    id: OnboardingId,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    stage: StageKind,
    obstacles: Vec<Obstacle>,
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let Found { id, key } = args.target.one(&*cx.store).await?;
    let rules = cx.flows.of(key.flow.as_str())?;
    let of = (&key.tenant, id);
    let row = cx.store.load(&key.tenant, id).await?;
    let stage = row.ok_or(NotDone::Absent)?.state.stage();
    let obstacles = rules.explain(&cx.store, of).await?.unwrap_or_default();

    let mut table = cx
        .look
        .table(&["STEP", "IT", "WAITS FOR", "SINCE", "UNTIL", "FAILURE"]);
    for obstacle in &obstacles {
        table.row([
            maybe(obstacle.step.as_ref()),
            Shown::from(obstacle.kind.as_str()),
            Shown::from(obstacle.on.as_str()),
            maybe(obstacle.since.map(shown)),
            maybe(obstacle.until.map(shown)),
            maybe(obstacle.failure.as_ref().map(Failure::code)),
        ]);
    }
    let text = match obstacles.as_slice() {
        [] => format!("{key} is {stage}: nothing stands in its way"),
        [first, ..] => format!("{key} is {stage}: {first}\n{}", table.into_text()),
    };
    let explained = Explained {
        id,
        tenant: key.tenant,
        flow: key.flow,
        subject: key.subject,
        stage,
        obstacles,
    };
    Answer::new(explained, text)
}
