//! The choice of a plan.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use onramp::prelude::*;

use crate::app::Shared;
use crate::door::Page;
use crate::journey::{Answered, seen};
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{Form, Visitor};
use crate::workspace::{BusinessInfo, Plan, PlanChosen};

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    frame: Frame,
    seen: String,
    currency: String,
    chosen: Option<Plan>,
    error: Option<&'static str>,
}

impl PlanPage {
    fn plans(&self) -> [Plan; 3] {
        Plan::ALL
    }

    fn is_chosen(&self, plan: &Plan) -> bool {
        self.chosen == Some(*plan)
    }
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    choose(&app, &visitor, StatusCode::OK, None).await
}

async fn choose(
    app: &Shared,
    visitor: &Visitor,
    status: StatusCode,
    error: Option<&'static str>,
) -> Reply {
    let account = app.enter(visitor, Page::Plan).await?;
    let Loaded::InProgress(running) = app.open(&account).await? else {
        return Err(Refusal::Elsewhere("/"));
    };
    let facts = app.onramp.facts(running.tenant(), running.id()).await?;
    let info = facts
        .get::<BusinessInfo>()?
        .ok_or(Refusal::Elsewhere("/"))?;
    let plan = PlanPage {
        frame: Frame::new(app, visitor, "Choose a plan").at(Page::Plan),
        seen: seen::<PlanChosen, _>(&running),
        currency: info.currency.to_string(),
        chosen: facts.get::<PlanChosen>()?.map(|chosen| chosen.plan),
        error,
    };
    page(status, &plan)
}

pub(crate) async fn post(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    let account = app.enter(&visitor, Page::Plan).await?;
    let Some(plan) = Plan::named(form.field("plan")) else {
        let error = Some("Choose one of the plans.");
        return choose(&app, &visitor, StatusCode::UNPROCESSABLE_ENTITY, error).await;
    };
    match app
        .answer(&account, form.field("seen"), PlanChosen { plan })
        .await?
    {
        Answered::Taken => go("/payment"),
        Answered::TooLate | Answered::Invalid(_) => go("/"),
        Answered::Overtaken => {
            let error =
                Some("You have chosen in another tab since you opened this. Here is what is kept.");
            choose(&app, &visitor, StatusCode::CONFLICT, error).await
        }
    }
}
