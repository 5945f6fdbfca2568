//! A journal as people read it, for assertions that explain themselves.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::flow::Plan;
use crate::id::{OnboardingId, Revision, StepName, SubjectId, TenantId};
use crate::lifecycle::{Next, State, next};
use crate::store::{Error, JournalEntry, Store};

/// The entries read at once.
const PAGE: usize = 100;

/// What is told first, is the same for all, or says nothing to people.
const UNTOLD: [&str; 10] = [
    "event",
    "step",
    "at",
    "id",
    "tenant",
    "flow",
    "subject",
    "flow_version",
    "fingerprint",
    "fact",
];

/// The whole journal of an onboarding.
pub(super) async fn journal(
    store: &dyn Store,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Vec<JournalEntry>, Error> {
    let mut journal: Vec<JournalEntry> = Vec::new();
    loop {
        let after = journal.last().map_or(Revision::new(0), |e| e.revision);
        let page = store.journal(tenant, id, after, PAGE).await?;
        let full = page.len() == PAGE;
        journal.extend(page);
        if !full {
            return Ok(journal);
        }
    }
}

/// One line for each event, and one for how it stands.
pub(super) fn tell(
    journal: &[JournalEntry],
    state: Option<&State>,
    plan: &Plan,
    now: DateTime<Utc>,
    subject: &SubjectId,
    seed: u64,
) -> String {
    let mut lines = vec![format!(
        "journal of {subject} in {} (seed {seed}):",
        plan.flow()
    )];
    let begun = journal.first().map_or(now, |entry| entry.at);
    for entry in journal {
        // As text, so that events of every version can be told.
        let events: Vec<Value> = serde_json::from_str(&entry.events).unwrap_or_default();
        lines.extend(events.iter().map(|event| {
            let (at, by) = (since(begun, entry.at), entry.by.to_string());
            format!(
                "  {:>3}  {at:<14} {by:<8} {}",
                entry.revision,
                line(event, begun)
            )
        }));
    }
    let at = since(begun, now);
    lines.push(match state {
        None => "  nobody is enrolled".to_owned(),
        Some(state) => format!(
            "  now  {at:<14} {}",
            stands(state, &next(state, plan, now), begun)
        ),
    });
    lines.join("\n")
}

/// How it stands, in words.
pub(super) fn stands(state: &State, due: &Next, begun: DateTime<Utc>) -> String {
    let stage = state.stage();
    let at = |step: &Option<_>| match step {
        Some(step) => format!(" at {step}"),
        None => String::new(),
    };
    match (due, state.failed()) {
        (_, Some(failed)) => {
            let mut text = format!("{stage}: {}{}", failed.failure.code(), at(&failed.step));
            if !failed.remaining.is_empty() {
                let left: Vec<_> = failed.remaining.iter().map(StepName::as_str).collect();
                text.push_str(&format!("; not taken back: {}", left.join(", ")));
            }
            text
        }
        (Next::Nothing, _) => stage.to_string(),
        (Next::Wait { on, step, until }, _) => {
            let until = until.map(|until| format!(" until {}", since(begun, until)));
            let until = until.unwrap_or_default();
            format!(
                "{stage}, waits for the {}{}{until}",
                on.as_str().replace('_', " "),
                at(step)
            )
        }
        (due, _) => format!("{stage}, has to do: {due:?}"),
    }
}

/// The event's name, its step, and whatever else it says.
fn line(event: &Value, begun: DateTime<Utc>) -> String {
    let named = ["event", "step"]
        .into_iter()
        .filter_map(|name| event.get(name));
    let mut words: Vec<_> = named.map(|value| text(value, begun)).collect();
    for (name, value) in event.as_object().into_iter().flatten() {
        if !UNTOLD.contains(&name.as_str()) && !value.is_null() {
            words.push(format!("{name}={}", text(value, begun)));
        }
    }
    words.join(" ")
}

fn text(value: &Value, begun: DateTime<Utc>) -> String {
    match value {
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(at) => since(begun, at),
            Err(_) => text.clone(),
        },
        Value::Array(all) => {
            let all: Vec<_> = all.iter().map(|value| text(value, begun)).collect();
            format!("[{}]", all.join(", "))
        }
        // A failure: its code says it.
        Value::Object(fields) => match fields.get("code") {
            Some(code) => text(code, begun),
            None => {
                let all: Vec<_> = fields.values().map(|value| text(value, begun)).collect();
                all.join(" ")
            }
        },
        other => other.to_string(),
    }
}

/// How long after the beginning: `+2d 03:04:05.678`.
fn since(begun: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let passed: TimeDelta = at - begun;
    let (days, seconds) = (passed.num_days(), passed.num_seconds());
    let millis = passed.subsec_millis();
    let clock = format!(
        "{:02}:{:02}:{:02}.{millis:03}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    );
    match days {
        0 => format!("+{clock}"),
        days => format!("+{days}d {clock}"),
    }
}
