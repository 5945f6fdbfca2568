//! How many onboardings engines complete, beside the same by hand.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::engine::{Engine, Observed};
use onramp::prelude::*;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::Args;
use crate::fill::Database;
use crate::floor::floor;
use crate::measure::{One, measure, median};
use crate::meter::Meter;
use crate::signup::{Hooks, flow, open, start};

/// Who waits for which onboarding to be completed.
type Waiting = Arc<Mutex<HashMap<SubjectId, oneshot::Sender<()>>>>;

pub(crate) async fn run(store: &'static str, args: &Args, folder: &Path) {
    let database = Database::new(store, folder).await;
    let meter = Meter::new(store).await;
    let (opened, written) = open(store, &database.url).await;
    let waiting = Waiting::default();
    let shutdown = CancellationToken::new();
    let definition = flow(&Arc::new(Hooks::default()));
    let engines: Vec<_> = (0..args.engines)
        .map(|_| {
            let waiting = Arc::clone(&waiting);
            let tell = move |seen: &Observed<'_>| {
                if seen.state.stage() == StageKind::Completed {
                    let waits = waiting.lock().unwrap().remove(&seen.state.key().subject);
                    let _ = waits.unwrap().send(());
                }
            };
            let engine = Engine::builder(Arc::clone(&opened))
                .flow(&definition)
                .concurrency(args.concurrency.div_ceil(args.engines))
                .poll(Duration::from_millis(args.poll))
                .observe(tell)
                .build();
            let shutdown = shutdown.clone();
            tokio::spawn(async move { engine.run(shutdown).await })
        })
        .collect();
    let onramp = Onramp::shared(opened, definition);
    let one: One = Arc::new(move |number| {
        let (onramp, waiting) = (onramp.clone(), Arc::clone(&waiting));
        Box::pin(async move {
            let subject = SubjectId::new(format!("org-{number}")).unwrap();
            let (tell, completed) = oneshot::channel();
            waiting.lock().unwrap().insert(subject.clone(), tell);
            start(&onramp, &subject).await;
            completed.await.unwrap();
        })
    });
    let floor = floor(store, folder, 64).await;
    let length = Duration::from_secs_f64(args.seconds);
    let warm = Duration::from_millis(500);
    measure(&one, args.concurrency, warm).await;
    measure(&floor, args.concurrency, warm).await;
    let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
    let (mut transactions, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        let before = (written().transactions, meter.written().await);
        let (done, rate) = measure(&one, args.concurrency, length).await;
        let after = (written().transactions, meter.written().await);
        ours.push(rate);
        transactions.push((after.0 - before.0) as f64 / done as f64);
        bytes.push((after.1 - before.1) as f64 / done as f64);
        if !args.no_floor {
            by_hand.push(measure(&floor, args.concurrency, length).await.1);
        }
    }
    shutdown.cancel();
    for engine in engines {
        engine.await.unwrap();
    }
    if args.no_floor {
        by_hand.push(f64::NAN);
    }
    let (ours, by_hand) = (median(ours), median(by_hand));
    println!(
        "engine store={store} concurrency={} onramp={ours:.0} floor={by_hand:.0} ratio={:.2} tx={:.2} wal={:.0}",
        args.concurrency,
        ours / by_hand,
        median(transactions),
        median(bytes),
    );
}
