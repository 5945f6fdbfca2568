//! The set-up while it goes on, and after it has failed.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use onramp::flow::{Failure, Kind};
use onramp::lifecycle::{Phase, StageKind};
use onramp::status::{NextAction, Standing, StepStatus};
use onramp::store::StepProgress;

use crate::app::Shared;
use crate::door::Page;
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{Form, Visitor};

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    frame: Frame,
    percent: u8,
    steps: Vec<StepStatus>,
    working: Option<StepProgress>,
    is_undoing: bool,
    has_failed: bool,
    can_retry: bool,
    failure: Option<Failure>,
}

impl SetupPage {
    fn label(step: &StepStatus) -> &'static str {
        match step.key.as_str() {
            "reserve_address" => "Reserve your address",
            "create_database" => "Create your database",
            "create_tables" => "Create its tables",
            "load_settings" => "Load your settings",
            _ => "Issue your API key",
        }
    }

    /// Word and class.
    fn state(&self, step: &StepStatus) -> (&'static str, &'static str) {
        match step.state {
            Standing::Completed => ("done", "done"),
            Standing::Failed => ("failed", "failed"),
            Standing::InProgress if self.is_undoing => ("being taken back", "busy"),
            Standing::InProgress => ("at it", "busy"),
            Standing::Waiting => ("is tried again in a moment", "busy"),
            _ => ("to come", "todo"),
        }
    }

    fn is_working_at(&self, step: &StepStatus) -> bool {
        step.state == Standing::InProgress && !self.is_undoing
    }

    /// What screen readers are told when it changes.
    fn saying(&self) -> String {
        if self.is_undoing {
            return "Something went wrong. What was set up is being taken back.".to_owned();
        }
        match self
            .steps
            .iter()
            .find(|step| matches!(step.state, Standing::InProgress | Standing::Waiting))
        {
            Some(step) => format!("{}: {}", Self::label(step), self.state(step).0),
            None => "Almost done".to_owned(),
        }
    }
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let account = app.enter(&visitor, Page::Setup).await?;
    let (tenant, subject) = account.whom()?;
    let status = app
        .onramp
        .status(&tenant, &subject)
        .await?
        .ok_or(Refusal::Absent)?;
    let working = app.onramp.progress(&tenant, status.onboarding).await?;
    let has_failed = status.stage == StageKind::Failed;
    let title = match has_failed {
        true => "We could not finish setting up",
        false => "Setting up your workspace",
    };
    let mut frame = Frame::new(&app, &visitor, title).at(Page::Setup);
    frame.is_live = !has_failed;
    let is_undoing = status.phase == Some(Phase::Undoing);
    let tasks = status
        .steps
        .into_iter()
        .filter(|step| step.kind == Kind::Task);
    let current = status.current_step;
    let setup = SetupPage {
        frame,
        percent: status.percent,
        steps: tasks.collect(),
        // The newest attempt that said anything may be of an earlier step.
        working: working.filter(|working| Some(&working.step) == current.as_ref()),
        is_undoing,
        has_failed,
        can_retry: status.next_action == NextAction::Retry,
        failure: status.failure,
    };
    page(StatusCode::OK, &setup)
}

pub(crate) async fn retry(State(app): State<Shared>, visitor: Visitor, _: Form) -> Reply {
    let account = app.enter(&visitor, Page::Setup).await?;
    app.try_again(&account).await?;
    go("/setup")
}
