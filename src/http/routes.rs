//! The table of routes: what the router serves, and what the OpenAPI document describes.
//!
//! `reveal` gets its row here together with the vault.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post, put};

use crate::flow::Flow;
use crate::http::api::Shared;
use crate::http::catalogue::Code;
use crate::http::envelope::{Envelope, envelope};
use crate::http::{answers, journey, live, operator, progress, reply};

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
    List,
    Explain,
    OperatorRetry,
    RetryUndo,
    Cancel,
    Waive,
    Park,
    Unpark,
}

/// What a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Answer,
    Draft,
    Waiver,
    Why,
}

/// What a response's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Nothing,
    Status,
    Form,
    Progress,
    Events,
    Page,
    Explained,
}

/// What is to be known of a route.
pub(super) struct Facts {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) takes: Takes,
    pub(super) gives: &'static [(u16, Gives)],
    /// What it refuses besides what every route may refuse.
    pub(super) refuses: &'static [Code],
}

/// What every route may refuse.
pub(super) const ALWAYS: [Code; 5] = [
    Code::Unauthenticated,
    Code::Forbidden,
    Code::NotFound,
    Code::Unavailable,
    Code::Internal,
];

const LOOK: &[(u16, Gives)] = &[(200, Gives::Status), (304, Gives::Nothing)];
const DONE: &[(u16, Gives)] = &[(200, Gives::Status)];
const BEGUN: &[(u16, Gives)] = &[(200, Gives::Status), (202, Gives::Status)];

const GIVEN: &[Code] = &[
    Code::StepNotFound,
    Code::StepGone,
    Code::NotYours,
    Code::BadHeader,
    Code::BodyUnreadable,
    Code::MalformedJson,
    Code::TooLarge,
    Code::NotJson,
    Code::TooDeep,
    Code::Unstorable,
    Code::InvalidAnswer,
    Code::Stale,
    Code::MovedOn,
    Code::IdempotencyKeyReused,
    Code::WrongStage,
    Code::AlreadySettled,
    Code::NothingToRevise,
    Code::NotReached,
    Code::NotApplicable,
    Code::Immutable,
    Code::Undoing,
    Code::Erased,
    Code::InDoubt,
];
const DRAFTED: &[Code] = &[
    Code::PreconditionRequired,
    Code::StepNotFound,
    Code::StepGone,
    Code::NotYours,
    Code::BadHeader,
    Code::BodyUnreadable,
    Code::MalformedJson,
    Code::TooLarge,
    Code::NotJson,
    Code::TooDeep,
    Code::Unstorable,
    Code::InvalidAnswer,
    Code::Stale,
    Code::MovedOn,
    Code::IdempotencyKeyReused,
    Code::WrongStage,
    Code::NotApplicable,
    Code::Erased,
    Code::InDoubt,
];
const SKIPPED: &[Code] = &[
    Code::StepNotFound,
    Code::StepGone,
    Code::NotYours,
    Code::BadHeader,
    Code::Stale,
    Code::MovedOn,
    Code::IdempotencyKeyReused,
    Code::WrongStage,
    Code::AlreadySettled,
    Code::NotReached,
    Code::NotApplicable,
    Code::StepRequired,
    Code::Undoing,
    Code::InDoubt,
];
const ASKED: &[Code] = &[
    Code::BadHeader,
    Code::Stale,
    Code::MovedOn,
    Code::IdempotencyKeyReused,
    Code::WrongStage,
    Code::NotYours,
    Code::Outstanding,
    Code::Undoing,
    Code::Parked,
    Code::InDoubt,
];
const RETRIED: &[Code] = &[
    Code::BadHeader,
    Code::Stale,
    Code::MovedOn,
    Code::IdempotencyKeyReused,
    Code::WrongStage,
    Code::NotYours,
    Code::UndoRemains,
    Code::NeverStarted,
    Code::Erased,
    Code::InDoubt,
];
const OPERATED: &[Code] = &[
    Code::WrongStage,
    Code::NotYours,
    Code::StepNotFound,
    Code::NotReached,
    Code::NotApplicable,
    Code::AlreadySettled,
    Code::StepNeeded,
    Code::BodyUnreadable,
    Code::MalformedJson,
    Code::TooLarge,
    Code::NotJson,
    Code::TooDeep,
    Code::Unstorable,
    Code::InvalidAnswer,
    Code::Undoing,
    Code::UndoRemains,
    Code::NeverStarted,
    Code::NothingRemains,
    Code::Erased,
    Code::InDoubt,
];

impl Route {
    pub(super) const ALL: [Self; 19] = [
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
        Self::List,
        Self::Explain,
        Self::OperatorRetry,
        Self::RetryUndo,
        Self::Cancel,
        Self::Waive,
        Self::Park,
        Self::Unpark,
    ];

    /// Whether it is for operators alone.
    pub(super) fn is_operators(self) -> bool {
        self.facts().path.starts_with("/operator")
    }

