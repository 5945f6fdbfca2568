//! The table of routes, as data.

use super::Route;
use super::refusals::{
    ASKED, DRAFTED, GIVEN, OFFERED, OPERATED, OPERATED_WITH_A_REASON, RETRIED, REVEALED, SKIPPED,
};
use crate::http::catalogue::Code;

/// What a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Takes {
    Nothing,
    Answer,
    Draft,
    Waiver,
    Why,
    Token,
}

/// What a response's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Gives {
    Nothing,
    Status,
    Form,
    Progress,
    Events,
    Page,
    Explained,
    Offered,
    Revealed,
    Funnel,
    Stuck,
}

/// What is to be known of a route.
pub(in crate::http) struct Facts {
    pub(in crate::http) method: &'static str,
    pub(in crate::http) path: &'static str,
    pub(in crate::http) name: &'static str,
    pub(in crate::http) about: &'static str,
    pub(in crate::http) takes: Takes,
    pub(in crate::http) gives: &'static [(u16, Gives)],
    /// What it refuses besides what every route may refuse.
    pub(in crate::http) refuses: &'static [Code],
}

const LOOK: &[(u16, Gives)] = &[(200, Gives::Status), (304, Gives::Nothing)];
const DONE: &[(u16, Gives)] = &[(200, Gives::Status)];
const BEGUN: &[(u16, Gives)] = &[(200, Gives::Status), (202, Gives::Status)];

impl Route {
    pub(in crate::http) fn facts(self) -> Facts {
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
                    Code::TooManyStarts,
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
            Self::Offer => row(
                "post",
                "/onboarding/secrets/{secret}/offer",
                "offerSecret",
                "Gives a token that shows the secret once. Any but the first needs a proof of who asks.",
                Nothing,
                &[(200, Gives::Offered)],
                OFFERED,
            ),
            Self::Reveal => row(
                "post",
                "/onboarding/secrets/{secret}/reveal",
                "revealSecret",
                "Shows the secret, once.",
                Takes::Token,
                &[(200, Gives::Revealed)],
                REVEALED,
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
                OPERATED_WITH_A_REASON,
            ),
            Self::Park => row(
                "post",
                "/operator/onboardings/{onboarding}/park",
                "parkOnboarding",
                "Stops it: workers do nothing until it is unparked.",
                Takes::Why,
                DONE,
                OPERATED_WITH_A_REASON,
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
            Self::Funnel => row(
                "get",
                "/operator/funnel",
                "getFunnel",
                "How far those of the tenant have come, step by step.",
                Nothing,
                &[(200, Gives::Funnel)],
                &[Code::BadParameter],
            ),
            Self::Stuck => row(
                "get",
                "/operator/stuck",
                "listStuck",
                "Those of the tenant that have been where they are for long, the longest first.",
                Nothing,
                &[(200, Gives::Stuck)],
                &[Code::BadParameter],
            ),
        }
    }
}
