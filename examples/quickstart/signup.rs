//! Sign-ups as they arrive: one JSON object a line, each checked before anything is done.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use onramp::fields::{CompanyName, Currency, Email, Phone, TimeZone};
use onramp::{SubjectId, TenantId};
use serde::{Deserialize, Serialize};

use crate::workspace::{Branding, Plan, Region};

/// One good line.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signup {
    pub(crate) tenant: TenantId,
    pub(crate) subject: SubjectId,
    pub(crate) company_name: CompanyName,
    pub(crate) first_name: String,
    /// Some people have one name.
    #[serde(default)]
    pub(crate) last_name: String,
    pub(crate) email: Email,
    pub(crate) phone: Phone,
    /// Unset stays unset: nobody becomes "USD" by silence.
    pub(crate) currency: Option<Currency>,
    pub(crate) timezone: Option<TimeZone>,
    pub(crate) region: Region,
    pub(crate) plan: Plan,
    pub(crate) payment: Payment,
    pub(crate) branding: Option<Branding>,
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payment {
    Confirmed,
    Pending,
    Missing,
}

/// A failure to be staged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) step: FaultyStep,
    pub(crate) kind: FaultKind,
    pub(crate) times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultyStep {
    ReserveSlug,
    CreateWorkspace,
    CreateTables,
    LoadSettings,
    IssueApiKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    Transient,
    Final,
    Panic,
}

/// A line that was refused.
pub(crate) struct Refused {
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// A whole file.
pub(crate) struct Signups {
    pub(crate) lines: usize,
    /// One per subject, in the order of the file.
    pub(crate) accepted: Vec<Signup>,
    /// Accepted lines that said again what an earlier one had said.
    pub(crate) repeated: usize,
    pub(crate) refused: Vec<Refused>,
}

impl Signups {
    /// Reads a file. A bad line is refused and the others go on.
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path).map_err(|error| {
            let path = path.display();
            format!("cannot read {path}: {error}; name the file with --input FILE")
        })?;
        let mut signups = Self {
            lines: 0,
            accepted: Vec::new(),
            repeated: 0,
            refused: Vec::new(),
        };
        let mut first: BTreeMap<(TenantId, SubjectId), (usize, usize)> = BTreeMap::new();
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let lines = text.split(|byte| *byte == b'\n');
        for (index, line) in lines.enumerate().take_while(|_| !text.is_empty()) {
            let number = index + 1;
            signups.lines = number;
            let refuse = |reason: String| Refused {
                line: number,
                reason,
            };
            let signup = match parse(line) {
                Ok(signup) => signup,
                Err(reason) => {
                    signups.refused.push(refuse(reason));
                    continue;
                }
            };
            let key = (signup.tenant.clone(), signup.subject.clone());
            match first.get(&key) {
                None => {
                    first.insert(key, (number, signups.accepted.len()));
                    signups.accepted.push(signup);
                }
                Some((_, at)) if signups.accepted.get(*at) == Some(&signup) => {
                    signups.repeated += 1;
                }
                Some((earlier, _)) => signups.refused.push(refuse(format!(
                    "subject {:?} was given on line {earlier} with other data",
                    key.1.as_str()
                ))),
            }
        }
        Ok(signups)
    }
}

fn parse(line: &[u8]) -> Result<Signup, String> {
    let text = std::str::from_utf8(line).map_err(|_| "is not UTF-8 text".to_owned())?;
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if text.trim_start().starts_with(['[', '"']) {
        return Err("is JSON, but not an object".to_owned());
    }
    // The line is counted by us: a column alone is what helps.
    let reason = |error: serde_json::Error| {
        let text = error.to_string();
        let told = text.split(" at line ").next().unwrap_or(&text);
        match error.column() {
            0 => told.to_owned(),
            column => format!("{told} (column {column})"),
        }
    };
    let signup: Signup = serde_json::from_str(text).map_err(reason)?;
    for (field, name) in [
        ("first_name", &signup.first_name),
        ("last_name", &signup.last_name),
    ] {
        if name.len() > 200 || name.chars().any(char::is_control) {
            return Err(format!("{field} is too long or has a control character"));
        }
    }
    Ok(signup)
}
