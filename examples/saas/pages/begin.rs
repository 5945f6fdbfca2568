//! Before the way begins: mostly nobody sees this, because signing in begins it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::Shared;
use crate::door::Page;
use crate::reply::{Frame, Reply, go, page};
use crate::session::{Form, Visitor};

#[derive(Template)]
#[template(path = "begin.html")]
struct BeginPage {
    frame: Frame,
    closed: Option<&'static str>,
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    app.enter(&visitor, Page::Begin).await?;
    let frame = Frame::new(&app, &visitor, "Welcome");
    let closed = None;
    page(StatusCode::OK, &BeginPage { frame, closed })
}

pub(crate) async fn post(State(app): State<Shared>, visitor: Visitor, _: Form) -> Reply {
    let account = app.enter(&visitor, Page::Begin).await?;
    app.arrive(&account).await?;
    match app.begin(&account).await? {
        None => go("/"),
        closed => {
            let frame = Frame::new(&app, &visitor, "Welcome");
            page(
                StatusCode::SERVICE_UNAVAILABLE,
                &BeginPage { frame, closed },
            )
        }
    }
}
