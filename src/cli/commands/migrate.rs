//! Brings the schema up to date, in a step of its own.

use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::database::{Migration, Place};
use crate::cli::problem::Problem;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Print the statements that would run, and run none
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Migrated {
    database: &'static str,
    found: u32,
    wanted: u32,
    /// Whether anything was done.
    applied: bool,
    statements: Vec<String>,
}

pub(in crate::cli) async fn answer(place: &Place, args: &Args) -> Result<Answer, Problem> {
    let Migration {
        database,
        found,
        wanted,
        statements,
        script,
    } = place.migrate(args.dry_run).await?;
    let applied = !args.dry_run && !statements.is_empty();
    let text = match applied {
        true => format!("migrated from version {found} to {wanted}"),
        false => script,
    };
    let migrated = Migrated {
        database,
        found,
        wanted,
        applied,
        statements,
    };
    Answer::new(migrated, text)
}
