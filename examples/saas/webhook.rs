//! What the payment provider tells us: verified, then attested. Late, twice, in any order: all the same.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use onramp::http::webhook::{NotAttested, attest};
use serde::Deserialize;

use crate::accounts::whom;
use crate::app::Shared;
use crate::workspace::{PaymentConfirmed, Plan};

/// In the provider's own words.
#[derive(Deserialize)]
struct Told {
    r#type: String,
    customer: String,
    plan: Plan,
    invoice: String,
}

pub(crate) async fn testpay(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let genuine = match app.verifier.verify(&headers, &body) {
        Ok(genuine) => genuine,
        Err(forged) => {
            eprintln!("saas: a webhook is not believed: {forged}");
            return StatusCode::BAD_REQUEST;
        }
    };
    let Ok(told) = serde_json::from_slice::<Told>(genuine.body()) else {
        return StatusCode::UNPROCESSABLE_ENTITY;
    };
    // That money was set aside is no payment. There is nothing to do about it.
    if told.r#type != "payment.captured" {
        return StatusCode::ACCEPTED;
    }
    let known = app.account(&told.customer).await;
    let whom = match (known, whom(&told.customer)) {
        (Ok(Some(_)), Ok(whom)) => whom,
        (Err(_), _) => return StatusCode::SERVICE_UNAVAILABLE,
        _ => return StatusCode::UNPROCESSABLE_ENTITY,
    };
    let paid = PaymentConfirmed {
        plan: told.plan,
        invoice: told.invoice,
    };
    match attest(&app.onramp, &genuine, (&whom.0, &whom.1), paid).await {
        Ok(_) => StatusCode::OK,
        Err(error) => {
            eprintln!("saas: a payment is not kept yet: {error}");
            status_of(&error)
        }
    }
}

/// Only what may be kept when it is sent again is asked for again.
fn status_of(error: &NotAttested) -> StatusCode {
    match error.is_retryable() {
        true => StatusCode::SERVICE_UNAVAILABLE,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