    pub(super) fn facts(self) -> Facts {
        use Takes::Nothing;
        let row = |method, path, name, about, takes, gives, refuses| Facts {
            method,
            path,
            name,
            about,
            takes,
            gives,
            refuses,
        };
        match self {
            Self::Status => row(
                "get",
                "/onboarding",
                "getStatus",
                "Where the subject is.",
                Nothing,
                LOOK,
                &[Code::BadHeader],
            ),
            Self::Start => row(
                "post",
                "/onboarding/start",
                "start",
                "Enrols the subject, checks the prerequisites and begins; joins what has begun.",
                Nothing,
                BEGUN,
                &[
                    Code::BadHeader,
                    Code::GatesClosed,
                    Code::WrongStage,
                    Code::MovedOn,
                    Code::IdempotencyKeyReused,
                    Code::InDoubt,
                ],
            ),
            Self::Form => row(
                "get",
                "/onboarding/steps/{step}",
                "getForm",
                "The form of an answer: what was saved, and what is known elsewhere, with where it came from.",
                Nothing,
                &[(200, Gives::Form), (304, Gives::Nothing)],
                &[
                    Code::StepNotFound,
                    Code::StepGone,
                    Code::NotYours,
                    Code::BadHeader,
                    Code::NotApplicable,
                    Code::MovedOn,
                    Code::InDoubt,
                ],
            ),
            Self::Draft => row(
                "put",
                "/onboarding/steps/{step}/draft",
                "saveDraft",
                "Saves what is filled in so far, on top of the version named by If-Match.",
                Takes::Draft,
                DONE,
                DRAFTED,
            ),
            Self::Submit => row(
                "post",
                "/onboarding/steps/{step}/submit",
                "submit",
                "Gives the answer.",
                Takes::Answer,
                DONE,
                GIVEN,
            ),
            Self::Revise => row(
                "post",
                "/onboarding/steps/{step}/revise",
                "revise",
                "Changes the answer; what was built on it is built again.",
                Takes::Answer,
                DONE,
                GIVEN,
            ),
            Self::Skip => row(
                "post",
                "/onboarding/steps/{step}/skip",
                "skip",
                "Passes an optional step by.",
                Nothing,
                DONE,
                SKIPPED,
            ),
            Self::Complete => row(
                "post",
                "/onboarding/complete",
                "complete",
                "Asks for completion: the rules look again.",
                Nothing,
                BEGUN,
                ASKED,
            ),
            Self::Retry => row(
                "post",
                "/onboarding/retry",
                "retry",
                "Goes on after a failure.",
                Nothing,
                BEGUN,
                RETRIED,
            ),
            Self::Progress => row(
                "get",
                "/onboarding/progress",
                "getProgress",
                "What has happened since, for whoever asks again and again.",
                Nothing,
                &[(200, Gives::Progress)],
                &[Code::BadParameter],
            ),
            Self::Events => row(
                "get",
                "/onboarding/events",
                "watchProgress",
                "What happens, as it happens: server-sent events, to be gone on with by Last-Event-ID.",
                Nothing,
                &[(200, Gives::Events), (204, Gives::Nothing)],
                &[Code::BadHeader],
            ),
            Self::List => row(
                "get",
                "/operator/onboardings",
                "listOnboardings",
                "The onboardings of the tenant.",
                Nothing,
                &[(200, Gives::Page)],
                &[Code::BadParameter],
            ),
            Self::Explain => row(
                "get",
                "/operator/onboardings/{onboarding}",
                "explainOnboarding",
                "Where an onboarding is, and why it is not complete.",
                Nothing,
                &[(200, Gives::Explained)],
                &[],
            ),
            Self::OperatorRetry => row(
                "post",
                "/operator/onboardings/{onboarding}/retry",
                "retryOnboarding",
                "Goes on after a failure.",
                Nothing,
                DONE,
                OPERATED,
            ),
            Self::RetryUndo => row(
                "post",
                "/operator/onboardings/{onboarding}/retry-undo",
                "retryUndo",
                "Goes on taking back what could not be taken back.",
                Nothing,
                DONE,
                OPERATED,
            ),
            Self::Cancel => row(
                "post",
                "/operator/onboardings/{onboarding}/cancel",
                "cancelOnboarding",
                "Gives up, taking effects back.",
                Nothing,
                DONE,
                OPERATED,
            ),
            Self::Waive => row(
                "post",
                "/operator/onboardings/{onboarding}/waive",
                "waiveStep",
                "Exempts from a step.",
                Takes::Waiver,
                DONE,
                OPERATED,
            ),
            Self::Park => row(
                "post",
                "/operator/onboardings/{onboarding}/park",
                "parkOnboarding",
                "Stops it: workers do nothing until it is unparked.",
                Takes::Why,
                DONE,
                OPERATED,
            ),
            Self::Unpark => row(
                "post",
                "/operator/onboardings/{onboarding}/unpark",
                "unparkOnboarding",
                "Lets it go on.",
                Nothing,
                DONE,
                OPERATED,
            ),
        }
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
            Self::List => get(operator::list::<F>),
            Self::Explain => get(operator::explain::<F>),
            Self::OperatorRetry => post(operator::retry::<F>),
            Self::RetryUndo => post(operator::retry_undo::<F>),
            Self::Cancel => post(operator::cancel::<F>),
            Self::Waive => post(operator::waive::<F>),
            Self::Park => post(operator::park::<F>),
            Self::Unpark => post(operator::unpark::<F>),
        }
    }
}

/// Every route, and the document that describes them.
pub(super) fn router<F: Flow>(api: Arc<Shared<F>>, words: Envelope, document: String) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        if api.operators.is_some() || !route.is_operators() {
            router = router.route(route.facts().path, route.serve::<F>());
        }
    }
    let describe =
        move || async move { reply::typed(StatusCode::OK, "application/json", document.clone()) };
    let router = router.route("/openapi.json", get(describe));
    router
        .layer(from_fn_with_state(words, envelope))
        .with_state(api)
}
