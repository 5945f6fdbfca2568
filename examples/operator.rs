//! A host's own operator tool: the command line of onramp with the rules of the quickstart's flow.
//!
//! ```sh
//! cargo run --example quickstart
//! export ONRAMP_URL=sqlite://quickstart-data/onboarding.db
//! cargo run --example operator -- list --stage failed
//! cargo run --example operator -- explain --tenant TENANT --subject SUBJECT
//! cargo run --example operator -- funnel --json
//! cargo run --example operator -- import --csv users.csv --dry-run
//! ```
//!
//! It asks the flow's gates, in `explain`, and runs none of its tasks.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "of the quickstart only its flow is used"
)]

#[path = "quickstart/kill.rs"]
mod kill;
#[path = "quickstart/platform.rs"]
mod platform;
#[path = "quickstart/signup.rs"]
mod signup;
#[path = "quickstart/tasks.rs"]
mod tasks;
#[path = "quickstart/workspace.rs"]
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use onramp::cli::Cli;
use onramp::import::{Imported, Record, Reject};
use onramp::prelude::*;
use platform::Platform;
use signup::Signups;
use tasks::Faults;
use workspace::{PaymentConfirmed, Plan, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let data = std::env::var_os("QUICKSTART_DATA").unwrap_or_else(|| "quickstart-data".into());
    let platform = Platform::open(data.as_ref()).await?;
    let flow = workspace::flow(&platform, Faults::of(&nobody()))?;
    let cli = Cli::new().import("crm", &flow, user);
    Ok(cli.flow(flow).run().await)
}

/// What the older system's records say, in the words of the flow: a line of its export, or one of its
/// progress files, whose name tells whose it is.
fn user(record: &Record) -> Result<Imported<Workspace>, Reject> {
    let subject = match record.wildcard() {
        Some(user) => user,
        None => record.text("user")?,
    };
    let imported = Imported::new(
        TenantId::new(record.text("tenant")?)?,
        SubjectId::new(subject)?,
    );
    let imported = imported
        .first_login(record.maybe_time("first_login_at")?)
        .complete(record.flag("done")?);
    Ok(match record.maybe_text("invoice")? {
        Some(invoice) => imported.evidence(PaymentConfirmed {
            plan: Plan::Starter,
            invoice: invoice.to_owned(),
        }),
        None => imported,
    })
}

/// No failures are staged here.
fn nobody() -> Signups {
    Signups {
        lines: 0,
        accepted: Vec::new(),
        repeated: 0,
        refused: Vec::new(),
    }
}
