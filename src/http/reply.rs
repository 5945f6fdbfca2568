//! The ways in which a request is answered well.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::flow::Flow;
use crate::http::api::Shared;
use crate::http::catalogue::Code;
use crate::http::dto::{NextAction, Status, Whom};
use crate::http::etag;
use crate::http::problem::Problem;
use crate::lifecycle::State;
use crate::status;

/// How soon to look again at what workers do, in seconds.
const SOON: u32 = 2;

/// Where the status is, as seen from an operation on it (RFC 9110, 10.2.2: it may be relative), so that
/// it is right wherever the host has nested the router.
const STATUS: HeaderValue = HeaderValue::from_static("../onboarding");

impl<F: Flow> Shared<F> {
    /// Where an onboarding is, now.
    pub(super) fn status(&self, state: &State) -> Status {
        let plan = self.onramp.flow().plan();
        let now = self.onramp.now();
        let mut status = Status::from(status::Status::of(state, plan, now));
        status.secrets = self.secrets.told(state, now);
        status
    }
}

/// Done: where it is now.
pub(super) fn done(status: &Status) -> Result<Response, Problem> {
    let mut response = json(StatusCode::OK, status)?;
    tagged(&mut response, status.revision);
    Ok(response)
}

/// Taken on: where to look for what becomes of it.
pub(super) fn accepted(status: &Status) -> Result<Response, Problem> {
    let mut response = json(StatusCode::ACCEPTED, status)?;
    tagged(&mut response, status.revision);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, STATUS);
    headers.insert(header::RETRY_AFTER, SOON.into());
    Ok(response)
}

/// Where it is; and when to look again, while workers are at it.
pub(super) fn looked(status: &Status) -> Result<Response, Problem> {
    let mut response = done(status)?;
    let on_worker = matches!(
        status.next_action,
        NextAction::Wait {
            on: Whom::Worker,
            ..
        }
    );
    if on_worker {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, SOON.into());
    }
    Ok(response)
}

/// What is known already.
pub(super) fn not_modified(revision: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    tagged(&mut response, revision);
    response
}

pub(super) fn tagged(response: &mut Response, revision: u64) {
    let tag = etag::of(revision);
    response.headers_mut().insert(header::ETAG, tag);
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(body);
    let bytes = bytes.map_err(|error| Problem::new(Code::Internal).because(error))?;
    Ok(typed(status, "application/json", bytes))
}

pub(super) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    let name: HeaderName = header::CONTENT_TYPE;
    response.headers_mut().insert(name, kind);
    response
}
