//! Messages to be delivered, and those that were given up.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Subcommand};
use serde::Serialize;
use uuid::Uuid;

use crate::cli::answer::Answer;
use crate::cli::problem::{Exit, Problem};
use crate::cli::run::Context;
use crate::cli::table::Shown;
use crate::cli::time::shown;
use crate::store::{DeadLetter, OutboxLag};
use crate::{FlowName, OnboardingId, Revision, SubjectId, TenantId};

/// Dead messages that are read at once.
const PAGE: usize = 500;

#[derive(Subcommand, Debug)]
pub(in crate::cli) enum Command {
    /// How far delivery is behind
    Lag,
    /// List dead messages, those longest dead first
    Dead {
        /// How many at most
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Make dead messages due at once
    Revive(Revive),
}

#[derive(clap::Args, Debug)]
#[command(group = ArgGroup::new("which").args(["all", "id"]).required(true))]
pub(in crate::cli) struct Revive {
    /// A dead message; may be given more than once
    #[arg(long)]
    id: Vec<Uuid>,
    /// All that are dead now
    #[arg(long)]
    all: bool,
}

/// As the store's, in seconds.
#[derive(Serialize, Clone, Copy)]
pub(super) struct Lag {
    oldest_seconds: Option<f64>,
    dead: u64,
}

impl From<OutboxLag> for Lag {
    fn from(lag: OutboxLag) -> Self {
        Self {
            oldest_seconds: lag.oldest.map(|oldest| oldest.as_secs_f64()),
            dead: lag.dead,
        }
    }
}

impl std::fmt::Display for Lag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.oldest_seconds {
            Some(oldest) => write!(f, "the oldest message waits for {oldest:.0} s")?,
            None => f.write_str("no message waits")?,
        }
        write!(f, ", {} dead", self.dead)
    }
}

#[derive(Serialize)]
struct Dead {
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Message {
    id: Uuid,
    topic: String,
    tenant: TenantId,
    flow: FlowName,
    subject: SubjectId,
    onboarding: OnboardingId,
    revision: Revision,
    at: DateTime<Utc>,
    reason: String,
    attempts: u32,
    since: DateTime<Utc>,
}

impl From<DeadLetter> for Message {
    fn from(dead: DeadLetter) -> Self {
        let message = dead.message;
        Self {
            id: message.id,
            topic: message.topic,
            tenant: message.key.tenant,
            flow: message.key.flow,
            subject: message.key.subject,
            onboarding: message.onboarding,
            revision: message.revision,
            at: message.at,
            reason: dead.reason,
            attempts: dead.attempts,
            since: dead.since,
        }
    }
}

#[derive(Serialize, Default)]
struct Revived {
    revived: Vec<Uuid>,
    absent: Vec<Uuid>,
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, command: &Command) -> Result<Answer, Problem> {
    match command {
        Command::Lag => {
            let lag = Lag::from(cx.store.outbox_lag().await?);
            Answer::new(lag, lag.to_string())
        }
        Command::Dead { limit } => dead(cx, *limit).await,
        Command::Revive(wish) => revive(cx, wish).await,
    }
}

async fn dead(cx: &Context<'_>, limit: usize) -> Result<Answer, Problem> {
    let dead = cx.store.dead_outbox(limit).await?;
    let messages: Vec<_> = dead.into_iter().map(Message::from).collect();
    let mut table = cx.look.table(&[
        "SINCE", "TENANT", "SUBJECT", "FLOW", "TOPIC", "REASON", "ATTEMPTS", "ID",
    ]);
    for message in &messages {
        table.row([
            Shown::from(shown(message.since)),
            Shown::from(&message.tenant),
            Shown::from(&message.subject),
            Shown::from(&message.flow),
            Shown::from(&message.topic),
            Shown::from(&message.reason),
            Shown::from(message.attempts),
            Shown::from(message.id),
        ]);
    }
    let text = match messages.is_empty() {
        true => "no message is dead".to_owned(),
        false => table.into_text(),
    };
    Answer::new(Dead { messages }, text)
}

async fn revive(cx: &Context<'_>, wish: &Revive) -> Result<Answer, Problem> {
    let mut done = Revived::default();
    let mut seen = BTreeSet::new();
    for id in &wish.id {
        match cx.store.revive_outbox(*id).await? {
            true => done.revived.push(*id),
            false => done.absent.push(*id),
        }
    }
    // The longest dead are first. One that was revived and is dead again is behind all others.
    let mut more = wish.all;
    while more {
        more = false;
        for dead in cx.store.dead_outbox(PAGE).await? {
            let id = dead.message.id;
            if seen.insert(id) {
                more = true;
                if cx.store.revive_outbox(id).await? {
                    done.revived.push(id);
                }
            }
        }
    }
    let mut text = format!("{} due at once", done.revived.len());
    for id in &done.absent {
        text += &format!("\n{id} is not dead, or not there");
    }
    let exit = match done.absent.is_empty() {
        true => Exit::Done,
        false => Exit::Failed,
    };
    Ok(Answer::new(done, text)?.ending(exit))
}
