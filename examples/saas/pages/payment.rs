//! Payment: at the provider. Nothing that the browser says makes it true; the webhook does.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use crate::accounts::Account;
use crate::app::{App, Shared};
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
    let (plan, amount) = wanted(&app, &account).await?;
    let checkout = testpay::checkout_of(&app.platform, &account.id, plan).await?;
    // Once paid, what was paid is shown, and not what was wanted since.
    let paid = checkout.as_ref().filter(|checkout| checkout.is_paid());
    let payment = PaymentPage {
        frame: Frame::new(&app, &visitor, "Payment")
            .at(Page::Payment)
            .live(),
        plan: paid
            .and_then(|paid| Plan::named(&paid.plan))
            .unwrap_or(plan),
        amount: paid.map_or(amount, |paid| paid.amount.clone()),
        checkout,
    };
    page(StatusCode::OK, &payment)
}

/// Off to the provider, who has one checkout for each customer and plan: nobody pays twice.
pub(crate) async fn post(State(app): State<Shared>, visitor: Visitor, _: Form) -> Reply {
    let account = app.enter(&visitor, Page::Payment).await?;
    let (plan, amount) = wanted(&app, &account).await?;
    let checkout = testpay::open(&app.platform, &account.id, plan, &amount).await?;
    go(&format!("/testpay/{}", checkout.id))
}

/// What the customer has chosen, and what that is in their currency.
async fn wanted(app: &App, account: &Account) -> Result<(Plan, String), Refusal> {
    let (tenant, subject) = account.whom()?;
    let found = app.onramp.open(&tenant, &subject).await?;
    let id = found.ok_or(Refusal::Absent)?.id();
    let facts = app.onramp.facts(&tenant, id).await?;
    let info = facts.get::<BusinessInfo>()?;
    let chosen = facts.get::<PlanChosen>()?;
    let (info, chosen) = info.zip(chosen).ok_or(Refusal::Elsewhere("/"))?;
    let amount = format!("{} {}", chosen.plan.price(), info.currency);
    Ok((chosen.plan, amount))
}
