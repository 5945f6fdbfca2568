//! Where a subject is.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::{self, Look, Shown, maybe};
use crate::cli::target::{Found, Target};
use crate::cli::time::shown;
use crate::flow::Failure;
use crate::lifecycle::{Failed, Parked, StageKind, State, Undoing};
use crate::status::{Standing, Status};
use crate::store::StepProgress;
use crate::{FlowName, NotDone, OnboardingId, Revision, StepName, SubjectId, TenantId};

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Statuses {
    onboardings: Vec<Stored>,
}

/// What the stored state tells, and the status, when the flow is known.
#[derive(Serialize)]
struct Stored {
    id: OnboardingId,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    flow_version: u32,
    runs_under: u32,
    revision: Revision,
    stage: StageKind,
    created_at: DateTime<Utc>,
    first_login_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    dismissed_at: Option<DateTime<Utc>>,
    erased_at: Option<DateTime<Utc>>,
    parked: Option<Parked>,
    failed: Option<Failed>,
    undoing: Option<Undoing>,
    steps: Vec<Known>,
    progress: Option<StepProgress>,
    status: Option<Status>,
}

/// What the stored state tells of a step.
#[derive(Serialize)]
struct Known {
    step: StepName,
    has_fact: bool,
    has_draft: bool,
    settled_at: Option<DateTime<Utc>>,
    attempts: u32,
    retry_at: Option<DateTime<Utc>>,
    failure: Option<Failure>,
}

impl Stored {
    fn new(state: &State, progress: Option<StepProgress>, status: Option<Status>) -> Self {
        let key = state.key().clone();
        let steps = state.steps().map(|(step, known)| Known {
            step: step.clone(),
            has_fact: known.fact().is_some(),
            has_draft: known.draft().is_some(),
            settled_at: known.settled_at(),
            attempts: known.attempts(),
            retry_at: known.retry_at(),
            failure: known.failure().cloned(),
        });
        Self {
            id: state.id(),
            tenant: key.tenant,
            flow: key.flow,
            subject: key.subject,
            flow_version: state.flow_version(),
            runs_under: state.runs_under(),
            revision: state.revision(),
            stage: state.stage(),
            created_at: state.created_at(),
            first_login_at: state.first_login_at(),
            started_at: state.started_at(),
            completed_at: state.completed_at(),
            dismissed_at: state.dismissed_at(),
            erased_at: state.erased_at(),
            parked: state.parked().cloned(),
            failed: state.failed().cloned(),
            undoing: state.undoing().cloned(),
            steps: steps.collect(),
            progress,
            status,
        }
    }

    fn to_text(&self, look: Look) -> String {
        let mut table = look.table(&[]);
        let mut line = |name: &str, value: Shown| table.row([Shown::from(name), value]);
        line("onboarding", Shown::from(self.id));
        line(
            "flow",
            Shown::from(format!("{} {}", self.flow, self.runs_under)),
        );
        line("stage", table::stage(self.stage));
        line("revision", Shown::from(self.revision));
        if let Some(status) = &self.status {
            line("percent", Shown::from(status.percent));
            line("next", Shown::from(next(status)));
        }
        let moments = [
            ("created", Some(self.created_at)),
            ("first login", self.first_login_at),
            ("started", self.started_at),
            ("completed", self.completed_at),
            ("dismissed", self.dismissed_at),
            ("erased", self.erased_at),
        ];
        for (name, at) in moments {
            if let Some(at) = at {
                line(name, Shown::from(shown(at)));
            }
        }
        if let Some(parked) = &self.parked {
            line(
                "parked",
                table::bad(format!("{}: {}", shown(parked.at), parked.reason)),
            );
        }
        if let Some(failed) = &self.failed {
            let failure = &failed.failure;
            line(
                "failed",
                table::bad(format!("{} ({})", failure.message(), failure.code())),
            );
            if !failed.remaining.is_empty() {
                line("not taken back", table::bad(names(&failed.remaining)));
            }
        }
        if let Some(undoing) = &self.undoing {
            line("taking back", Shown::from(names(&undoing.steps)));
        }
        if let Some(progress) = &self.progress {
            let (step, done, of) = (&progress.step, progress.done, progress.of);
            line(
                "progress",
                Shown::from(format!("{step}: {done} of {of}, {}", progress.message)),
            );
        }
        let who = format!("{}/{}/{}", self.tenant, self.flow, self.subject);
        format!("{who}\n{}\n\n{}", table.into_text(), self.steps(look))
    }

    fn steps(&self, look: Look) -> String {
        let known = |name: &StepName| self.steps.iter().find(|known| known.step == *name);
        let mut table = look.table(&[
            "STEP",
            "STANDS",
            "SETTLED",
            "ATTEMPTS",
            "TRIED AGAIN",
            "FAILURE",
        ]);
        let mut row = |step: &StepName, stands: Shown, known: Option<&Known>| {
            table.row([
                Shown::from(step),
                stands,
                maybe(known.and_then(|k| k.settled_at).map(shown)),
                maybe(known.map(|k| k.attempts).filter(|attempts| *attempts > 0)),
                maybe(known.and_then(|k| k.retry_at).map(shown)),
                maybe(known.and_then(|k| k.failure.as_ref()).map(Failure::code)),
            ]);
        };
        match &self.status {
            Some(status) => {
                for step in &status.steps {
                    let stands = step.state.as_str();
                    let stands = match step.state {
                        Standing::Failed => table::bad(stands),
                        _ => Shown::from(stands),
                    };
                    row(&step.key, stands, known(&step.key));
                }
            }
            None => {
                for known in &self.steps {
                    let stands = if known.has_fact { "has its fact" } else { "" };
                    row(&known.step, Shown::from(stands), Some(known));
                }
            }
        }
        table.into_text()
    }
}

fn names(steps: &[StepName]) -> String {
    let names: Vec<_> = steps.iter().map(StepName::as_str).collect();
    names.join(", ")
}

/// The action and what it is about, as they are in JSON.
fn next(status: &Status) -> String {
    let value = serde_json::to_value(&status.next_action).unwrap_or_default();
    let word = |key: &str| value[key].as_str().map(str::to_owned);
    let mut text = word("action").unwrap_or_default();
    for (key, before) in [("on", " for "), ("step", ": "), ("until", " until ")] {
        if let Some(word) = word(key) {
            text += &format!("{before}{word}");
        }
    }
    text
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let mut onboardings = Vec::new();
    for Found { id, key } in args.target.all(&*cx.store).await? {
        let row = cx.store.load(&key.tenant, id).await?;
        let state = row.ok_or(NotDone::Absent)?.state;
        let progress = cx.store.progress(&key.tenant, id).await?;
        let rules = cx.flows.get(key.flow.as_str());
        let status = rules.map(|rules| Status::of(&state, rules.plan(), cx.now));
        onboardings.push(Stored::new(&state, progress, status));
    }
    let texts: Vec<_> = onboardings.iter().map(|one| one.to_text(cx.look)).collect();
    Answer::new(Statuses { onboardings }, texts.join("\n\n"))
}
