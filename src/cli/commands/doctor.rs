//! What is wrong that nobody has noticed yet.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::commands::outbox::Lag;
use crate::cli::problem::{Exit, Problem};
use crate::cli::run::Context;
use crate::cli::table::{Shown, bad, maybe};
use crate::cli::time::{duration, shown};
use crate::lifecycle::StageKind;
use crate::store::{ErrorKind, Listed, OutboxLag};
use crate::{Ailing, FlowName, OnboardingId, StepName, TenantId};

/// Onboardings that are listed at once.
const PAGE: usize = 200;

/// How many of each kind are named in each flow, as the library's own look does.
const NAMED: usize = 100;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// How long something may be due before that is wrong; longer than a task may take
    #[arg(long, value_parser = duration, default_value = "10m")]
    patience: Duration,
}

#[derive(Serialize, Default)]
struct Diagnosis {
    well: bool,
    looked_at: usize,
    flows: Vec<Looked>,
    findings: Vec<Finding>,
    outbox: Option<Lag>,
}

#[derive(Serialize)]
struct Looked {
    flow: FlowName,
    /// Whether its rules are: without them nobody can tell what is neglected.
    known: bool,
    looked_at: usize,
}

#[derive(Serialize)]
struct Finding {
    code: &'static str,
    message: String,
    tenant: Option<TenantId>,
    flow: Option<FlowName>,
    id: Option<OnboardingId>,
    step: Option<StepName>,
    since: Option<DateTime<Utc>>,
}

const NEGLECTED: (&str, &str) = ("neglected", "due for long: does a worker of this flow run?");
const UNREADABLE: (&str, &str) = (
    "unreadable",
    "this program cannot read it: is it of a newer version, or was it changed by hand?",
);
const REMAINING: (&str, &str) = (
    "not_taken_back",
    "it failed, and an effect could not be taken back: look at it, then `retry --undo`",
);

