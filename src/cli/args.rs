//! The arguments.

use clap::{Parser, Subcommand};

use crate::cli::commands::{
    act, bench, completions, diagram, doctor, explain, funnel, import, journal, list, migrate,
    outbox, status, subject, verify,
};

/// The operator's command line of onramp.
///
/// Exit codes: 0 done, 1 refused or failed, 2 the arguments cannot be used, 3 doctor or verify found
/// something wrong, or import left records out.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100, subcommand_required = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) general: General,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command understands.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Every command")]
pub(super) struct General {
    /// The database: sqlite://PATH, postgres://, mysql:// or mariadb://. Put one with a password into
    /// the environment: others see arguments
    #[arg(long, global = true, env = "ONRAMP_URL", hide_env_values = true)]
    pub(super) url: Option<String>,
    /// What the names of the tables begin with
    #[arg(long, global = true, env = "ONRAMP_PREFIX", default_value = "onramp_")]
    pub(super) prefix: String,
    /// Answer with one JSON object
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Allow a database on another machine without verified TLS, where the network is encrypted below
    #[arg(long, global = true)]
    pub(super) dangerously_allow_plaintext: bool,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Bring the schema of the database up to date
    Migrate(migrate::Args),
    /// List onboardings
    List(list::Args),
    /// Show where a subject is
    Status(status::Args),
    /// Show what happened to an onboarding
    Journal(journal::Args),
    /// Say what stands between an onboarding and its completion (needs its flow)
    Explain(explain::Args),
    /// Let an onboarding go on after a failure (needs its flow)
    Retry(act::Retry),
    /// Exempt a subject from a step (needs its flow)
    Waive(act::Waive),
    /// Give an onboarding up, taking its effects back (needs its flow)
    Cancel(act::Cancel),
    /// Stop an onboarding: workers leave it alone (needs its flow)
    Park(act::Park),
    /// Let a parked onboarding go on (needs its flow)
    Unpark(act::Unpark),
    /// Count how far those of a cohort have come (needs the flow)
    Funnel(funnel::Args),
    /// Take over what an older system knew (needs the host's rules for its records)
    Import(import::Args),
    /// Look for what nobody has noticed yet
    Doctor(doctor::Args),
    /// Verify that onboardings are as their journals say
    Verify(verify::Args),
    /// Print everything that is stored of a subject, in clear
    Export(subject::Export),
    /// Erase the facts of a subject's onboardings that have ended
    Erase(subject::Erase),
    /// Look at messages to be delivered, and revive dead ones
    #[command(subcommand)]
    Outbox(outbox::Command),
    /// Draw a flow, or the lifecycle
    Diagram(diagram::Args),
    /// Measure the database in a scratch tenant, which is deleted afterwards
    Bench(bench::Args),
    /// Print a script that completes arguments in a shell
    Completions(completions::Args),
}
