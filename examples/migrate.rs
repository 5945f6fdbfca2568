//! Brings the schema of a database up to date, in a step of its own; or shows what that would do.
//!
//! ```sh
//! cargo run --example migrate -- --dry-run service.db
//! cargo run --example migrate -- postgres://onboarding@localhost/onboarding
//! ```
//!
//! For hosts whose service may not create tables: it then opens its store with `migrate(false)`, and
//! is refused while the schema is not of its version. Exit code 0 when the schema is, or would be,
//! up to date, 1 when not.

use std::process::ExitCode;

use clap::Parser;
use onramp::store::{
    Error, MigrationPlan, MySqlStore, PostgresStore, SqlOptions, SqliteOptions, SqliteStore,
};

#[derive(Parser)]
#[command(about = "Brings the schema of a database up to date.")]
struct Args {
    /// A URL (postgres://, mysql:// or mariadb://), or the path of a SQLite file.
    database: String,
    /// Print the statements that would run, and run none.
    #[arg(long)]
    dry_run: bool,
    /// What the names of the tables begin with.
    #[arg(long, default_value = "onramp_")]
    prefix: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("migrate: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Error> {
    let url = args.database.as_str();
    let plan = match url.split_once("://") {
        Some(("postgres" | "postgresql", _)) => {
            let options = SqlOptions::new(url).table_prefix(args.prefix);
            let plan = PostgresStore::plan_migration(options.clone()).await?;
            if goes_on(&plan, args.dry_run) {
                PostgresStore::connect_with(options).await?.close().await;
            }
            plan
        }
        Some(("mysql" | "mariadb", _)) => {
            let options = SqlOptions::new(url).table_prefix(args.prefix);
            let plan = MySqlStore::plan_migration(options.clone()).await?;
            if goes_on(&plan, args.dry_run) {
                MySqlStore::connect_with(options).await?.close().await;
            }
            plan
        }
        _ => {
            let options = SqliteOptions::new(url).table_prefix(args.prefix);
            let plan = SqliteStore::plan_migration(options.clone()).await?;
            if goes_on(&plan, args.dry_run) {
                SqliteStore::open_with(options).await?.close().await;
            }
            plan
        }
    };
    if args.dry_run || plan.is_empty() {
        println!("{plan}");
    } else {
        println!(
            "migrated from version {} to {}",
            plan.found(),
            plan.wanted()
        );
    }
    Ok(())
}

fn goes_on(plan: &MigrationPlan, dry_run: bool) -> bool {
    !dry_run && !plan.is_empty()
}
