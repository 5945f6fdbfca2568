//! The subject's way: where it is, to begin, to complete, to try again.

use axum::response::Response;

use crate::flow::Flow;
use crate::http::api::Shared;
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::dto::Outstanding;
use crate::http::problem::Problem;
use crate::http::refuse::too_many_starts;
use crate::http::wish::{TRIES, Tried, Wished, carry_out, wrong_stage};
use crate::http::{etag, idempotency, reply};
use crate::id::{CommandId, Key};
use crate::lifecycle::{Loaded, Operation, StageKind, State};

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
    let command = given.unwrap_or_else(CommandId::fresh);
    // Before anything is made and anybody is asked: refusing costs next to nothing.
    if let Some(wait) = api.onramp.until_start(&key.tenant)
        && !api.has_begun(&key).await?
    {
        return Err(too_many_starts(wait));
    }
    for _ in 0..TRIES {
        let found = api.onramp.enroll(&key.tenant, &key.subject).await?;
        let tried = match found {
            Loaded::Pending(pending) => {
                let clearance = api.onramp.clear(&pending).await?;
                let by = (call.who.actor.clone(), command);
                api.commit(pending.start(clearance), by).await
            }
            Loaded::InProgress(_) => {
                let state = found.into_state();
                return reply::accepted(&api.status(&state));
            }
            Loaded::Completed(_) => return reply::done(&api.status(&found.into_state())),
            Loaded::Failed(_) => Err(wrong_stage(Operation::Start, StageKind::Failed)),
        };
        match tried {
            Ok(state) => return reply::accepted(&api.status(&state)),
            Err(Tried::Again) => {}
            Err(Tried::Refused(problem)) => return Err(problem),
        }
    }
    Err(Code::MovedOn.into())
}

impl<F: Flow> Shared<F> {
    async fn has_begun(&self, key: &Key) -> Result<bool, Problem> {
        let row = self.onramp.store().find(key).await?;
        Ok(row.is_some_and(|row| row.state.stage() != StageKind::Pending))
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
