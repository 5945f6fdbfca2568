//! A flow with a step of every kind, whose host has trouble with some of its subjects.

use onramp::flow::{Draft, TaskContext};
use onramp::prelude::*;
use onramp::{Key, SecretName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What only logs and operators may hear of.
pub(crate) const CANARY: &str = "canary-10.0.0.7";

/// Whom the host's gate, source, tasks, undo and store fail.
pub(crate) const GATED: &str = "gated";
pub(crate) const UNKNOWN: &str = "unknown";
pub(crate) const FAILING: &str = "failing";
pub(crate) const LEFT: &str = "left";
pub(crate) const UNLUCKY: &str = "unlucky";

pub(crate) const API_KEY: SecretName = SecretName::from_static("api_key");

pub(crate) struct Store;
impl Flow for Store {
    const NAME: &'static str = "store";
    const VERSION: u32 = 2;
}

/// Texts and numbers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Company {
    pub(crate) name: String,
    pub(crate) employees: u32,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Store> for Company {
    fn validate(&self) -> Result<(), Invalid> {
        Invalid::check("/name", !self.name.is_empty(), "must not be empty")?;
        Invalid::check("/employees", self.employees > 0, "must be at least 1")
    }
}

/// Lists, choices, objects in objects, and what may be left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shop {
    pub(crate) open: bool,
    pub(crate) currency: Currency,
    pub(crate) floors: Vec<Floor>,
    #[serde(default)]
    pub(crate) motto: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Currency {
    Eur,
    Usd,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    pub(crate) size: f64,
}

impl Step for Shop {
    const NAME: &'static str = "shop";
}
impl Answer<Store> for Shop {}

/// May be skipped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Branding {
    pub(crate) color: String,
}
impl Step for Branding {
    const NAME: &'static str = "branding";
}
impl Answer<Store> for Branding {}

#[derive(Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) invoice: String,
}
impl Step for Paid {
    const NAME: &'static str = "payment";
}
impl Evidence<Store> for Paid {}

#[derive(Serialize, Deserialize)]
pub(crate) struct Built;
impl Step for Built {
    const NAME: &'static str = "build";
}

const BUSY: Problem = Problem::new("busy", "Our provider is busy.");

struct Build;
impl Task<Store> for Build {
    type Needs = Company;
    type Output = Built;

    async fn run(&self, cx: &TaskContext, _: Company) -> Result<Built, TaskError> {
        cx.progress(1, 2, "Building");
        Ok(Built)
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Built>) -> Result<(), TaskError> {
        match cx.subject().as_str() {
            name if name.starts_with(LEFT) => Err(TaskError::fatal(BUSY, CANARY)),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Opened;
impl Step for Opened {
    const NAME: &'static str = "open";
}

struct Open;
impl Task<Store> for Open {
    type Needs = Built;
    type Output = Opened;

    async fn run(&self, cx: &TaskContext, _: Built) -> Result<Opened, TaskError> {
        match cx.subject().as_str() {
            FAILING => Err(TaskError::fatal(BUSY, CANARY)),
            name if name.starts_with(LEFT) => Err(TaskError::fatal(BUSY, CANARY)),
            _ => Ok(Opened),
        }
    }
}

struct Platform;
impl Gate for Platform {
    const NAME: &'static str = "platform";

    async fn check(&self, cx: &GateContext) -> Result<(), GateClosed> {
        const NOT_READY: Problem = Problem::new("not_ready", "We are not ready yet.");
        match cx.subject().as_str() {
            GATED => Err(GateClosed::new(NOT_READY, CANARY)),
            _ => Ok(()),
        }
    }
}

struct Crm;
impl Prefill<Store> for Crm {
    type Answer = Company;
    const SOURCE: &'static str = "crm";

    async fn known(&self, whom: &Key) -> Result<Draft<Company>, PrefillError> {
        match whom.subject.as_str() {
            UNKNOWN => Err(PrefillError::new(CANARY)),
            _ => Draft::new().with("name", "Acme").map_err(PrefillError::new),
        }
    }
}

pub(crate) fn definition() -> Definition<Store> {
    Store::steps()
        .gate(Platform)
        .ask::<Company>()
        .prefill(Crm)
        .ask::<Shop>()
        .expect::<Paid>()
        .ask_optional::<Branding>()
        .run(Build)
        .run(Open)
        .build()
        .unwrap()
}

/// The schemas of its answers, as exact as their types.
pub(crate) fn schemas() -> [Value; 3] {
    let company = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "employees"],
        "properties": {
            "name": { "type": "string", "minLength": 1 },
            "employees": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
        },
    });
    let shop = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["open", "currency", "floors"],
        "properties": {
            "open": { "type": "boolean" },
            "currency": { "enum": ["EUR", "USD"] },
            "floors": {
                "type": "array",
                "maxItems": 20,
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["size"],
                    "properties": { "size": { "type": "number" } },
                },
            },
            "motto": { "type": ["string", "null"] },
        },
    });
    let branding = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["color"],
        "properties": { "color": { "type": "string" } },
    });
    [company, shop, branding]
}
