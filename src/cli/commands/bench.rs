//! How fast the store is: a small loop of what a host and a worker do.

mod scratch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use clap::value_parser;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::cli::answer::Answer;
use crate::cli::problem::Problem;
use crate::cli::run::Context;
use crate::cli::table::Shown;
use scratch::Bench;

/// What a run that was cut off has left is deleted by one that begins this much later.
const STALE: TimeDelta = TimeDelta::hours(1);

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// How many onboardings
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    onboardings: u32,
    /// How many call at the same time
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    callers: u32,
}

impl Args {
    pub(in crate::cli) fn connections(&self) -> u32 {
        self.callers.clamp(4, 16)
    }
}

#[derive(Serialize)]
struct Measured {
    onboardings: u32,
    callers: u32,
    seconds: f64,
    create: Latency,
    commit: Latency,
    claim: Latency,
}

#[derive(Serialize)]
struct Latency {
    count: usize,
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
}

impl Latency {
    fn of(mut times: Vec<Duration>, whole: Duration) -> Self {
        times.sort();
        let count = times.len();
        let rank = |percent: usize| {
            let place = (count * percent).div_ceil(100).saturating_sub(1);
            let time = times.get(place).copied().unwrap_or_default();
            u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let per_second = count as f64 / whole.as_secs_f64().max(f64::EPSILON);
        Self {
            count,
            per_second,
            p50_us: rank(50),
            p99_us: rank(99),
        }
    }
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let bench = Arc::new(Bench::new(Arc::clone(&cx.store))?);
    bench
        .clean(|listed| listed.changed_at + STALE < cx.now)
        .await?;
    let measured = measure(cx, args, &bench).await;
    // Also after a failure; what keeps it from cleaning is told only if nothing else went wrong.
    let cleaned = bench.clean(|listed| listed.key.flow == bench.flow).await;
    let measured = measured?;
    cleaned?;

    let mut table = cx
        .look
        .table(&["WHAT", "COUNT", "PER SECOND", "P50", "P99"]);
    let rows = [
        ("create", &measured.create),
        ("commit", &measured.commit),
        ("claim", &measured.claim),
    ];
    for (name, latency) in rows {
        table.row([
            Shown::from(name),
            Shown::from(latency.count),
            Shown::from(format!("{:.0}", latency.per_second)),
            Shown::from(format!("{} us", latency.p50_us)),
            Shown::from(format!("{} us", latency.p99_us)),
        ]);
    }
    let text = table.into_text();
    Answer::new(measured, text)
}

async fn measure(cx: &Context<'_>, args: &Args, bench: &Arc<Bench>) -> Result<Measured, Problem> {
    let bar = cx.spinner("onboardings");
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for caller in 0..args.callers {
        let (bench, bar) = (Arc::clone(bench), bar.clone());
        let mine = (caller..args.onboardings).step_by(args.callers as usize);
        running.spawn(async move {
            let mut times = (Vec::new(), Vec::new());
            for number in mine {
                bench.onboard(number, &mut times).await?;
                bar.inc(1);
            }
            Ok::<_, Problem>(times)
        });
    }
    let (mut create, mut commit) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(|error| Problem::new("internal", error.to_string()))?;
        let (created, committed) = ended?;
        create.extend(created);
        commit.extend(committed);
    }
    let written = begun.elapsed();
    let begun = Instant::now();
    let claim = bench.claim(args.onboardings).await?;
    let claimed = begun.elapsed();
    bar.finish_and_clear();
    Ok(Measured {
        onboardings: args.onboardings,
        callers: args.callers,
        seconds: (written + claimed).as_secs_f64(),
        create: Latency::of(create, written),
        commit: Latency::of(commit, written),
        claim: Latency::of(claim, claimed),
    })
}
