//! What every response has, whatever it answers: a correlation id, no copies kept, problems in words.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::http::catalogue::{Code, Messages};
use crate::http::problem::{Problem, Raised, render};

const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// The longest cause that goes into a log.
const LONGEST_CAUSE: usize = 2_000;

/// What is needed to put problems into words.
#[derive(Clone)]
pub(super) struct Envelope {
    pub(super) messages: Arc<dyn Messages>,
}

pub(super) async fn envelope(
    State(envelope): State<Envelope>,
    request: Request,
    next: Next,
) -> Response {
    let correlation = correlation(&request);
    let accepted = text(&request, &header::ACCEPT_LANGUAGE).unwrap_or_default();
    let mut response = next.run(request).await;
    let raised = response.extensions_mut().remove::<Arc<Raised>>();
    let raised = raised.or_else(|| unrouted(response.status()));
    if let Some(raised) = raised {
        log(&raised, &correlation);
        let allow = response.headers_mut().remove(header::ALLOW);
        response = render(&raised, &*envelope.messages, &accepted, &correlation);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    let headers = response.headers_mut();
    let no_store = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    if let Ok(correlation) = HeaderValue::from_str(&correlation) {
        headers.insert(CORRELATION, correlation);
    }
    response
}

/// What the router itself refuses.
fn unrouted(status: StatusCode) -> Option<Arc<Raised>> {
    let code = match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        _ => return None,
    };
    let Problem(raised) = Problem::new(code);
    Some(raised.into())
}

/// The one that came with the request, if it cannot break a line of a log; else a new one.
fn correlation(request: &Request) -> String {
    let harmless = |id: &String| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        (1..=64).contains(&id.len()) && id.bytes().all(plain)
    };
    let given = text(request, &CORRELATION).filter(harmless);
    given.unwrap_or_else(|| Uuid::now_v7().to_string())
}

fn text(request: &Request, name: &HeaderName) -> Option<String> {
    let value = request.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn log(raised: &Raised, correlation: &str) {
    let code = raised.code.as_str();
    let Some(cause) = &raised.cause else {
        tracing::debug!(correlation, code, "a request was refused");
        return;
    };
    let mut text = cause.to_string();
    let mut source = cause.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    // A cause may quote what it was sent: one line, and not the whole of it.
    let text: String = text.escape_debug().take(LONGEST_CAUSE).collect();
    match raised.code.status() {
        500.. => tracing::error!(correlation, code, cause = text, "a request failed"),
        _ => tracing::info!(correlation, code, cause = text, "a request was refused"),
    }
}
