//! What went wrong, as `application/problem+json` (RFC 9457).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::Invalid;
use crate::http::catalogue::{Code, Messages, words};
use crate::http::dto::{ClosedGate, Outstanding, Status};
use crate::http::etag;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, before it is put into words. Boxed: it is rare, and large.
#[derive(Debug)]
pub(super) struct Problem(pub(super) Box<Raised>);

#[derive(Debug)]
pub(super) struct Raised {
    pub(super) code: Code,
    pub(super) arguments: Vec<(&'static str, String)>,
    pub(super) errors: Vec<FieldError>,
    pub(super) outstanding: Vec<Outstanding>,
    pub(super) gates: Vec<ClosedGate>,
    pub(super) current: Option<Status>,
    pub(super) replacement: Option<String>,
    pub(super) retry_after: Option<u32>,
    /// For logs alone.
    pub(super) cause: Option<Cause>,
}

impl Problem {
    pub(super) fn new(code: Code) -> Self {
        let retry_after = match code {
            Code::Unavailable | Code::InDoubt => Some(2),
            Code::GatesClosed | Code::Undoing => Some(10),
            _ => None,
        };
        Self(Box::new(Raised {
            code,
            arguments: Vec::new(),
            errors: Vec::new(),
            outstanding: Vec::new(),
            gates: Vec::new(),
            current: None,
            replacement: None,
            retry_after,
            cause: None,
        }))
    }

    pub(super) fn code(&self) -> Code {
        self.0.code
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.arguments.push((name, value.to_string()));
        self
    }

    pub(super) fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    pub(super) fn current(mut self, status: Status) -> Self {
        self.0.current = Some(status);
        self
    }

    pub(super) fn outstanding(mut self, list: Vec<Outstanding>) -> Self {
        self.0.outstanding = list;
        self
    }

    pub(super) fn gates(mut self, list: Vec<ClosedGate>) -> Self {
        self.0.gates = list;
        self
    }

    pub(super) fn replaced_by(mut self, step: Option<String>) -> Self {
        self.0.replacement = step;
        self
    }

    pub(super) fn invalid(invalid: &Invalid) -> Self {
        let mut problem = Self::new(Code::InvalidAnswer);
        let fields = invalid.fields().map(|(pointer, detail)| FieldError {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        });
        problem.0.errors.extend(fields);
        problem
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// In words only once it is known in which language: [`envelope`](super::envelope) does that.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        let raised: std::sync::Arc<Raised> = self.0.into();
        response.extensions_mut().insert(raised);
        response
    }
}

/// A problem. What does not belong to it is left out.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Body9457 {
    /// Where this kind of problem is described.
    r#type: String,
    /// What is wrong, in words for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What to do about it, in words for people.
    detail: String,
    /// The permanent code, for programs.
    code: &'static str,
    /// What the words were filled in with, to translate them.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    arguments: serde_json::Map<String, serde_json::Value>,
    /// The fields that have to change.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: Vec<FieldError>,
    /// What stands between the onboarding and its completion.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    outstanding: Vec<Outstanding>,
    /// The prerequisites that do not hold.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gates: Vec<ClosedGate>,
    /// How it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Status>,
    /// The step that replaces the one that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    /// The correlation id, for whoever helps: only of what is our fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

/// A field that has to change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct FieldError {
    /// A JSON pointer (RFC 6901) into what was sent.
    pub(super) pointer: String,
    /// What is wrong with it and what to do, in words for people.
    pub(super) detail: String,
}

/// The response to a problem. The same problem gives the same bytes, whoever asks.
pub(super) fn render(
    raised: &Raised,
    messages: &dyn Messages,
    accepted: &str,
    correlation: &str,
) -> Response {
    let code = raised.code;
    let text = words(messages, code, accepted, &raised.arguments);
    let arguments = raised.arguments.iter();
    let body = Body9457 {
        r#type: code.address(),
        title: text.title.into_owned(),
        status: code.status(),
        detail: text.detail.into_owned(),
        code: code.as_str(),
        arguments: arguments
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect(),
        errors: raised.errors.clone(),
        outstanding: raised.outstanding.clone(),
        gates: raised.gates.clone(),
        current: raised.current.clone(),
        replacement: raised.replacement.clone(),
        instance: (code.status() >= 500).then(|| correlation.to_owned()),
    };
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() =
        StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Some(seconds) = raised.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if code == Code::Unauthenticated {
        let challenge = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(status) = &raised.current {
        headers.insert(header::ETAG, etag::of(status.revision));
    }
    response
}
