//! What operators see: how many come how far, who is stuck, and why. Behind a sign-in of its own.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use onramp::insight::{Cohort, Funnel, StepFunnel, Stuck};
use onramp::lifecycle::Obstacle;
use onramp::status::Status;

use crate::accounts::{Account, Mail, whom};
use crate::app::{App, Shared};
use crate::faults;
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{self, Form, Visitor};
use crate::testpay::{self, Delivery};

#[derive(Template)]
#[template(path = "operator_sign_in.html")]
struct SignInPage {
    frame: Frame,
    error: Option<&'static str>,
}

pub(crate) async fn sign_in(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let frame = Frame::new(&app, &visitor, "Operators");
    page(StatusCode::OK, &SignInPage { frame, error: None })
}

pub(crate) async fn post_sign_in(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    // Both are signed first, so that the time it takes says nothing of the code.
    let given = app.keys.sign("operator", &[form.field("code")]);
    if app
        .keys
        .is_signed("operator", &[&app.keys.operator], &given)
    {
        let mut response = go("/operator")?;
        session::sign_in_operator(&app, &mut response);
        return Ok(response);
    }
    let frame = Frame::new(&app, &visitor, "Operators");
    let error = Some("That is not the code. It was printed when the server was started.");
    page(StatusCode::FORBIDDEN, &SignInPage { frame, error })
}

fn only_operators(visitor: &Visitor) -> Result<(), Refusal> {
    match visitor.is_operator {
        true => Ok(()),
        false => Err(Refusal::OperatorSignIn),
    }
}

#[derive(Template)]
#[template(path = "operator.html")]
struct OperatorPage {
    frame: Frame,
    funnel: Funnel,
    stuck: Vec<Stuck>,
    patience: u64,
    customers: Vec<Customer>,
    deliveries: Vec<Delivery>,
    mails: Vec<Mail>,
}

struct Customer {
    account: Account,
    stage: &'static str,
    percent: u8,
}

impl OperatorPage {
    /// Of a hundred, for a bar.
    fn share(&self, count: &u64) -> u64 {
        count * 100 / self.funnel.total.enrolled.max(1)
    }

    fn rate(&self) -> String {
        match self.funnel.total.completion_rate {
            Some(rate) => format!("{:.0} %", rate * 100.0),
            None => "nobody came yet".to_owned(),
        }
    }

    fn half(&self, step: &StepFunnel) -> String {
        step.p50.map_or_else(
            || "–".to_owned(),
            |time| format!("{:.1} s", time.as_secs_f64()),
        )
    }

    fn steps(&self) -> [&'static str; 5] {
        faults::STEPS
    }
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    only_operators(&visitor)?;
    let mut customers = Vec::new();
    for account in app.accounts().await? {
        let status = status(&app, &account.id).await?;
        customers.push(Customer {
            account,
            stage: status.stage.as_str(),
            percent: status.percent,
        });
    }
    let operator = OperatorPage {
        frame: Frame::new(&app, &visitor, "Operators"),
        funnel: app.onramp.funnel(&Cohort::everyone()).await?,
        stuck: app.onramp.stuck(app.patience, 20).await?,
        patience: app.patience.as_secs(),
        customers,
        deliveries: testpay::deliveries(&app.platform).await?,
        mails: app.outbox(None).await?,
    };
    page(StatusCode::OK, &operator)
}

async fn status(app: &App, account: &str) -> Result<Status, Refusal> {
    let (tenant, subject) = whom(account).map_err(|_| Refusal::Absent)?;
    app.onramp
        .status(&tenant, &subject)
        .await?
        .ok_or(Refusal::Absent)
}

#[derive(Template)]
#[template(path = "explain.html")]
struct ExplainPage {
    frame: Frame,
    account: Account,
    status: Status,
    obstacles: Vec<Obstacle>,
    journal: Result<u64, String>,
}

/// Why is this one not complete? And is it as its journal says?
pub(crate) async fn explain(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(account): Path<String>,
) -> Reply {
    only_operators(&visitor)?;
    let account = app.account(&account).await?.ok_or(Refusal::Absent)?;
    let status = status(&app, &account.id).await?;
    let (tenant, id) = (&status.tenant, status.onboarding);
    let obstacles = app.onramp.explain(tenant, id).await?.unwrap_or_default();
    let verified = app.onramp.verify_journal(tenant, id).await;
    let explain = ExplainPage {
        frame: Frame::new(&app, &visitor, "Why?"),
        account,
        obstacles,
        journal: verified
            .map(|held| held.entries)
            .map_err(|error| error.to_string()),
        status,
    };
    page(StatusCode::OK, &explain)
}

/// Makes the next attempt at a step fail.
pub(crate) async fn stage_fault(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    only_operators(&visitor)?;
    let step = form.field("step");
    if !faults::STEPS.contains(&step) {
        return Err(Refusal::Absent);
    }
    faults::stage(&app.platform, step, form.field("how") == "for_good").await?;
    go("/operator")
}
