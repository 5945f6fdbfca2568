//! How fast the store is: what hosts, pages and workers ask of it, by more and more callers.

mod latency;
mod scratch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use clap::value_parser;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::Shown;
use latency::Latency;
use scratch::{Bench, anybody_elses, clean};

/// What a run that was cut off has left is deleted by one that begins this much later.
const STALE: TimeDelta = TimeDelta::hours(1);

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// How many onboardings, each time
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    onboardings: u32,
    /// How many call at the same time; several numbers are tried one after another
    #[arg(long, value_delimiter = ',', default_value = "1,8,32",
          value_parser = value_parser!(u32).range(1..=256))]
    callers: Vec<u32>,
    /// Measure also where there are onboardings: whoever works with them waits for it
    #[arg(long)]
    in_use: bool,
}

impl Args {
    pub(in crate::cli) fn connections(&self) -> u32 {
        let most = self.callers.iter().copied().max().unwrap_or(1);
        most.clamp(4, 16)
    }
}

#[derive(Serialize)]
struct Measured {
    onboardings: u32,
    seconds: f64,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    callers: u32,
    create: Latency,
    commit: Latency,
    status: Latency,
    claim: Latency,
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    if !args.in_use && anybody_elses(&*cx.store).await? {
        let message = "there are onboardings in this database: whoever works with them would wait";
        return Err(Problem::new("refused", message)
            .hint("--in-use measures all the same; nothing of theirs is touched"));
    }
    clean(&*cx.store, |listed| listed.changed_at + STALE < cx.now).await?;
    let (begun, mut runs) = (Instant::now(), Vec::new());
    for callers in &args.callers {
        let bench = Arc::new(Bench::new(Arc::clone(&cx.store))?);
        let run = measure(cx, args.onboardings, *callers, &bench).await;
        // Also after a failure; what keeps it from cleaning is told only if nothing else went wrong.
        let cleaned = clean(&*cx.store, |listed| listed.key.flow == *bench.flow()).await;
        runs.push(run?);
        cleaned?;
    }
    let measured = Measured {
        onboardings: args.onboardings,
        seconds: begun.elapsed().as_secs_f64(),
        runs,
    };
    let text = table(cx, &measured.runs);
    Answer::new(measured, text)
}

fn table(cx: &Context<'_>, runs: &[Run]) -> String {
    let head = ["CALLERS", "WHAT", "COUNT", "PER SECOND", "P50", "P99"];
    let mut table = cx.look.table(&head);
    for run in runs {
        for (name, latency) in [
            ("create", &run.create),
            ("commit", &run.commit),
            ("status", &run.status),
            ("claim", &run.claim),
        ] {
            table.row([
                Shown::from(run.callers),
                Shown::from(name),
                Shown::from(latency.count),
                Shown::from(format!("{:.0}", latency.per_second)),
                Shown::from(format!("{} us", latency.p50_us)),
                Shown::from(format!("{} us", latency.p99_us)),
            ]);
        }
    }
    table.into_text()
}

/// One kind of call after another, so that each is measured beside nothing but its own kind.
async fn measure(
    cx: &Context<'_>,
    onboardings: u32,
    callers: u32,
    bench: &Arc<Bench>,
) -> Result<Run, Problem> {
    let bar = cx.spinner("calls");
    let part = |caller| (caller..onboardings).step_by(callers as usize).collect();
    let numbers: Vec<Vec<u32>> = (0..callers).map(part).collect();
    let created = each(bench, &bar, numbers, |bench, number| async move {
        bench.create(number).await
    });
    let (rows, create) = created.await?;
    let answered = each(bench, &bar, rows, |bench, row| async move {
        bench.answer(row).await
    });
    let (subjects, commit) = answered.await?;
    let looked = each(bench, &bar, subjects, |bench, subject| async move {
        bench.status(subject).await
    });
    let (subjects, status) = looked.await?;
    let claimed = each(bench, &bar, subjects, |bench, _| async move {
        bench.claim().await
    });
    let (_, claim) = claimed.await?;
    bar.finish_and_clear();
    Ok(Run {
        callers,
        create,
        commit,
        status,
        claim,
    })
}

/// What calls gave, and how long each of them took.
type Called<T> = Result<(T, Vec<Duration>), Problem>;

/// Callers at the same time, each with a part of what is to be done.
async fn each<I, O, W>(
    bench: &Arc<Bench>,
    bar: &ProgressBar,
    parts: Vec<Vec<I>>,
    call: impl Fn(Arc<Bench>, I) -> W + Copy + Send + 'static,
) -> Result<(Vec<Vec<O>>, Latency), Problem>
where
    I: Send + 'static,
    O: Send + 'static,
    W: Future<Output = Called<O>> + Send,
{
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for part in parts {
        let (bench, bar) = (Arc::clone(bench), bar.clone());
        running.spawn(async move {
            let (mut gave, mut took) = (Vec::new(), Vec::new());
            for one in part {
                let (given, times) = call(Arc::clone(&bench), one).await?;
                gave.push(given);
                took.extend(times);
                bar.inc(1);
            }
            Ok::<_, Problem>((gave, took))
        });
    }
    let (mut gave, mut took) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(|error| Problem::new("internal", error.to_string()))?;
        let (given, times) = ended?;
        gave.push(given);
        took.extend(times);
    }
    Ok((gave, Latency::of(took, begun.elapsed())))
}
