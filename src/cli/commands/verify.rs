//! Is everything as its journal says?

use clap::ArgGroup;
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::problem::{Exit, Problem};
use crate::cli::run::Context;
use crate::cli::table::{Shown, bad};
use crate::cli::target::{Found, Target, onboarding, subject, tenant};
use crate::store::{ErrorKind, StoreExt, Unverified, Verified};
use crate::{FlowName, OnboardingId, SubjectId, TenantId};

/// Onboardings that are listed at once.
const PAGE: usize = 200;

/// How often one that moves on meanwhile is looked at.
const TRIES: u32 = 4;

#[derive(clap::Args, Debug)]
#[command(group = ArgGroup::new("which").args(["all", "subject", "id"]).required(true))]
pub(in crate::cli) struct Args {
    /// Everything that is stored, of all tenants unless one is named
    #[arg(long)]
    all: bool,
    /// The tenant
    #[arg(long, value_parser = tenant, required_unless_present = "all")]
    tenant: Option<TenantId>,
    /// All onboardings of a subject
    #[arg(long, value_parser = subject)]
    subject: Option<SubjectId>,
    /// One onboarding, by the identity that `list` shows
    #[arg(long, value_parser = onboarding)]
    id: Option<OnboardingId>,
    /// Only those in a flow
    #[arg(long)]
    flow: Option<String>,
}

#[derive(Serialize, Default)]
struct Verification {
    holds: bool,
    verified: usize,
    entries: u64,
    facts: usize,
    broken: Vec<Broken>,
}

#[derive(Serialize)]
struct Broken {
    id: OnboardingId,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    code: &'static str,
    message: String,
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let mut done = Verification::default();
    match &args.tenant {
        Some(tenant) if !args.all => {
            let target = Target {
                tenant: tenant.clone(),
                subject: args.subject.clone(),
                id: args.id,
                flow: args.flow.clone(),
            };
            for found in target.all(&*cx.store).await? {
                done.look_at(cx, found).await?;
            }
        }
        tenant => everything(cx, args, tenant.as_ref(), &mut done).await?,
    }
    done.holds = done.broken.is_empty();
    let mut text = format!(
        "{} onboardings hold: {} journal entries, {} facts",
        done.verified, done.entries, done.facts
    );
    let exit = match done.holds {
        true => Exit::Done,
        false => {
            let mut table = cx
                .look
                .table(&["TENANT", "SUBJECT", "FLOW", "ID", "WHAT IS WRONG"]);
            for broken in &done.broken {
                table.row([
                    Shown::from(&broken.tenant),
                    Shown::from(&broken.subject),
                    Shown::from(&broken.flow),
                    Shown::from(broken.id),
                    bad(&broken.message),
                ]);
            }
            text += &format!("\n{} do not:\n{}", done.broken.len(), table.into_text());
            Exit::Found
        }
    };
    Ok(Answer::new(done, text)?.ending(exit))
}

async fn everything(
    cx: &Context<'_>,
    args: &Args,
    tenant: Option<&TenantId>,
    done: &mut Verification,
) -> Result<(), Problem> {
    let bar = cx.spinner("verified");
    let is_meant = |found: &Found| {
        let of_tenant = tenant.is_none_or(|tenant| found.key.tenant == *tenant);
        let flow = args.flow.as_ref();
        of_tenant && flow.is_none_or(|flow| found.key.flow == *flow.as_str())
    };
    let mut after = None;
    loop {
        let page = cx.store.list(after, PAGE).await?;
        let Some(last) = page.last() else {
            bar.finish_and_clear();
            return Ok(());
        };
        after = Some(last.id);
        for found in page.into_iter().map(Found::from).filter(is_meant) {
            done.look_at(cx, found).await?;
            bar.inc(1);
        }
    }
}

impl Verification {
    async fn look_at(&mut self, cx: &Context<'_>, found: Found) -> Result<(), Problem> {
        let Found { id, key } = found;
        let (code, message) = match verified(cx, &key.tenant, id).await {
            Ok(verified) => {
                self.verified += 1;
                self.entries += verified.entries;
                self.facts += verified.facts;
                return Ok(());
            }
            // It was deleted meanwhile.
            Err(Unverified::Absent) => return Ok(()),
            Err(Unverified::Store(error)) if error.kind() == ErrorKind::Corrupt => {
                ("unreadable", error.to_string())
            }
            Err(Unverified::Store(error)) => return Err(error.into()),
            Err(why) => (code(&why), why.to_string()),
        };
        self.broken.push(Broken {
            id,
            tenant: key.tenant,
            flow: key.flow,
            subject: key.subject,
            code,
            message,
        });
        Ok(())
    }
}

/// One that is worked on right now is looked at again, so that it does not end a look at everything.
async fn verified(
    cx: &Context<'_>,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Verified, Unverified> {
    for _ in 1..TRIES {
        match cx.store.verify_journal(tenant, id).await {
            Err(Unverified::Store(error)) if error.is_retryable() => {}
            ended => return ended,
        }
    }
    cx.store.verify_journal(tenant, id).await
}

fn code(why: &Unverified) -> &'static str {
    match why {
        Unverified::Journal(_) => "journal",
        Unverified::Shortened { .. } => "shortened",
        Unverified::Head => "head",
        Unverified::State => "state",
        Unverified::Missing { .. } => "missing_fact",
        Unverified::Fact { .. } => "fact",
        _ => "unreadable",
    }
}
