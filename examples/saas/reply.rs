//! What is answered: a page, another page's address, or why not.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use onramp::admission::RetryAfter;
use onramp::store::{Error as StoreError, ErrorKind};

use crate::app::App;
use crate::door::Page;
use crate::session::Visitor;

pub(crate) type Reply = Result<Response, Refusal>;

/// What is around every page.
pub(crate) struct Frame {
    pub(crate) title: &'static str,
    pub(crate) form_token: String,
    pub(crate) is_signed_in: bool,
    /// Where on the way it is, if it is on it.
    pub(crate) page: Option<Page>,
    /// Whether it changes by itself.
    pub(crate) is_live: bool,
}

impl Frame {
    pub(crate) fn new(app: &App, visitor: &Visitor, title: &'static str) -> Self {
        Self {
            title,
            form_token: visitor.form_token(&app.keys),
            is_signed_in: visitor.account.is_some() || visitor.is_operator,
            page: None,
            is_live: false,
        }
    }

    pub(crate) fn at(mut self, page: Page) -> Self {
        self.page = Some(page);
        self
    }

    pub(crate) fn live(mut self) -> Self {
        self.is_live = true;
        self
    }

    /// The way as it is shown: name, whether it is here, whether it is behind.
    pub(crate) fn way(&self) -> Vec<(&'static str, bool, bool)> {
        let Some(here) = self.page else {
            return Vec::new();
        };
        let way = [
            (Page::Business, "Business"),
            (Page::Plan, "Plan"),
            (Page::Payment, "Payment"),
            (Page::Setup, "Set-up"),
        ];
        way.map(|(page, name)| (name, page == here, page < here))
            .to_vec()
    }
}

/// A page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Reply {
    let html = template.render()?;
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((status, kind, html).into_response())
}

/// After a form: look there.
pub(crate) fn go(path: &str) -> Reply {
    Ok(Redirect::to(path).into_response())
}

/// Why somebody is not shown what was asked for.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nobody is signed in.
    SignIn,
    OperatorSignIn,
    /// It is not their turn there, but here.
    Elsewhere(&'static str),
    /// The form is of another browser or another sign-in.
    Stale,
    /// The link was followed before, or is too old.
    LinkUsed,
    /// There is nothing of the sort.
    Absent,
    /// The store did not say. Nobody is sent anywhere for it, and nobody gets in.
    Unknown,
    /// Ours. The cause is for logs.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Refusal {
    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    pub(crate) fn unknown(retry: &RetryAfter) -> Self {
        eprintln!("saas: the store does not say: {}", retry.cause());
        Self::Unknown
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Internal(Box::new(error))
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    title: &'static str,
    text: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let away = |error: &StoreError| error.is_retryable() || error.kind() == ErrorKind::InDoubt;
        let mut wait = false;
        let (status, title, text) = match self {
            Self::SignIn => return Redirect::to("/sign-in").into_response(),
            Self::OperatorSignIn => return Redirect::to("/operator/sign-in").into_response(),
            Self::Elsewhere(path) => return Redirect::to(path).into_response(),
            Self::Stale => (
                StatusCode::FORBIDDEN,
                "This page is out of date",
                "You have signed in or out since it was opened. Nothing was changed.",
            ),
            Self::LinkUsed => (
                StatusCode::GONE,
                "This link does not work any more",
                "It was followed already, or is older than half an hour. Sign in to get another one.",
            ),
            Self::Absent => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The address is wrong, or what was there is gone.",
            ),
            Self::Internal(cause) if !cause.downcast_ref().is_some_and(away) => {
                eprintln!("saas: {cause}");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong on our side",
                    "What you have given so far is kept. Please try again in a minute.",
                )
            }
            Self::Unknown | Self::Internal(_) => {
                wait = true;
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "We cannot look that up right now",
                    "What you have given so far is kept. Please try again in a few seconds.",
                )
            }
        };
        let template = RefusalPage { title, text };
        match page(status, &template) {
            Ok(response) if wait => ([(header::RETRY_AFTER, "2")], response).into_response(),
            Ok(response) => response,
            Err(_) => status.into_response(),
        }
    }
}
