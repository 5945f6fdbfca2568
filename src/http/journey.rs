//! The subject's way: where it is, to begin, to complete, to try again.

use axum::response::Response;

use crate::flow::Flow;
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::dto::Outstanding;
use crate::http::problem::Problem;
use crate::http::wish::{Wished, carry_out, wrong_stage};
use crate::http::{etag, idempotency, reply};
use crate::id::CommandId;
use crate::lifecycle::{Operation, StageKind, State};

pub(super) async fn status<F: Flow>(call: Call<F, Access>) -> Result<Response, Problem> {
    let known = etag::if_none_match(&call.parts.headers)?;
    let row = call.api.find(&call.key()).await?;
    let revision = row.state.revision();
    if known.is_some_and(|known| known.has(revision)) {
        return Ok(reply::not_modified(revision.get()));
    }
    reply::looked(&call.api.status(&row.state))
}

/// Enrols, checks the gates and begins. Whoever comes second joins the first.
pub(super) async fn start<F: Flow>(call: Call<F, Access>) -> Result<Response, Problem> {
    let (api, key) = (&*call.api, call.key());
    let given = idempotency::command(&call.parts.headers, &key, Operation::Start.as_str())?;
    let by = (
        call.who.actor.clone(),
        given.unwrap_or_else(CommandId::fresh),
    );
    let found = api
        .onramp
        .begin_as(&key.tenant, &key.subject, by)
        .await?
        .into_state();
    match found.stage() {
        StageKind::InProgress => reply::accepted(&api.status(&found)),
        StageKind::Completed => reply::done(&api.status(&found)),
        stage => Err(wrong_stage(Operation::Start, stage)),
    }
}

/// A client can only ask: the rules look again, and a worker at what was built.
pub(super) async fn complete<F: Flow>(call: Call<F, Access>) -> Result<Response, Problem> {
    let problem = match carry_out(&call, &Wished::Complete).await {
        Ok(state) => return reply::done(&call.api.status(&state)),
        Err(problem) => problem,
    };
    let state = match problem.code() {
        Code::WrongStage | Code::Outstanding | Code::Unverified => {
            call.api.find(&call.key()).await?.state
        }
        _ => return Err(problem),
    };
    match (problem.code(), state.stage()) {
        (_, StageKind::Completed) => reply::done(&call.api.status(&state)),
        (Code::Unverified, _) => reply::accepted(&call.api.status(&state)),
        (Code::Outstanding, _) => Err(problem.outstanding(outstanding(&call, &state))),
        _ => Err(problem),
    }
}

fn outstanding<F: Flow>(call: &Call<F, Access>, state: &State) -> Vec<Outstanding> {
    let onramp = &call.api.onramp;
    let obstacles = crate::lifecycle::explain(state, onramp.flow().plan(), onramp.now());
    obstacles.iter().map(Into::into).collect()
}

pub(super) async fn retry<F: Flow>(call: Call<F, Access>) -> Result<Response, Problem> {
    let problem = match carry_out(&call, &Wished::Retry).await {
        Ok(state) => return reply::accepted(&call.api.status(&state)),
        Err(problem) => problem,
    };
    if problem.code() != Code::WrongStage {
        return Err(problem);
    }
    // It goes on already, or is done: that was what was wished.
    let state = call.api.find(&call.key()).await?.state;
    match state.stage() {
        StageKind::InProgress => reply::accepted(&call.api.status(&state)),
        StageKind::Completed => reply::done(&call.api.status(&state)),
        StageKind::Pending | StageKind::Failed => Err(problem),
    }
}
