//! Everything of a subject: handed out, or erased.

use clap::Args;
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::commands::act::By;
use crate::cli::confirm::confirm;
use crate::cli::problem::{Exit, Problem};
use crate::cli::run::Context;
use crate::cli::target::{Target, subject, tenant};
use crate::store::StoreExt;
use crate::{OnboardingId, SubjectId, TenantId};

/// Whose.
#[derive(Args, Debug)]
struct Whose {
    /// The tenant
    #[arg(long, value_parser = tenant)]
    tenant: TenantId,
    /// The subject, with all its onboardings of whatever flow
    #[arg(long, value_parser = subject)]
    subject: SubjectId,
}

impl Whose {
    /// How many onboardings there are; an error when there is none.
    async fn count(&self, cx: &Context<'_>) -> Result<usize, Problem> {
        let target = Target {
            tenant: self.tenant.clone(),
            subject: Some(self.subject.clone()),
            id: None,
            flow: None,
        };
        Ok(target.all(&*cx.store).await?.len())
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    whose: Whose,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Erase {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    by: By,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// JSON for people too: it is what a subject is given.
pub(in crate::cli) async fn export(cx: &Context<'_>, args: &Export) -> Result<Answer, Problem> {
    args.whose.count(cx).await?;
    let Whose { tenant, subject } = &args.whose;
    let export = cx.store.export_subject(tenant, subject).await?;
    let text = serde_json::to_string_pretty(&export);
    let text = text.map_err(|error| Problem::new("internal", error.to_string()))?;
    Answer::new(export, text)
}

#[derive(Serialize)]
struct Erased {
    erased: Vec<OnboardingId>,
    kept: Vec<Kept>,
}

#[derive(Serialize)]
struct Kept {
    id: OnboardingId,
    because: String,
}

pub(in crate::cli) async fn erase(cx: &Context<'_>, args: &Erase) -> Result<Answer, Problem> {
    let count = args.whose.count(cx).await?;
    let Whose { tenant, subject } = &args.whose;
    let what = format!("erase the facts of {count} onboarding(s) of {tenant}/{subject}");
    confirm(args.yes, &what)?;
    let by = args.by.actor();
    let erasure = cx.store.erase_subject(tenant, subject, &by, cx.now).await?;
    let mut text = format!("{} without facts now", erasure.erased.len());
    let mut kept = Vec::new();
    for (id, why) in erasure.kept {
        let because = why.to_string();
        text += &format!("\nkept {id}: {because}; cancel it, and erase again when it has ended");
        kept.push(Kept { id, because });
    }
    let exit = match kept.is_empty() {
        true => Exit::Done,
        false => Exit::Failed,
    };
    let erased = erasure.erased;
    Ok(Answer::new(Erased { erased, kept }, text)?.ending(exit))
}
