//! What the subject gives: answers by the names of their steps, and forms that are not finished.

use axum::http::StatusCode;
use axum::response::Response;

use crate::flow::{Fields, Filled, Flow, Form, slot};
use crate::http::api::Shared;
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::problem::Problem;
use crate::http::wish::{TRIES, Tried, Wished, carry_out};
use crate::http::{dto, etag, reply};
use crate::id::{Actor, CommandId, Key, StepName};
use crate::lifecycle::{Loaded, StageKind, State};
use crate::store::{FactRecord, Row, loaded};

pub(super) async fn submit<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let step = call.place().await?;
    call.api.form(&step)?;
    let text = call.json().await?;
    let fact = call.api.form(&step)?.read(&text)?;
    given(&call, &Wished::Submit(fact)).await
}

pub(super) async fn revise<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let step = call.place().await?;
    call.api.form(&step)?;
    let text = call.json().await?;
    let fact = call.api.form(&step)?.read(&text)?;
    given(&call, &Wished::Revise(fact)).await
}

pub(super) async fn skip<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let step = call.place().await?;
    let step = StepName::from_static(call.api.form(&step)?.step());
    given(&call, &Wished::Skip(step)).await
}

async fn given<F: Flow>(call: &Call<F, Access>, wished: &Wished) -> Result<Response, Problem> {
    let state = carry_out(call, wished).await?;
    reply::looked(&call.api.status(&state))
}

/// Saves what is filled in, on top of the version that the subject has seen and of no other.
pub(super) async fn draft<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let step = call.place().await?;
    let name = StepName::from_static(call.api.form(&step)?.step());
    let text = call.json().await?;
    let key = call.key();
    let row = call.api.find(&key).await?;
    let facts = call.api.facts(&row.state).await?;
    let filled = call.api.form(&step)?.edit(saved(&facts, &name), &text)?;
    let state = carry_out(&call, &Wished::Draft(name, filled)).await?;
    reply::looked(&call.api.status(&state))
}

/// The form of a step, filled in with what was saved and what is known elsewhere.
pub(super) async fn form<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let step = call.place().await?;
    let name = StepName::from_static(call.api.form(&step)?.step());
    let known = etag::if_none_match(&call.parts.headers)?;
    let (api, key) = (&*call.api, call.key());
    for _ in 0..TRIES {
        let row = api.find(&key).await?;
        let opened = match api.open(&key, row, &name).await {
            Ok(opened) => opened,
            Err(Tried::Again) => continue,
            Err(Tried::Refused(problem)) => return Err(problem),
        };
        let revision = opened.revision;
        if known
            .as_ref()
            .is_some_and(|known| known.has(crate::id::Revision::new(revision)))
        {
            return Ok(reply::not_modified(revision));
        }
        let mut response = reply::json(StatusCode::OK, &opened)?;
        reply::tagged(&mut response, revision);
        return Ok(response);
    }
    Err(Code::MovedOn.into())
}

impl<F: Flow> Shared<F> {
    /// How the answer of a step is read.
    pub(super) fn form(&self, step: &str) -> Result<&dyn Form, Problem> {
        let flow = self.onramp.flow();
        let mut steps = flow.plan().steps().iter();
        let Some(place) = steps.position(|planned| *planned.name() == step) else {
            let retired = flow.plan().retired().iter().any(|retired| *retired == step);
            let replacement = self.replaced.get(step).cloned();
            return Err(match retired || replacement.is_some() {
                true => Problem::new(Code::StepGone).replaced_by(replacement),
                false => Code::StepNotFound.into(),
            });
        };
        let code = flow.parts().code.get(place);
        let form = code.and_then(|code| code.form.as_deref());
        form.ok_or_else(|| Code::NotYours.into())
    }

    async fn facts(&self, state: &State) -> Result<Vec<FactRecord>, Problem> {
        let store = self.onramp.store();
        Ok(store.facts(&state.key().tenant, state.id()).await?)
    }

    async fn open(&self, key: &Key, row: Row, step: &StepName) -> Result<dto::Form, Tried> {
        let form = self.form(step.as_str()).map_err(Tried::Refused)?;
        let facts = self.facts(&row.state).await.map_err(Tried::Refused)?;
        let draft = saved(&facts, step);
        let answer = facts.iter().find(|record| record.fact.step() == step);
        let corrupt = |error| {
            let problem = Problem::new(Code::Internal);
            Tried::Refused(problem.because(error))
        };
        let mut opened = dto::Form {
            step: step.to_string(),
            revision: row.state.revision().get(),
            answered: answer.is_some(),
            fields: std::collections::BTreeMap::new(),
            unavailable: Vec::new(),
        };
        if let (Some(answer), None) = (answer, draft) {
            opened.fields = listed(&form.given(&answer.fact).map_err(corrupt)?);
            return Ok(opened);
        }
        if let Some(draft) = draft {
            opened.fields = listed(&form.fields(draft).map_err(corrupt)?);
        }
        let asks = matches!(
            row.state.stage(),
            StageKind::Pending | StageKind::InProgress
        );
        if answer.is_some() || !asks {
            return Ok(opened);
        }
        let mut known = Vec::new();
        for (source, said) in self.onramp.asked(key, step.as_str()).await {
            match said {
                Ok(said) => known.push((source, said)),
                Err(why) => {
                    tracing::warn!(%source, cause = %why, "a source cannot be asked");
                    opened.unavailable.push(source.to_string());
                }
            }
        }
        if let Some(filled) = form.fill(draft, &known).map_err(corrupt)? {
            opened.fields = listed(&form.fields(&filled.draft).map_err(corrupt)?);
            let after = self.fill_in(row, step, filled).await?;
            opened.revision = after.revision().get();
        }
        Ok(opened)
    }

    /// Keeps what sources know with where it came from, so that it is told from what the subject says.
    async fn fill_in(&self, row: Row, step: &StepName, filled: Filled) -> Result<State, Tried> {
        let Filled { draft, sources } = filled;
        let by = (Actor::Host, CommandId::fresh());
        match loaded(row) {
            Loaded::Pending(pending) => {
                let change = pending.draft_named(step.clone(), draft, sources);
                self.commit(change, by).await
            }
            Loaded::InProgress(running) => {
                let change = running.draft_named(step.clone(), draft, sources);
                self.commit(change, by).await
            }
            Loaded::Completed(_) | Loaded::Failed(_) => Err(Tried::Again),
        }
    }
}

/// The draft that is kept for a step.
fn saved<'f>(facts: &'f [FactRecord], step: &StepName) -> Option<&'f crate::flow::EncodedFact> {
    let slot = slot::draft(step);
    let found = facts.iter().find(|record| *record.fact.step() == slot);
    found.map(|record| &record.fact)
}

fn listed(fields: &Fields) -> std::collections::BTreeMap<String, dto::Field> {
    let fields = fields.iter();
    fields
        .map(|(name, field)| (name.clone(), field.into()))
        .collect()
}
