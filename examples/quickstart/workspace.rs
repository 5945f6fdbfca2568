//! The flow: what a customer goes through, from sign-up to a workspace that is ready.

use std::sync::Arc;

use onramp::fields::{CompanyName, Currency, Email, Phone, Slug, TimeZone};
use onramp::flow::InvalidFlow;
use onramp::prelude::*;
use serde::{Deserialize, Serialize};

use crate::platform::{Platform, PlatformReady};
use crate::tasks::{CreateTables, CreateWorkspace, Faults, IssueApiKey, LoadSettings, ReserveSlug};

pub(crate) struct Workspace;

impl Flow for Workspace {
    const NAME: &'static str = "workspace";
    const VERSION: u32 = 1;
}

pub(crate) fn flow(
    platform: &Arc<Platform>,
    faults: Faults,
) -> Result<Definition<Workspace>, InvalidFlow> {
    let on = || (Arc::clone(platform), faults.clone());
    Workspace::steps()
        .gate(PlatformReady(Arc::clone(platform)))
        .ask::<BusinessInfo>()
        .ask_optional::<Branding>() // later tasks see Option<Branding>
        .expect::<PaymentConfirmed>() // attested by us, never by a browser
        .run(ReserveSlug(on())) // what a task needs is checked here, at compile time
        .run(CreateWorkspace(on()))
        .run(CreateTables(on()))
        .run(LoadSettings(on()))
        .run(IssueApiKey(on()))
        .build()
}

/// The customer's first form. Every field is a validated type; none has a default.
#[derive(Serialize, Deserialize)]
pub(crate) struct BusinessInfo {
    pub(crate) company_name: CompanyName,
    pub(crate) contact: String,
    pub(crate) email: Email,
    pub(crate) phone: Phone,
    pub(crate) currency: Currency,
    pub(crate) timezone: TimeZone,
    pub(crate) region: Region,
}

impl Step for BusinessInfo {
    const NAME: &'static str = "business_info";
}

impl Answer<Workspace> for BusinessInfo {
    fn validate(&self) -> Result<(), Invalid> {
        let named = !self.contact.trim().is_empty();
        Invalid::check("/contact", named, "is empty: give a first or last name")
    }
}

/// Where the customer's data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Region {
    Eu,
    Us,
    Asia,
}

/// Colours and a logo, for those who want to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Branding {
    pub(crate) primary_color: String,
    pub(crate) logo_url: Option<HttpsUrl>,
}

impl Step for Branding {
    const NAME: &'static str = "branding";
}

impl Answer<Workspace> for Branding {
    fn validate(&self) -> Result<(), Invalid> {
        let digits = self.primary_color.strip_prefix('#').unwrap_or_default();
        let is_color = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        Invalid::check("/primary_color", is_color, "is not of the form \"#1a73e8\"")
    }
}

/// An address that a browser may be told to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct HttpsUrl(pub(crate) String);

impl TryFrom<String> for HttpsUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        match url.starts_with("https://") && !url.contains(char::is_whitespace) {
            true => Ok(Self(url)),
            false => Err("an address must begin with \"https://\" and have no spaces".to_owned()),
        }
    }
}

/// What billing has said: which plan is paid. The plan comes from here and from nowhere else.
#[derive(Serialize, Deserialize)]
pub(crate) struct PaymentConfirmed {
    pub(crate) plan: Plan,
    pub(crate) invoice: String,
}

impl Step for PaymentConfirmed {
    const NAME: &'static str = "payment";
}

impl Evidence<Workspace> for PaymentConfirmed {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plan {
    Starter,
    Professional,
    Scale,
}

/// The name that the workspace has in addresses; nobody else has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReservedSlug {
    pub(crate) slug: Slug,
}

impl Step for ReservedSlug {
    const NAME: &'static str = "reserve_slug";
}

/// The workspace's own database file, by its name in the workspaces' folder.
#[derive(Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) file: String,
}

impl Step for Database {
    const NAME: &'static str = "create_workspace";
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(crate) tables: Vec<String>,
}

impl Step for Tables {
    const NAME: &'static str = "create_tables";
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) loaded: usize,
}

impl Step for Settings {
    const NAME: &'static str = "load_settings";
}

/// A key was issued. The key itself is kept nowhere; this is how it is recognised.
#[derive(Serialize, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) fingerprint: String,
}

impl Step for ApiKey {
    const NAME: &'static str = "issue_api_key";
}
