//! Which onboardings there are.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::{self, Shown};
use crate::cli::target::{by_identity, onboarding, subject, tenant};
use crate::cli::time::shown;
use crate::lifecycle::StageKind;
use crate::store::{Listed, Store, TenantRequest};
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
    /// Only those after this one: the next page
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
        of_tenant && of_flow && in_stage
    }
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let page = match (&args.tenant, &args.subject) {
        (Some(tenant), Some(subject)) => {
            let mut listed = cx.store.of_subject(tenant, subject).await?;
            let later = |listed: &Listed| args.after.is_none_or(|after| listed.id > after);
            listed.retain(|listed| args.is_for(listed) && later(listed));
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

/// Goes over what is stored, of the tenant if one is named, until the page is full.
async fn page(cx: &Context<'_>, args: &Args) -> Result<Page, Problem> {
    let mut onboardings = Vec::new();
    let mut pages = Pages::of(&*cx.store, args).await?;
    loop {
        let listed = pages.next(&*cx.store).await?;
        if listed.is_empty() {
            let next = None;
            return Ok(Page { onboardings, next });
        }
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

/// Where a list goes on.
enum Pages {
    /// In the order of subjects: of a tenant nothing else has that order, nor another one.
    OfTenant(TenantRequest),
    /// In the order of identities.
    OfAll(Option<OnboardingId>),
}

impl Pages {
    async fn of(store: &dyn Store, args: &Args) -> Result<Self, Problem> {
        let Some(tenant) = &args.tenant else {
            return Ok(Self::OfAll(args.after));
        };
        let mut request = TenantRequest::new(tenant).limit(PAGE);
        request.flow = args.flow.clone().map(FlowName::from_text);
        if let Some(after) = args.after {
            let last = by_identity(store, tenant, after).await?;
            let last = last.ok_or_else(|| gone(after, tenant))?;
            request = request.after(&last.key);
        }
        Ok(Self::OfTenant(request))
    }

    async fn next(&mut self, store: &dyn Store) -> Result<Vec<Listed>, Problem> {
        match self {
            Self::OfTenant(request) => {
                let listed = store.of_tenant(request).await?;
                if let Some(last) = listed.last() {
                    *request = request.clone().after(&last.key);
                }
                Ok(listed)
            }
            Self::OfAll(after) => {
                let listed = store.list(*after, PAGE).await?;
                *after = listed.last().map(|last| last.id).or(*after);
                Ok(listed)
            }
        }
    }
}

fn gone(after: OnboardingId, tenant: &TenantId) -> Problem {
    let tenant = tenant.as_str();
    let message = format!("there is no onboarding {after} in tenant {tenant:?} to go on after");
    Problem::new("absent", message).hint("begin again without --after")
}
