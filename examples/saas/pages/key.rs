//! The API key, shown once: offered by one form, shown by the next, never by an address.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use onramp::lifecycle::Rejected;
use onramp::vault::{Reauthenticated, RevealToken, VaultError};
use onramp::{Clock, SystemClock};

use crate::accounts::{Account, Purpose};
use crate::app::{App, Shared};
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{Form, Visitor};
use crate::tasks::API_KEY;

#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage {
    frame: Frame,
    shown: Shown,
}

enum Shown {
    /// The next click shows it.
    Token(RevealToken),
    Key(String),
    /// It was offered or shown before.
    Gone,
}

fn answer(app: &App, visitor: &Visitor, status: StatusCode, shown: Shown) -> Reply {
    let frame = Frame::new(app, visitor, "Your API key");
    page(status, &KeyPage { frame, shown })
}

/// The first offer. Of two tabs one gets it: the other one has to prove who it is.
pub(crate) async fn offer(State(app): State<Shared>, visitor: Visitor, _: Form) -> Reply {
    let (_, proof) = app.admit(&visitor).await?;
    let tenant = &proof.key().tenant;
    match app.vault.offer(tenant, proof.onboarding(), &API_KEY).await {
        Ok(token) => answer(&app, &visitor, StatusCode::OK, Shown::Token(token)),
        Err(error) => gone(&app, &visitor, error),
    }
}

pub(crate) async fn reveal(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    let (_, proof) = app.admit(&visitor).await?;
    let tenant = &proof.key().tenant;
    let Ok(token) = RevealToken::parse(form.field("reveal_token")) else {
        return answer(&app, &visitor, StatusCode::GONE, Shown::Gone);
    };
    match app
        .vault
        .reveal(tenant, proof.onboarding(), &API_KEY, &token)
        .await
    {
        Ok(key) => {
            let key = key.expose_text().unwrap_or_default().to_owned();
            answer(&app, &visitor, StatusCode::OK, Shown::Key(key))
        }
        Err(error) => gone(&app, &visitor, error),
    }
}

/// Whoever wants to see it again is sent a link first.
pub(crate) async fn again(State(app): State<Shared>, visitor: Visitor, _: Form) -> Reply {
    let (account, _) = app.admit(&visitor).await?;
    let sent = app
        .send_link(&account, Purpose::Reveal, &visitor.browser)
        .await;
    sent.map_err(Refusal::Internal)?;
    go("/check-mail")
}

/// For somebody who has just followed that link.
pub(crate) async fn offer_again(app: &App, visitor: &Visitor, account: &Account) -> Reply {
    let now = SystemClock.now();
    let (_, proof) = app.admit(visitor).await?;
    let (tenant, _) = account.whom()?;
    let fresh = Reauthenticated::new(proof.onboarding(), now);
    let offered = app
        .vault
        .offer_again(&tenant, proof.onboarding(), &API_KEY, fresh);
    match offered.await {
        Ok(token) => answer(app, visitor, StatusCode::OK, Shown::Token(token)),
        Err(error) => gone(app, visitor, error),
    }
}

/// All that goes wrong with a token looks the same; what is ours does not.
fn gone(app: &App, visitor: &Visitor, error: VaultError) -> Reply {
    match error {
        VaultError::Rejected(Rejected::NoSecret { .. }) | VaultError::Absent => {
            Err(Refusal::Absent)
        }
        VaultError::UnknownToken | VaultError::WrongToken { .. } | VaultError::Rejected(_) => {
            answer(app, visitor, StatusCode::GONE, Shown::Gone)
        }
        other => Err(other.into()),
    }
}
