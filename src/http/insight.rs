//! What the onboardings of an operator's tenant say together.

use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

use crate::flow::Flow;
use crate::http::accept::wants_csv;
use crate::http::authorize::Operator;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::dto::{Funnel, StuckList};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::insight::{self, Cohort};

/// From when on one counts as stuck, in hours, unless told.
const WEEK: u32 = 7 * 24;

pub(super) async fn funnel<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    let funnel = call.api.onramp.funnel(&cohort(&call)?).await?;
    either(&call, funnel.to_csv(), Funnel::from(funnel))
}

pub(super) async fn stuck<F: Flow>(call: Call<F, Operator>) -> Result<Response, Problem> {
    let limit = call.limit()?;
    let hours: u32 = call.parameter("older_than_hours")?.unwrap_or(WEEK);
    let older_than = Duration::from_secs(u64::from(hours) * 60 * 60);
    let onramp = &call.api.onramp;
    let stuck = onramp.stuck_of(&call.who.tenant, older_than, limit).await?;
    let table = insight::Stuck::to_csv(&stuck);
    either(&call, table, StuckList::from(stuck))
}

/// Those of the tenant. Whoever else there is, is in no count.
fn cohort<F: Flow>(call: &Call<F, Operator>) -> Result<Cohort, Problem> {
    let from = call.parameter::<Moment>("from")?;
    let to = call.parameter::<Moment>("to")?;
    let cohort = match (from, to) {
        (None, None) => Cohort::everyone(),
        (Some(from), Some(to)) if to.0 < from.0 => {
            return Err(Problem::new(Code::BadParameter).with("parameter", "to"));
        }
        (from, to) => {
            let from = from.map_or(DateTime::UNIX_EPOCH, |from| from.0);
            let to = to.map_or(DateTime::<Utc>::MAX_UTC, |to| to.0);
            Cohort::created_between(from, to)
        }
    };
    let cohort = match call.parameter("version")? {
        Some(version) => cohort.version(version),
        None => cohort,
    };
    Ok(cohort.tenant(&call.who.tenant))
}

/// In whichever form is wanted.
fn either<F>(
    call: &Call<F, Operator>,
    table: String,
    body: impl Serialize,
) -> Result<Response, Problem> {
    let mut response = if wants_csv(&call.parts.headers) {
        reply::typed(StatusCode::OK, "text/csv; charset=utf-8", table)
    } else {
        reply::json(StatusCode::OK, &body)?
    };
    let vary = HeaderValue::from_static("Accept");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

/// A time (RFC 3339), or a date: its beginning, in UTC.
struct Moment(DateTime<Utc>);

impl FromStr for Moment {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Self(date.and_time(NaiveTime::MIN).and_utc()));
        }
        DateTime::parse_from_rfc3339(text).map(|time| Self(time.to_utc()))
    }
}
