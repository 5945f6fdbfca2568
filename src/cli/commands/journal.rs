//! What happened to an onboarding.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::Shown;
use crate::cli::target::{Found, Target};
use crate::cli::time::shown;
use crate::lifecycle::Digest;
use crate::store::JournalEntry;
use crate::{CommandId, FlowName, OnboardingId, Revision, SubjectId, TenantId};

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    target: Target,
    /// Only what happened after this revision: the next page
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// How many entries at most
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

#[derive(Serialize)]
struct Journal {
    id: OnboardingId,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    entries: Vec<Entry>,
    next: Option<Revision>,
}

#[derive(Serialize)]
struct Entry {
    revision: Revision,
    at: DateTime<Utc>,
    by: String,
    command: CommandId,
    hash: Digest,
    /// As they are stored, so that what a newer program wrote can be read too.
    events: Value,
}

impl From<JournalEntry> for Entry {
    fn from(entry: JournalEntry) -> Self {
        // What is no JSON was tampered with; it is shown all the same.
        let events = serde_json::from_str(&entry.events).unwrap_or(Value::String(entry.events));
        Self {
            revision: entry.revision,
            at: entry.at,
            by: entry.by.to_string(),
            command: entry.command,
            hash: entry.hash,
            events,
        }
    }
}

impl Entry {
    /// The names of the events and of their steps.
    fn names(&self) -> String {
        let Some(events) = self.events.as_array() else {
            return self.events.to_string();
        };
        let names = events.iter().map(|event| {
            let name = event["event"].as_str().unwrap_or("?");
            match event["step"].as_str() {
                Some(step) => format!("{name} {step}"),
                None => name.to_owned(),
            }
        });
        names.collect::<Vec<_>>().join(", ")
    }
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let Found { id, key } = args.target.one(&*cx.store).await?;
    let after = Revision::new(args.after);
    let one_more = args.limit.saturating_add(1);
    let mut entries = cx.store.journal(&key.tenant, id, after, one_more).await?;
    let more = entries.len() > args.limit;
    entries.truncate(args.limit);
    let entries: Vec<_> = entries.into_iter().map(Entry::from).collect();
    let next = entries.last().filter(|_| more).map(|last| last.revision);

    let mut table = cx.look.table(&["REVISION", "AT", "BY", "WHAT HAPPENED"]);
    for entry in &entries {
        table.row([
            Shown::from(entry.revision),
            Shown::from(shown(entry.at)),
            Shown::from(&entry.by),
            Shown::from(entry.names()),
        ]);
    }
    let mut text = format!("{key} ({id})\n{}", table.into_text());
    if let Some(next) = next {
        text += &format!("\nthere is more: --after {next}");
    }
    let journal = Journal {
        id,
        tenant: key.tenant,
        flow: key.flow,
        subject: key.subject,
        entries,
        next,
    };
    Answer::new(journal, text)
}
