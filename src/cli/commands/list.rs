//! Which onboardings there are.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::{self, Shown};
use crate::cli::target::{onboarding, subject, tenant};
use crate::cli::time::shown;
use crate::lifecycle::StageKind;
use crate::store::Listed;
use crate::{FlowName, OnboardingId, Revision, SubjectId, TenantId};

/// Onboardings that are read at once.
const PAGE: usize = 500;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Only those of a tenant
    #[arg(long, value_parser = tenant)]
    tenant: Option<TenantId>,
    /// Only those of a subject of the tenant
    #[arg(long, value_parser = subject, requires = "tenant")]
    subject: Option<SubjectId>,
    /// Only those in a flow
    #[arg(long)]
    flow: Option<String>,
    /// Only those in a stage
    #[arg(long)]
    stage: Option<Stage>,
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Only those created after this one: the next page
    #[arg(long, value_parser = onboarding)]
    after: Option<OnboardingId>,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
#[value(rename_all = "snake_case")]
enum Stage {
    Pending,
    InProgress,
    Completed,
    Failed,
}

impl Stage {
    fn kind(self) -> StageKind {
        match self {
            Self::Pending => StageKind::Pending,
            Self::InProgress => StageKind::InProgress,
            Self::Completed => StageKind::Completed,
            Self::Failed => StageKind::Failed,
        }
    }
}

#[derive(Serialize)]
struct Page {
    onboardings: Vec<Line>,
    next: Option<OnboardingId>,
}

#[derive(Serialize)]
struct Line {
    id: OnboardingId,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    stage: StageKind,
    revision: Revision,
    changed_at: DateTime<Utc>,
}

impl From<Listed> for Line {
    fn from(listed: Listed) -> Self {
        Self {
            id: listed.id,
            tenant: listed.key.tenant,
            flow: listed.key.flow,
            subject: listed.key.subject,
            stage: listed.stage,
            revision: listed.revision,
            changed_at: listed.changed_at,
        }
    }
}

impl Args {
    fn is_for(&self, listed: &Listed) -> bool {
        let of_tenant = self.tenant.as_ref().is_none_or(|t| listed.key.tenant == *t);
        let of_flow = self.flow.as_ref();
        let of_flow = of_flow.is_none_or(|flow| listed.key.flow == *flow.as_str());
        let in_stage = self.stage.is_none_or(|stage| listed.stage == stage.kind());
        let after = self.after.is_none_or(|after| listed.id > after);
        of_tenant && of_flow && in_stage && after
    }
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let page = match (&args.tenant, &args.subject) {
        (Some(tenant), Some(subject)) => {
            let mut listed = cx.store.of_subject(tenant, subject).await?;
            listed.retain(|listed| args.is_for(listed));
            listed.sort_by_key(|listed| listed.id);
            let next = listed.get(args.limit).is_some();
            listed.truncate(args.limit);
            let next = listed.last().filter(|_| next).map(|last| last.id);
            let onboardings = listed.into_iter().map(Line::from).collect();
            Page { onboardings, next }
        }
        _ => page(cx, args).await?,
    };
    let mut table = cx.look.table(&[
        "TENANT", "SUBJECT", "FLOW", "STAGE", "REVISION", "CHANGED", "ID",
    ]);
    for line in &page.onboardings {
        table.row([
            Shown::from(&line.tenant),
            Shown::from(&line.subject),
            Shown::from(&line.flow),
            table::stage(line.stage),
            Shown::from(line.revision),
            Shown::from(shown(line.changed_at)),
            Shown::from(line.id),
        ]);
    }
    let text = match (page.onboardings.is_empty(), page.next) {
        (true, _) => "there is no such onboarding".to_owned(),
        (false, None) => table.into_text(),
        (false, Some(next)) => format!("{}\nthere may be more: --after {next}", table.into_text()),
    };
    Answer::new(page, text)
}

/// Goes over what is stored until the page is full.
async fn page(cx: &Context<'_>, args: &Args) -> Result<Page, Problem> {
    let mut onboardings = Vec::new();
    let mut after = args.after;
    loop {
        let listed = cx.store.list(after, PAGE).await?;
        let Some(last) = listed.last() else {
            let next = None;
            return Ok(Page { onboardings, next });
        };
        after = Some(last.id);
        for listed in listed.into_iter().filter(|listed| args.is_for(listed)) {
            // One more than fits is what tells that there are more.
            if onboardings.len() >= args.limit {
                let next = onboardings.last().map(|line: &Line| line.id);
                return Ok(Page { onboardings, next });
            }
            onboardings.push(Line::from(listed));
        }
    }
}
