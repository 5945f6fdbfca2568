//! The provider's own page.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::{Checkout, Manner};
use crate::app::Shared;
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{Form, Visitor};

#[derive(Template)]
#[template(path = "testpay.html")]
struct CheckoutPage {
    frame: Frame,
    checkout: Checkout,
}

impl CheckoutPage {
    fn manners(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        Manner::ALL
            .into_iter()
            .map(|(_, token, words)| (token, words))
    }
}

/// A checkout is shown to its customer alone.
async fn own(app: &Shared, visitor: &Visitor, id: &str) -> Result<Checkout, Refusal> {
    let account = app.signed_in(visitor).await?;
    let checkout = super::checkout(&app.platform, id).await?;
    let own = checkout.filter(|checkout| checkout.customer == account.id);
    own.ok_or(Refusal::Absent)
}

pub(crate) async fn show(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Reply {
    let checkout = own(&app, &visitor, &id).await?;
    let frame = Frame::new(&app, &visitor, "Testpay checkout");
    page(StatusCode::OK, &CheckoutPage { frame, checkout })
}

pub(crate) async fn post(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): Path<String>,
    form: Form,
) -> Reply {
    let checkout = own(&app, &visitor, &id).await?;
    match form.field("action") {
        "decline" => super::decline(&app.platform, &checkout).await?,
        _ => {
            let manner = Manner::named(form.field("manner"));
            super::pay(&app.platform, &checkout, manner).await?;
        }
    }
    // Back to the shop, which will look for itself.
    go("/payment")
}
