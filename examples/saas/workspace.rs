//! The flow: from a confirmed address to a workspace that is ready.

use std::sync::Arc;

use onramp::fields::{CompanyName, Currency, Region, Slug, TimeZone};
use onramp::flow::InvalidFlow;
use onramp::prelude::*;
use onramp::vault::{ApiKeyHash, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::platform::{Platform, PlatformReady};
use crate::prefill::SignUpForm;
use crate::tasks::{
    CreateDatabase, CreateTables, IssueApiKey, LoadSettings, ReserveAddress, Tools,
};

pub(crate) struct Workspace;

impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

pub(crate) fn flow(
    platform: &Platform,
    tools: &Arc<Tools>,
) -> Result<Definition<Workspace>, InvalidFlow> {
    let tools = || Arc::clone(tools);
    Workspace::steps()
        .gate(PlatformReady(platform.clone()))
        .expect::<EmailConfirmed>() // attested when the link in the mail was followed
        .ask::<BusinessInfo>()
        .prefill(SignUpForm(platform.clone()))
        .ask::<PlanChosen>()
        .expect::<PaymentConfirmed>() // attested by the provider's webhook, never by a browser
        .run(ReserveAddress(tools())) // what a task needs is checked here, at compile time
        .run(CreateDatabase(tools()))
        .run(CreateTables(tools()))
        .run(LoadSettings(tools()))
        .run(IssueApiKey(tools()))
        .build()
}

/// Somebody who reads this address's mail has followed the link in it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct EmailConfirmed {
    pub(crate) email: String,
}

impl Step for EmailConfirmed {
    const NAME: &'static str = "email_confirmed";
}

impl Evidence<Workspace> for EmailConfirmed {}

/// The customer's form. Every field is a validated type; none has a default.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BusinessInfo {
    pub(crate) company: CompanyName,
    pub(crate) contact: String,
    pub(crate) currency: Currency,
    pub(crate) time_zone: TimeZone,
    pub(crate) region: Region,
}

/// Where we have data centres: token and name.
pub(crate) const REGIONS: [(&str, &str); 3] = [
    ("eu", "Europe (Frankfurt)"),
    ("us", "United States (Ohio)"),
    ("asia", "Asia (Singapore)"),
];

impl Step for BusinessInfo {
    const NAME: &'static str = "business_info";
}

impl Answer<Workspace> for BusinessInfo {
    fn validate(&self) -> Result<(), Invalid> {
        let contact = self.contact.trim();
        let named = !contact.is_empty() && contact.chars().count() <= 200;
        Invalid::check(
            "/contact",
            named,
            "give the name of somebody, in up to 200 characters",
        )?;
        let known = REGIONS
            .iter()
            .any(|(token, _)| *token == self.region.as_str());
        Invalid::check("/region", known, "choose a region of the list")
    }
}

/// What the customer wants. What was paid is another fact, and the one that counts.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanChosen {
    pub(crate) plan: Plan,
}

impl Step for PlanChosen {
    const NAME: &'static str = "plan";
}

impl Answer<Workspace> for PlanChosen {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plan {
    Starter,
    Professional,
    Scale,
}

impl Plan {
    pub(crate) const ALL: [Self; 3] = [Self::Starter, Self::Professional, Self::Scale];

    pub(crate) fn named(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.token() == token)
    }

    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Professional => "professional",
            Self::Scale => "scale",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Starter => "Starter",
            Self::Professional => "Professional",
            Self::Scale => "Scale",
        }
    }

    pub(crate) fn offers(self) -> &'static str {
        match self {
            Self::Starter => "3 members, 10 projects",
            Self::Professional => "25 members, 500 projects, audit log",
            Self::Scale => "As many as you like, and somebody to call",
        }
    }

    /// A month, in whatever currency the customer has.
    pub(crate) fn price(self) -> u32 {
        match self {
            Self::Starter => 9,
            Self::Professional => 49,
            Self::Scale => 290,
        }
    }
}

/// What billing has said: which plan is paid. The plan comes from here and from nowhere else.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PaymentConfirmed {
    pub(crate) plan: Plan,
    pub(crate) invoice: String,
}

impl Step for PaymentConfirmed {
    const NAME: &'static str = "payment";
}

impl Evidence<Workspace> for PaymentConfirmed {}

/// The name that the workspace has in addresses; nobody else has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) slug: Slug,
}

impl Step for Address {
    const NAME: &'static str = "reserve_address";

    fn reserves(&self) -> Vec<onramp::flow::Reservation> {
        vec![onramp::flow::Reservation::everywhere(
            "address",
            self.slug.as_str(),
        )]
    }
}

/// The workspace's own database file, by its name in the workspaces' folder.
#[derive(Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) file: String,
}

impl Step for Database {
    const NAME: &'static str = "create_database";
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(crate) file: String,
    pub(crate) tables: Vec<String>,
}

impl Step for Tables {
    const NAME: &'static str = "create_tables";
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) file: String,
    pub(crate) loaded: usize,
}

impl Step for Settings {
    const NAME: &'static str = "load_settings";
}

/// A key was issued. The vault keeps it, sealed; this is how it is recognised.
#[derive(Serialize, Deserialize)]
pub(crate) struct Issued {
    pub(crate) hash: ApiKeyHash,
    pub(crate) fingerprint: Fingerprint,
}

impl Step for Issued {
    const NAME: &'static str = "issue_api_key";
}
