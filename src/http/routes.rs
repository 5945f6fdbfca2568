//! The table of routes: what the router serves, and what the OpenAPI document describes.

mod refusals;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post, put};

use crate::flow::Flow;
use crate::http::api::Shared;
use crate::http::catalogue::Code;
use crate::http::envelope::{Envelope, envelope};
use crate::http::problem::Problem;
#[cfg(feature = "vault")]
use crate::http::reveal;
use crate::http::{answers, insight, journey, live, operator, progress, reply};

pub(super) use refusals::ALWAYS;
pub(super) use table::{Facts, Gives, Takes};

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Status,
    Start,
    Form,
    Draft,
    Submit,
    Revise,
    Skip,
    Complete,
    Retry,
    Progress,
    Events,
    Offer,
    Reveal,
    List,
    Explain,
    OperatorRetry,
    RetryUndo,
    Cancel,
    Waive,
    Park,
    Unpark,
    Funnel,
    Stuck,
}

impl Route {
    pub(super) const ALL: [Self; 23] = [
        Self::Status,
        Self::Start,
        Self::Form,
        Self::Draft,
        Self::Submit,
        Self::Revise,
        Self::Skip,
        Self::Complete,
        Self::Retry,
        Self::Progress,
        Self::Events,
        Self::Offer,
        Self::Reveal,
        Self::List,
        Self::Explain,
        Self::OperatorRetry,
        Self::RetryUndo,
        Self::Cancel,
        Self::Waive,
        Self::Park,
        Self::Unpark,
        Self::Funnel,
        Self::Stuck,
    ];

    /// Whether it is for operators alone.
    pub(super) fn is_operators(self) -> bool {
        self.facts().path.starts_with("/operator")
    }

    /// Whether it is about one of the secrets that are shown.
    pub(super) fn is_secrets(self) -> bool {
        self.facts().path.contains("{secret}")
    }

    fn serve<F: Flow>(self) -> MethodRouter<Arc<Shared<F>>> {
        match self {
            Self::Status => get(journey::status::<F>),
            Self::Start => post(journey::start::<F>),
            Self::Form => get(answers::form::<F>),
            Self::Draft => put(answers::draft::<F>),
            Self::Submit => post(answers::submit::<F>),
            Self::Revise => post(answers::revise::<F>),
            Self::Skip => post(answers::skip::<F>),
            Self::Complete => post(journey::complete::<F>),
            Self::Retry => post(journey::retry::<F>),
            Self::Progress => get(progress::poll::<F>),
            Self::Events => get(live::events::<F>),
            #[cfg(feature = "vault")]
            Self::Offer => post(reveal::offer::<F>),
            #[cfg(feature = "vault")]
            Self::Reveal => post(reveal::reveal::<F>),
            // Never routed: nothing is shown then.
            #[cfg(not(feature = "vault"))]
            Self::Offer | Self::Reveal => MethodRouter::new(),
            Self::List => get(operator::list::<F>),
            Self::Explain => get(operator::explain::<F>),
            Self::OperatorRetry => post(operator::retry::<F>),
            Self::RetryUndo => post(operator::retry_undo::<F>),
            Self::Cancel => post(operator::cancel::<F>),
            Self::Waive => post(operator::waive::<F>),
            Self::Park => post(operator::park::<F>),
            Self::Unpark => post(operator::unpark::<F>),
            Self::Funnel => get(insight::funnel::<F>),
            Self::Stuck => get(insight::stuck::<F>),
        }
    }
}

/// Every route, and the document that describes them.
pub(super) fn router<F: Flow>(api: Arc<Shared<F>>, words: Envelope, document: String) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        let operators = api.operators.is_some() || !route.is_operators();
        let secrets = api.secrets.names().next().is_some() || !route.is_secrets();
        if operators && secrets {
            router = router.route(route.facts().path, route.serve::<F>());
        }
    }
    let describe =
        move || async move { reply::typed(StatusCode::OK, "application/json", document.clone()) };
    router
        .route("/openapi.json", get(describe))
        .fallback(|| async { Problem::from(Code::NotFound) })
        .layer(from_fn_with_state(words, envelope))
        .with_state(api)
}
