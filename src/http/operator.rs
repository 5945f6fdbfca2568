//! What operators see and do, in the tenant that they were let in for.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::{Flow, read_json};
use crate::http::authorize::Operator;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::dto::{Outstanding, Stage, Status};
use crate::http::etag::Named;
use crate::http::openapi::TEXT;
use crate::http::problem::Problem;
use crate::http::{etag, idempotency, reply};
use crate::id::{FlowName, OnboardingId, Reason, Revision, StepName, SubjectId};
use crate::lifecycle::State;
use crate::onramp::{Bulk, NotDone};
use crate::store::{Listed, TenantRequest, key};

/// Onboardings of the tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page {
    /// In the order of their subjects.
    pub(super) onboardings: Vec<Entry>,
    /// Where the next page begins: send it as `after`. None at the end.
    pub(super) next: Option<String>,
}

/// An onboarding in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Entry {
    /// Its identity.
    pub(super) onboarding: String,
    /// Who is being onboarded.
    pub(super) subject: String,
    /// How many changes it has seen.
    pub(super) revision: u64,
    /// The stage.
    pub(super) stage: Stage,
    /// When it was changed last.
    pub(super) changed_at: DateTime<Utc>,
}

/// An onboarding, and why it is not complete.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Explained {
    /// Where it is.
    pub(super) status: Status,
    /// What stands between it and its completion.
    pub(super) outstanding: Vec<Outstanding>,
    /// Why an operator has stopped it, if one has.
    pub(super) parked: Option<String>,
}

/// An exemption from a step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiver {
    /// The step.
    pub(super) step: String,
    /// Why the exception is made: a ticket, a contract. It stays in the journal.
    #[schemars(with = "String", length(min = 1, max = 128), regex(pattern = TEXT))]
    pub(super) reason: Reason,
}

/// Why it is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// A ticket, a contract. It stays in the journal.
    #[schemars(with = "String", length(min = 1, max = 128), regex(pattern = TEXT))]
    pub(super) reason: Reason,
}

pub(super) async fn list<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    let limit = call.limit()?;
    let page = match call.parameter::<String>("subject")? {
        Some(subject) => of_subject(&call, subject).await?,
        None => of_tenant(&call, limit).await?,
    };
    reply::json(StatusCode::OK, &page)
}

async fn of_subject<F: Flow>(call: &Call<F, Operator>, text: String) -> Result<Page, Problem> {
    let subject = named(text, "subject")?;
    let store = call.api.onramp.store();
    let found = store.of_subject(&call.who.tenant, &subject).await?;
    let found = found.into_iter().filter(|found| found.key.flow == F::NAME);
    Ok(Page {
        onboardings: found.map(Entry::of).collect(),
        next: None,
    })
}

/// A page of the tenant's, and whether there are more: one more than fits is asked for.
async fn of_tenant<F: Flow>(call: &Call<F, Operator>, limit: usize) -> Result<Page, Problem> {
    let tenant = &call.who.tenant;
    let flow = FlowName::from_static(F::NAME);
    let mut request = TenantRequest::new(tenant).flow(&flow).limit(limit + 1);
    if let Some(after) = call.parameter::<String>("after")? {
        request = request.after(&key::<F>(tenant, &named(after, "after")?));
    }
    let mut found = call.api.onramp.store().of_tenant(&request).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    Ok(Page {
        next: last.map(|last| last.key.subject.clone().into()),
        onboardings: found.into_iter().map(Entry::of).collect(),
    })
}

fn named(text: String, parameter: &'static str) -> Result<SubjectId, Problem> {
    SubjectId::new(text).map_err(|error| {
        let problem = Problem::new(Code::BadParameter).because(error);
        problem.with("parameter", parameter)
    })
}

impl Entry {
    fn of(listed: Listed) -> Self {
        Self {
            onboarding: listed.id.to_string(),
            subject: listed.key.subject.into(),
            revision: listed.revision.get(),
            stage: listed.stage.into(),
            changed_at: listed.changed_at,
        }
    }
}

pub(super) async fn explain<F: Flow>(mut call: Call<F, Operator>) -> Result<Response, Problem> {
    let id = call.onboarding().await?;
    let state = call.load(id).await?;
    let obstacles = call.api.onramp.explain(&call.who.tenant, id).await?;
    let explained = Explained {
        status: call.api.status(&state),
        outstanding: obstacles.iter().flatten().map(Into::into).collect(),
        parked: state.parked().map(|parked| parked.reason.to_string()),
    };
    let mut response = reply::json(StatusCode::OK, &explained)?;
    reply::tagged(&mut response, explained.status.revision);
    Ok(response)
}

pub(super) async fn retry<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    act(call, Bulk::Retry).await
}

pub(super) async fn retry_undo<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    act(call, Bulk::RetryUndo).await
}

pub(super) async fn cancel<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    act(call, Bulk::Cancel).await
}

pub(super) async fn waive<F: Flow>(mut call: Call<F, Operator>) -> Result<Response, Problem> {
    let Waiver { step, reason } = read_json(&call.json().await?)?;
    let step = StepName::from_text(step);
    act(call, Bulk::Waive { step, reason }).await
}

pub(super) async fn park<F: Flow>(mut call: Call<F, Operator>) -> Result<Response, Problem> {
    let Why { reason } = read_json(&call.json().await?)?;
    act(call, Bulk::Park(reason)).await
}

pub(super) async fn unpark<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    act(call, Bulk::Unpark).await
}

/// Done once, by the request's own key and condition; a repetition is answered as the first time.
async fn act<F: Flow>(mut call: Call<F, Operator>, action: Bulk) -> Result<Response, Problem> {
    let id = call.onboarding().await?;
    let (who, headers) = (&call.who, &call.parts.headers);
    let given = idempotency::order(headers, who, id, action.as_str())?;
    let condition = etag::if_match(headers)?;
    let mut order = action.by(who.actor());
    if let Some(command) = given {
        order = order.identified(command);
    }
    if let Some(Named::These(these)) = condition {
        order = order.only_at(these.into_iter().map(Revision::new));
    }
    match call.api.onramp.led_to(&who.tenant, id, &order).await {
        Ok(state) => reply::looked(&call.api.status(&state)),
        Err(NotDone::Stale { .. }) => {
            let now = call.api.status(&call.load(id).await?);
            Err(Problem::new(Code::Stale).current(now))
        }
        Err(not) => Err(not.into()),
    }
}

impl<F: Flow> Call<F, Operator> {
    async fn onboarding(&mut self) -> Result<OnboardingId, Problem> {
        let id = Uuid::try_parse(&self.place().await?);
        let id = id.map_err(|_| Problem::new(Code::NotFound))?;
        Ok(OnboardingId::from_uuid(id))
    }

    async fn load(&self, id: OnboardingId) -> Result<State, Problem> {
        let row = self.api.onramp.store().load(&self.who.tenant, id).await?;
        let row = row.filter(|row| row.state.key().flow == F::NAME);
        row.map(|row| row.state)
            .ok_or_else(|| Code::NotFound.into())
    }
}
