//! What became of everybody: as a table for people, as JSON lines for programs.

use std::error::Error;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use onramp::flow::{Kind, Plan};
use onramp::lifecycle::{StageKind, State, phase};
use onramp::prelude::*;
use onramp::{Clock, SystemClock};
use serde_json::json;

use crate::signup::{Signup, Signups};
use crate::workspace::{ApiKey, ReservedSlug, Workspace};

pub(crate) struct Report {
    lines: Vec<Line>,
}

struct Line {
    tenant: String,
    subject: String,
    stage: StageKind,
    phase: Option<&'static str>,
    percent: u8,
    outstanding: Vec<String>,
    /// What keeps an outstanding form from being sent, in words.
    unset: Vec<&'static str>,
    slug: Option<String>,
    key: Option<String>,
    attempts: u32,
    failure: Option<(String, String)>,
    millis: Option<i64>,
}

impl Report {
    /// Looks everybody up. Runs nothing.
    pub(crate) async fn load(
        onramp: &Onramp<Workspace>,
        signups: &Signups,
    ) -> Result<Self, Box<dyn Error>> {
        let mut lines = Vec::new();
        for signup in &signups.accepted {
            let Some(found) = onramp.open(&signup.tenant, &signup.subject).await? else {
                continue;
            };
            let facts = onramp.facts(&signup.tenant, found.id()).await?;
            let ended = match &found {
                Loaded::Completed(done) => Some(done.stage().at),
                Loaded::Failed(failed) => Some(failed.stage().at),
                _ => None,
            };
            let state = found.into_state();
            let mut line = Line::of(&state, onramp.flow().plan(), signup);
            line.slug = facts.get::<ReservedSlug>()?.map(|r| r.slug.to_string());
            line.key = facts.get::<ApiKey>()?.map(|key| key.fingerprint);
            line.millis = ended.map(|at| (at - state.created_at()).num_milliseconds());
            lines.push(line);
        }
        Ok(Self { lines })
    }

    pub(crate) fn print_json(&self, signups: &Signups) -> Result<(), serde_json::Error> {
        for line in &self.lines {
            let failure = line.failure.as_ref();
            let failure = failure.map(|(code, text)| json!({"code": code, "message": text}));
            let object = json!({
                "tenant": line.tenant,
                "subject": line.subject,
                "stage": line.stage,
                "phase": line.phase,
                "percent": line.percent,
                "outstanding": line.outstanding,
                "slug": line.slug,
                "attempts": line.attempts,
                "failure": failure,
            });
            println!("{}", serde_json::to_string(&object)?);
        }
        let summary = json!({"summary": {
            "lines": signups.lines,
            "accepted": signups.accepted.len() + signups.repeated,
            "refused": signups.refused.len(),
            "completed": self.count(StageKind::Completed),
            "in_progress": self.count(StageKind::InProgress) + self.count(StageKind::Pending),
            "failed": self.count(StageKind::Failed),
        }});
        println!("{}", serde_json::to_string(&summary)?);
        Ok(())
    }

    pub(crate) fn print_table(&self, before: &Self, signups: &Signups, data: &Path) {
        if signups.lines == 0 {
            println!("The file is empty: there is nothing to do.");
            return;
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header([
                "tenant",
                "subject",
                "stage",
                "%",
                "outstanding",
                "slug",
                "key",
                "attempts",
                "time",
            ]);
        for line in &self.lines {
            table.add_row([
                line.tenant.clone(),
                line.subject.clone(),
                line.stage.to_string(),
                line.percent.to_string(),
                line.open(),
                line.slug.clone().unwrap_or_default(),
                line.key.clone().unwrap_or_default(),
                line.attempts.to_string(),
                line.millis.map(|ms| format!("{ms} ms")).unwrap_or_default(),
            ]);
        }
        for right in [3, 7, 8] {
            if let Some(column) = table.column_mut(right) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        println!("{table}");
        println!(
            "{} lines: {} completed, {} waiting, {} failed, {} refused",
            signups.lines,
            self.count(StageKind::Completed),
            self.count(StageKind::InProgress) + self.count(StageKind::Pending),
            self.count(StageKind::Failed),
            signups.refused.len(),
        );
        let already = before.count(StageKind::Completed);
        if already > 0 {
            println!("{already} were complete before: nothing was done twice.");
        }
        if self.count(StageKind::Failed) > 0 {
            println!("What failed was taken back; try again with --retry-failed.");
        }
        println!("Everything is in {}; run again to go on.", data.display());
    }

    fn count(&self, stage: StageKind) -> usize {
        self.lines.iter().filter(|line| line.stage == stage).count()
    }
}

impl Line {
    fn of(state: &State, plan: &Plan, signup: &Signup) -> Self {
        let over = matches!(state.stage(), StageKind::Completed | StageKind::Failed);
        let awaited = plan.steps().iter().filter(|step| {
            let from_people = step.kind() != Kind::Task && !step.is_optional();
            !over && from_people && !state.progress(step).is_settled()
        });
        let unset = [
            ("currency", signup.currency.is_none()),
            ("timezone", signup.timezone.is_none()),
        ];
        let attempts = plan
            .steps()
            .iter()
            .filter_map(|s| state.step(s.name().as_str()));
        let failure = state.failed().map(|failed| &failed.failure);
        Self {
            tenant: signup.tenant.to_string(),
            subject: signup.subject.to_string(),
            stage: state.stage(),
            phase: phase(state, plan, SystemClock.now()).map(onramp::lifecycle::Phase::as_str),
            percent: state.percent(plan),
            outstanding: awaited.map(|step| step.name().to_string()).collect(),
            unset: unset
                .iter()
                .filter(|(_, is)| *is)
                .map(|(name, _)| *name)
                .collect(),
            slug: None,
            key: None,
            attempts: attempts.map(onramp::lifecycle::StepState::attempts).sum(),
            failure: failure.map(|f| (f.code().to_owned(), f.message().to_owned())),
            millis: None,
        }
    }

    fn open(&self) -> String {
        match &self.failure {
            Some((code, _)) => code.clone(),
            None if self.unset.is_empty() => self.outstanding.join(", "),
            None => format!(
                "{} ({} unset)",
                self.outstanding.join(", "),
                self.unset.join(", ")
            ),
        }
    }
}