impl Finding {
    fn of_all(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            tenant: None,
            flow: None,
            id: None,
            step: None,
            since: None,
        }
    }

    fn ailing((code, message): (&'static str, &str), flow: &FlowName, ailing: Ailing) -> Self {
        Self {
            tenant: Some(ailing.tenant),
            flow: Some(flow.clone()),
            id: Some(ailing.id),
            step: ailing.step,
            since: Some(ailing.since),
            ..Self::of_all(code, message)
        }
    }

    fn listed(
        (code, message): (&'static str, &str),
        listed: Listed,
        step: Option<StepName>,
    ) -> Self {
        Self {
            tenant: Some(listed.key.tenant),
            flow: Some(listed.key.flow),
            id: Some(listed.id),
            step,
            since: Some(listed.changed_at),
            ..Self::of_all(code, message)
        }
    }
}

/// A database that cannot be read is a finding too, when that is its own fault.
pub(in crate::cli) fn unusable(problem: Problem) -> Result<Answer, Problem> {
    if !matches!(problem.code(), "schema" | "corrupt") {
        return Err(problem);
    }
    let finding = Finding::of_all(problem.code(), problem.message());
    let text = format!("1 finding: {}", finding.message);
    let diagnosis = Diagnosis {
        findings: vec![finding],
        ..Diagnosis::default()
    };
    Ok(Answer::new(diagnosis, text)?.ending(Exit::Found))
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    diagnose(cx, args).await.or_else(unusable)
}

async fn diagnose(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let outbox = cx.store.outbox_lag().await?;
    let mut diagnosis = Diagnosis {
        outbox: Some(outbox.into()),
        ..Diagnosis::default()
    };
    diagnosis.deliveries(outbox, args.patience);
    let bar = cx.spinner("looked at");
    for rules in cx.flows.iter() {
        let found = rules.doctor(&cx.store, args.patience).await?;
        let flow = rules.plan().flow();
        bar.inc(u64::try_from(found.looked_at).unwrap_or(u64::MAX));
        diagnosis.saw(flow, true, found.looked_at);
        let kinds = [
            (NEGLECTED, found.neglected),
            (UNREADABLE, found.unreadable),
            (REMAINING, found.remaining),
        ];
        for (kind, ailing) in kinds {
            let findings = ailing
                .into_iter()
                .map(|one| Finding::ailing(kind, flow, one));
            diagnosis.findings.extend(findings);
        }
    }
    diagnosis.unknown_flows(cx, &bar).await?;
    bar.finish_and_clear();
    diagnosis.well = diagnosis.findings.is_empty();
    let text = diagnosis.to_text(cx);
    let exit = match diagnosis.well {
        true => Exit::Done,
        false => Exit::Found,
    };
    Ok(Answer::new(diagnosis, text)?.ending(exit))
}

impl Diagnosis {
    fn saw(&mut self, flow: &FlowName, known: bool, looked_at: usize) {
        self.looked_at += looked_at;
        self.flows.push(Looked {
            flow: flow.clone(),
            known,
            looked_at,
        });
    }

    fn deliveries(&mut self, outbox: OutboxLag, patience: Duration) {
        if outbox.dead > 0 {
            let message = format!(
                "{} messages were given up: `outbox dead` lists them",
                outbox.dead
            );
            self.findings.push(Finding::of_all("dead_letters", message));
        }
        if let Some(oldest) = outbox.oldest.filter(|oldest| *oldest > patience) {
            let message = format!(
                "a message waits to be delivered for {} s: does a relay run?",
                oldest.as_secs()
            );
            self.findings
                .push(Finding::of_all("outbox_behind", message));
        }
    }

    /// What can be told without rules: whether it can be read, and whether something was left behind.
    async fn unknown_flows(
        &mut self,
        cx: &Context<'_>,
        bar: &indicatif::ProgressBar,
    ) -> Result<(), Problem> {
        let mut flows: BTreeMap<FlowName, [usize; 3]> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = cx.store.list(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for listed in page {
                let known = cx.flows.get(listed.key.flow.as_str()).is_some();
                if known || listed.stage == StageKind::Completed {
                    continue;
                }
                bar.inc(1);
                let [seen, unreadable, remaining] =
                    flows.entry(listed.key.flow.clone()).or_default();
                *seen += 1;
                let (kind, step, counted) = match cx.store.load(&listed.key.tenant, listed.id).await
                {
                    Ok(None) => continue,
                    Ok(Some(row)) => {
                        let failed = row.state.failed();
                        match failed.and_then(|failed| failed.remaining.first()) {
                            Some(step) => (REMAINING, Some(step.clone()), remaining),
                            None => continue,
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        (UNREADABLE, None, unreadable)
                    }
                    Err(error) => return Err(error.into()),
                };
                *counted += 1;
                if *counted <= NAMED {
                    self.findings.push(Finding::listed(kind, listed, step));
                }
            }
        }
        for (flow, [seen, ..]) in flows {
            self.saw(&flow, false, seen);
        }
        Ok(())
    }

    fn to_text(&self, cx: &Context<'_>) -> String {
        let mut lines = vec![match self.findings.len() {
            0 => format!("nothing is wrong: {} onboardings looked at", self.looked_at),
            some => format!("{some} findings: {} onboardings looked at", self.looked_at),
        }];
        lines.extend(self.outbox.map(|outbox| outbox.to_string()));
        for flow in self.flows.iter().filter(|flow| !flow.known) {
            let flow = &flow.flow;
            lines.push(format!(
                "the rules of {flow} are not known here, so what is neglected in it cannot be told"
            ));
        }
        if !self.findings.is_empty() {
            let mut table =
                cx.look
                    .table(&["WHAT IS WRONG", "TENANT", "FLOW", "ID", "STEP", "SINCE"]);
            for finding in &self.findings {
                table.row([
                    bad(&finding.message),
                    maybe(finding.tenant.as_ref()),
                    maybe(finding.flow.as_ref()),
                    maybe(finding.id),
                    maybe(finding.step.as_ref()),
                    Shown::from(finding.since.map(shown).unwrap_or_default()),
                ]);
            }
            lines.push(table.into_text());
        }
        lines.join("\n")
    }
}
