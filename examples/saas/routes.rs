//! Every address of the application.

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use onramp::http::{Api, Live, Probes};
use std::time::Duration;

use crate::app::Shared;
use crate::live::Listeners;
use crate::pages::{
    assets, begin, business, dashboard, key, operator, outbox, payment, plan, setup, sign_in,
};
use crate::reply::Refusal;
use crate::{headers, session, testpay, webhook};

/// More than any form of ours.
const FORM: usize = 16 * 1024;

pub(crate) fn router(app: &Shared) -> Router {
    let live = Live::default().looks(Duration::from_millis(200));
    let api = Api::new(app.onramp.clone()).live(live);
    let api = api.authorize(Listeners(app.clone())).into_router();
    let pages = Router::new()
        .route("/", get(sign_in::home))
        .route(
            "/sign-up",
            get(sign_in::sign_up).post(sign_in::post_sign_up),
        )
        .route(
            "/sign-in",
            get(sign_in::sign_in).post(sign_in::post_sign_in),
        )
        .route("/sign-out", post(sign_in::sign_out))
        .route("/check-mail", get(sign_in::check_mail))
        .route("/link", get(sign_in::link).post(sign_in::post_link))
        .route("/begin", get(begin::show).post(begin::post))
        .route("/business", get(business::show).post(business::post))
        .route("/plan", get(plan::show).post(plan::post))
        .route("/payment", get(payment::show).post(payment::post))
        .route("/setup", get(setup::show))
        .route("/setup/retry", post(setup::retry))
        .route("/dashboard", get(dashboard::show))
        .route("/key", post(key::offer))
        .route("/key/reveal", post(key::reveal))
        .route("/key/again", post(key::again))
        .route("/outbox", get(outbox::show))
        .route("/operator", get(operator::show))
        .route(
            "/operator/sign-in",
            get(operator::sign_in).post(operator::post_sign_in),
        )
        .route("/operator/explain/{account}", get(operator::explain))
        .route("/operator/fault", post(operator::stage_fault))
        .route(
            "/testpay/{checkout}",
            get(testpay::pages::show).post(testpay::pages::post),
        )
        .fallback(async || Refusal::Absent)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(from_fn_with_state(app.clone(), session::recognise))
        .with_state(app.clone());
    let bare = Router::new()
        .route("/static/app.css", get(assets::style))
        .route("/static/app.js", get(assets::script))
        .route("/static/icon.svg", get(assets::icon))
        .route("/webhooks/testpay", post(webhook::testpay))
        .with_state(app.clone());
    pages
        .merge(bare)
        .nest("/api", api)
        .merge(Probes::new(app.onramp.clone()).into_router())
        .layer(DefaultBodyLimit::max(FORM))
        .layer(from_fn(headers::harden))
}
