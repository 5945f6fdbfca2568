//! What pages load: one style, one script. Both are in the program.

use axum::http::header;
use axum::response::IntoResponse;

pub(crate) async fn style() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../static/app.css"))
}

pub(crate) async fn script() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("../static/app.js"))
}

pub(crate) async fn icon() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "image/svg+xml")];
    (kind, include_str!("../static/icon.svg"))
}
