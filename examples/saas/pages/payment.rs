//! Payment: at the provider. Nothing that the browser says makes it true; the webhook does.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::Shared;
use crate::door::Page;
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{Form, Visitor};
use crate::testpay::{self, Checkout};
use crate::workspace::{BusinessInfo, Plan, PlanChosen};

#[derive(Template)]
#[template(path = "payment.html")]
struct PaymentPage {
    frame: Frame,
    plan: Plan,
    amount: String,
    /// What the provider says of it so far: shown, and nothing else.
    checkout: Option<Checkout>,
}

impl PaymentPage {
    fn is_paid(&self) -> bool {
        self.checkout.as_ref().is_some_and(Checkout::is_paid)
    }

    fn is_declined(&self) -> bool {
        self.checkout.as_ref().is_some_and(Checkout::is_declined)
    }
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let account = app.enter(&visitor, Page::Payment).await?;
    let (tenant, subject) = account.whom()?;
    let found = app
        .onramp
        .open(&tenant, &subject)
        .await?
        .ok_or(Refusal::Absent)?;
    let facts = app.onramp.facts(&tenant, found.id()).await?;
    let (Some(info), Some(chosen)) = (facts.get::<BusinessInfo>()?, facts.get::<PlanChosen>()?)
    else {
        return Err(Refusal::Elsewhere("/"));
    };
    let payment = PaymentPage {
        frame: Frame::new(&app, &visitor, "Payment")
            .at(Page::Payment)
            .live(),
        plan: chosen.plan,
        amount: format!("{} {}", chosen.plan.price(), info.currency),
        checkout: testpay::checkout_of(&app.platform, &account.id, chosen.plan).await?,
    };
    page(StatusCode::OK, &payment)
}

/// Off to the provider, who has one checkout for each customer and plan: nobody pays twice.
pub(crate) async fn post(State(app): State<Shared>, visitor: Visitor, _: Form) -> Reply {
    let account = app.enter(&visitor, Page::Payment).await?;
    let (tenant, subject) = account.whom()?;
    let found = app
        .onramp
        .open(&tenant, &subject)
        .await?
        .ok_or(Refusal::Absent)?;
    let facts = app.onramp.facts(&tenant, found.id()).await?;
    let (Some(info), Some(chosen)) = (facts.get::<BusinessInfo>()?, facts.get::<PlanChosen>()?)
    else {
        return Err(Refusal::Elsewhere("/"));
    };
    let amount = format!("{} {}", chosen.plan.price(), info.currency);
    let checkout = testpay::open(&app.platform, &account.id, chosen.plan, &amount).await?;
    go(&format!("/testpay/{}", checkout.id))
}
