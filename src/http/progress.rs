//! Progress for whoever asks again and again.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::{Failure, Flow};
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::dto::{FailureText, Working};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::id::{Revision, StepName};
use crate::lifecycle::{Event, Happened, StageKind};

/// The last revision that there can be.
pub(super) const MOST: u64 = i64::MAX as u64;

/// What has happened since, and how far the task under way is.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Progress {
    /// The changes after the one that was asked from, oldest first.
    pub(super) changes: Vec<Change>,
    /// Where to ask from next: send it as `after`.
    pub(super) next: u64,
    /// Whether it has ended, and all of that is told.
    pub(super) over: bool,
    /// How far the task under way is, if it says so.
    pub(super) working: Option<Working>,
}

/// What one change did.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Change {
    /// The revision that it made, in order and without gaps.
    pub(super) revision: u64,
    /// When.
    pub(super) at: DateTime<Utc>,
    /// What happened, in order.
    pub(super) events: Vec<Happening>,
}

/// Something that happened. What operators write and what is stored is not in it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Happening {
    /// Its stable name.
    pub(super) event: &'static str,
    /// The step that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<String>,
    /// Which attempt it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<u32>,
    /// What went wrong, in words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<FailureText>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_at: Option<DateTime<Utc>>,
}

pub(super) async fn poll<F: Flow>(call: Call<F, Access>) -> Result<Response, Problem> {
    let after = Revision::new(call.number("after", 0..=MOST)?.unwrap_or(0));
    let limit = call.limit()?;
    let row = call.api.find(&call.key()).await?;
    let (tenant, id) = (&row.state.key().tenant, row.state.id());
    let journal = call
        .api
        .onramp
        .store()
        .journal(tenant, id, after, limit)
        .await?;
    let mut changes = Vec::with_capacity(journal.len());
    for entry in &journal {
        changes.push(Change {
            revision: entry.revision.get(),
            at: entry.at,
            events: entry.decode()?.iter().map(Happening::of).collect(),
        });
    }
    let next = changes.last().map_or(after.get(), |change| change.revision);
    let ended = matches!(row.state.stage(), StageKind::Completed | StageKind::Failed);
    let working = match ended {
        true => None,
        false => call.api.onramp.progress(tenant, id).await?.map(Into::into),
    };
    let progress = Progress {
        changes,
        next,
        over: ended && next >= row.state.revision().get(),
        working,
    };
    reply::json(StatusCode::OK, &progress)
}

impl Change {
    pub(super) fn of(progress: crate::store::Progress) -> Self {
        Self {
            revision: progress.revision.get(),
            at: progress.at,
            events: progress.events.iter().map(Happening::of).collect(),
        }
    }
}

impl Happening {
    fn of(event: &Event) -> Self {
        let mut this = Self {
            event: event.happened.name(),
            step: None,
            attempt: None,
            failure: None,
            retry_at: None,
        };
        let step = |step: &StepName| Some(step.to_string());
        let text = |failure: &Failure| Some(failure.into());
        match &event.happened {
            Happened::Created { .. }
            | Happened::Imported { .. }
            | Happened::Started
            | Happened::Dismissed
            | Happened::Parked { .. }
            | Happened::Unparked
            | Happened::LoggedIn
            | Happened::UndoStarted { .. }
            | Happened::UndoFinished
            | Happened::Completed
            | Happened::Reopened { .. }
            | Happened::FlowAdopted { .. }
            | Happened::Retried
            | Happened::FactsErased { .. }
            // That it happened, and never which secret.
            | Happened::SecretKept { .. }
            | Happened::SecretRewrapped { .. }
            | Happened::SecretBurnt { .. }
            | Happened::RevealOffered { .. }
            | Happened::RevealRefused { .. }
            | Happened::RevealBurnt { .. }
            | Happened::Revealed { .. } => {}
            Happened::AnswerSubmitted { step: of, .. }
            | Happened::AnswerRevised { step: of, .. }
            | Happened::DraftSaved { step: of, .. }
            | Happened::StepSkipped { step: of }
            | Happened::StepWaived { step: of, .. }
            | Happened::EvidenceAttested { step: of, .. }
            | Happened::Approved { step: of, .. }
            | Happened::WaitBegan { step: of }
            | Happened::Reminded { step: of, .. }
            | Happened::PauseElapsed { step: of }
            | Happened::ConditionJudged { step: of, .. } => this.step = step(of),
            Happened::FactRecorded {
                step: of, attempt, ..
            }
            | Happened::StepUndone { step: of, attempt } => {
                (this.step, this.attempt) = (step(of), Some(*attempt));
            }
            Happened::AttemptFailed {
                step: of,
                attempt,
                failure,
                retry_at,
            }
            | Happened::UndoAttemptFailed {
                step: of,
                attempt,
                failure,
                retry_at,
            } => {
                (this.step, this.attempt) = (step(of), Some(*attempt));
                (this.failure, this.retry_at) = (text(failure), *retry_at);
            }
            Happened::DriftFound { step: of, failure } => {
                (this.step, this.failure) = (step(of), text(failure));
            }
            Happened::Failed {
                failure, step: of, ..
            } => {
                this.step = of.as_ref().and_then(step);
                this.failure = text(failure);
            }
        }
        this
    }
}
