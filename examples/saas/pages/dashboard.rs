//! What all of it was for. Nobody gets here without the store's word that everything is done.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use onramp::admission::Proof;

use crate::app::{App, Shared};
use crate::reply::{Frame, Refusal, Reply, page};
use crate::session::Visitor;
use crate::tasks::API_KEY;
use crate::workspace::{Address, BusinessInfo, Issued, PaymentConfirmed, REGIONS, Tables};

/// How the key stands.
pub(crate) enum KeyIs {
    NeverOffered,
    Offered,
    Shown(DateTime<Utc>),
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    frame: Frame,
    name: String,
    info: BusinessInfo,
    paid: PaymentConfirmed,
    address: Address,
    tables: Tables,
    issued: Issued,
    key: KeyIs,
}

impl DashboardPage {
    fn region(&self) -> &str {
        let token = self.info.region.as_str();
        let known = REGIONS.iter().find(|(known, _)| *known == token);
        known.map_or(token, |(_, name)| name)
    }
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let (account, proof) = app.admit(&visitor).await?;
    let facts = app
        .onramp
        .facts(&proof.key().tenant, proof.onboarding())
        .await?;
    let all = (
        facts.get::<BusinessInfo>()?,
        facts.get::<PaymentConfirmed>()?,
        facts.get::<Address>()?,
        facts.get::<Tables>()?,
        facts.get::<Issued>()?,
    );
    let (Some(info), Some(paid), Some(address), Some(tables), Some(issued)) = all else {
        return Err(Refusal::internal(
            "a completed onboarding without its facts",
        ));
    };
    let dashboard = DashboardPage {
        frame: Frame::new(&app, &visitor, "Your workspace"),
        name: account.name,
        info,
        paid,
        address,
        tables,
        issued,
        key: key_is(&app, &proof).await?,
    };
    page(StatusCode::OK, &dashboard)
}

async fn key_is(app: &App, proof: &Proof) -> Result<KeyIs, Refusal> {
    let row = app.store_row(proof).await?;
    let reveal = row.secret(&API_KEY).and_then(|secret| secret.reveal());
    Ok(match reveal {
        None => KeyIs::NeverOffered,
        Some(reveal) => reveal.revealed_at().map_or(KeyIs::Offered, KeyIs::Shown),
    })
}

impl App {
    async fn store_row(&self, proof: &Proof) -> Result<onramp::lifecycle::State, Refusal> {
        let (tenant, subject) = (&proof.key().tenant, &proof.key().subject);
        let found = self.onramp.open(tenant, subject).await?;
        Ok(found.ok_or(Refusal::Absent)?.into_state())
    }
}
