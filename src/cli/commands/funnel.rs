//! How far those of a cohort have come.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::TenantId;
use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::{Shown, maybe};
use crate::cli::target::tenant;
use crate::cli::time::{duration, moment};
use crate::insight::{Cohort, Funnel};

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The flow, if the program knows several
    #[arg(long)]
    flow: Option<String>,
    /// Only those of a tenant
    #[arg(long, value_parser = tenant)]
    tenant: Option<TenantId>,
    /// Only those created from this date or time on
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Only those created before this date or time
    #[arg(long, value_parser = moment)]
    until: Option<DateTime<Utc>>,
    /// Only those created with this version of the flow
    #[arg(long)]
    flow_version: Option<u32>,
    /// How long one may wait for its subject before it counts as abandoned
    #[arg(long, value_parser = duration, default_value = "7d")]
    patience: Duration,
    /// Print a line for each step of each version, for a spreadsheet
    #[arg(long)]
    csv: bool,
}

impl Args {
    fn cohort(&self, now: DateTime<Utc>) -> Cohort {
        let mut cohort = match (self.from, self.until) {
            (None, None) => Cohort::everyone(),
            (from, until) => {
                Cohort::created_between(from.unwrap_or_default(), until.unwrap_or(now))
            }
        };
        if let Some(tenant) = &self.tenant {
            cohort = cohort.tenant(tenant);
        }
        if let Some(version) = self.flow_version {
            cohort = cohort.version(version);
        }
        cohort.abandoned_after(self.patience)
    }
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let rules = cx.flows.one(args.flow.as_deref())?;
    let funnel = rules.funnel(&cx.store, &args.cohort(cx.now)).await?;
    let text = match args.csv {
        true => funnel.to_csv(),
        false => shown(cx, &funnel),
    };
    Answer::new(funnel, text)
}

fn shown(cx: &Context<'_>, funnel: &Funnel) -> String {
    let total = &funnel.total;
    let mut table = cx.look.table(&[
        "STEP", "CAME", "DONE", "SKIPPED", "WAIVED", "N/A", "FAILED", "GONE", "BACK", "OPEN",
        "P50", "P90",
    ]);
    let time =
        |time: Option<Duration>| maybe(time.map(|time| format!("{:.1} s", time.as_secs_f64())));
    for step in &total.steps {
        table.row([
            Shown::from(&step.step),
            Shown::from(step.entered),
            Shown::from(step.completed),
            Shown::from(step.skipped),
            Shown::from(step.waived),
            Shown::from(step.not_applicable),
            Shown::from(step.failed),
            Shown::from(step.abandoned),
            Shown::from(step.taken_back),
            Shown::from(step.open),
            time(step.p50),
            time(step.p90),
        ]);
    }
    let rate = match total.completion_rate {
        Some(rate) => format!(", {:.1} %", rate * 100.0),
        None => String::new(),
    };
    let unreadable = match funnel.unreadable {
        0 => String::new(),
        some => format!(", {some} unreadable"),
    };
    format!(
        "{}: {} enrolled, {} started, {} completed{rate}, {} failed{unreadable}\n{}",
        funnel.flow,
        total.enrolled,
        total.started,
        total.completed,
        total.failed,
        table.into_text()
    )
}
