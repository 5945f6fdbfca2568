//! What operators may do to an onboarding: retry, waive, cancel, park, unpark.

use clap::Args;
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::confirm::confirm;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::target::{Found, Target};
use crate::lifecycle::StageKind;
use crate::{Actor, Bulk, FlowName, OnboardingId, Reason, StepName, SubjectId, TenantId};

/// Who does it.
#[derive(Args, Debug)]
pub(in crate::cli) struct By {
    /// Your name: the journal keeps it
    #[arg(long, env = "ONRAMP_OPERATOR", value_parser = operator)]
    operator: String,
}

impl By {
    pub(super) fn actor(&self) -> Actor {
        Actor::Operator(self.operator.clone())
    }
}

/// By the rule of reasons, so that a name is refused before anything is done.
fn operator(text: &str) -> Result<String, String> {
    let wrong = "give a name of 1 to 128 bytes, without control characters or outer white space";
    let name = Reason::new(text).map_err(|_| wrong.to_owned())?;
    Ok(name.into())
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Retry {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    by: By,
    /// Go on taking back what could not be taken back
    #[arg(long)]
    undo: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Waive {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    by: By,
    /// The step, by its stored name
    #[arg(long)]
    step: String,
    /// Why the exception is made, a ticket say: the journal keeps it, so no personal data
    #[arg(long, value_parser = reason)]
    reason: Reason,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Cancel {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    by: By,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Park {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    by: By,
    /// Why, a ticket say: the journal keeps it, so no personal data
    #[arg(long, value_parser = reason)]
    reason: Reason,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Unpark {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    by: By,
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::new(text).map_err(|error| error.to_string())
}

/// One of them, with what it is about.
pub(in crate::cli) struct Wish {
    target: Target,
    by: By,
    action: Bulk,
    /// Whether it needs no confirmation.
    yes: bool,
}

impl Wish {
    fn new(target: Target, by: By, action: Bulk) -> Self {
        Self {
            target,
            by,
            action,
            yes: true,
        }
    }
}

impl From<Retry> for Wish {
    fn from(retry: Retry) -> Self {
        let action = match retry.undo {
            true => Bulk::RetryUndo,
            false => Bulk::Retry,
        };
        Self::new(retry.target, retry.by, action)
    }
}

impl From<Waive> for Wish {
    fn from(waive: Waive) -> Self {
        let step = StepName::from_text(waive.step);
        let reason = waive.reason;
        Self::new(waive.target, waive.by, Bulk::Waive { step, reason })
    }
}

impl From<Cancel> for Wish {
    fn from(cancel: Cancel) -> Self {
        let yes = cancel.yes;
        Self {
            yes,
            ..Self::new(cancel.target, cancel.by, Bulk::Cancel)
        }
    }
}

impl From<Park> for Wish {
    fn from(park: Park) -> Self {
        Self::new(park.target, park.by, Bulk::Park(park.reason))
    }
}

impl From<Unpark> for Wish {
    fn from(unpark: Unpark) -> Self {
        Self::new(unpark.target, unpark.by, Bulk::Unpark)
    }
}

#[derive(Serialize)]
struct Done {
    operation: &'static str,
    id: OnboardingId,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    /// The stage that it is in then.
    stage: StageKind,
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, wish: Wish) -> Result<Answer, Problem> {
    let Found { id, key } = wish.target.one(&*cx.store).await?;
    let rules = cx.flows.of(key.flow.as_str())?;
    let operation = wish.action.as_str();
    confirm(wish.yes, &format!("{operation} {key}"))?;
    let of = (&key.tenant, id);
    let by = wish.by.actor();
    let stage = rules.act(&cx.store, of, wish.action, &by).await?;
    let text = format!("{operation}: {key} is {stage}");
    let done = Done {
        operation,
        id,
        tenant: key.tenant,
        flow: key.flow,
        subject: key.subject,
        stage,
    };
    Answer::new(done, text)
}
