//! The mails that were sent to whoever is signed in; stands in for a mailbox.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use crate::accounts::Mail;
use crate::app::Shared;
use crate::reply::{Frame, Reply, page};
use crate::session::Visitor;

#[derive(Template)]
#[template(path = "outbox.html")]
struct OutboxPage {
    frame: Frame,
    mails: Vec<Mail>,
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let account = app.signed_in(&visitor).await?;
    let frame = Frame::new(&app, &visitor, "Your mails");
    let mails = app.outbox(Some(&account.id)).await?;
    page(StatusCode::OK, &OutboxPage { frame, mails })
}
