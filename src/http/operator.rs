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
use crate::id::{OnboardingId, Reason, Revision, StepName, SubjectId};
use crate::lifecycle::State;
use crate::onramp::{Bulk, NotDone};
use crate::store::Listed;

/// Rows of all tenants that are read at once, and how often, for one page of one tenant.
const SCAN: (usize, usize) = (500, 20);

/// Onboardings of the tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page {
    /// In the order of their creation.
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
        None => scan(&call, limit).await?,
    };
    reply::json(StatusCode::OK, &page)
}

async fn of_subject<F: Flow>(call: &Call<F, Operator>, text: String) -> Result<Page, Problem> {
    let subject = SubjectId::new(text).map_err(|error| {
        let problem = Problem::new(Code::BadParameter).because(error);
        problem.with("parameter", "subject")
    })?;
    let store = call.api.onramp.store();
    let found = store.of_subject(&call.who.tenant, &subject).await?;
    let found = found.into_iter().filter(|found| found.key.flow == F::NAME);
    Ok(Page {
        onboardings: found.map(Entry::of).collect(),
        next: None,
    })
}

/// A page of the tenant's, out of everybody's: a store lists by identity alone.
async fn scan<F: Flow>(call: &Call<F, Operator>, limit: usize) -> Result<Page, Problem> {
    let (rows, times) = SCAN;
    let mut after = call
        .parameter::<Uuid>("after")?
        .map(OnboardingId::from_uuid);
    let mut found: Vec<Listed> = Vec::new();
    for _ in 0..times {
        let listed = call.api.onramp.store().list(after, rows).await?;
        let all = listed.len() < rows;
        after = listed.last().map(|last| last.id).or(after);
        let mine = |one: &Listed| one.key.tenant == call.who.tenant && one.key.flow == F::NAME;
        found.extend(listed.into_iter().filter(mine));
        if found.len() > limit || (all && found.len() == limit) {
            let next = (found.len() > limit)
                .then(|| found.get(limit - 1))
                .flatten();
            let next = next.map(|last| last.id.to_string());
            found.truncate(limit);
            return Ok(page(found, next));
        }
        if all {
            return Ok(page(found, None));
        }
    }
    // It goes on later at a time, and not at somebody else's onboarding.
    let next = after.map(moment);
    found.retain(|one| next.is_none_or(|next| one.id < next));
    Ok(page(found, next.map(|next| next.to_string())))
}

fn page(found: Vec<Listed>, next: Option<String>) -> Page {
    Page {
        onboardings: found.into_iter().map(Entry::of).collect(),
        next,
    }
}

/// The least identity of the same moment (UUID version 7: 48 bits of time).
fn moment(id: OnboardingId) -> OnboardingId {
    let time = id.as_uuid().as_u128() >> 80 << 80;
    OnboardingId::from_uuid(Uuid::from_u128(time))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_names_nobody() {
        let id = OnboardingId::fresh();
        let time = moment(id);
        assert!(time <= id);
        assert_eq!(moment(OnboardingId::fresh()).as_uuid().as_u128() << 48, 0);
    }
}
