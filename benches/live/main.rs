//! What the HTTP face stands while people watch.
//!
//! `scripts/bench live`: so many clients watch their onboardings by server-sent events, one after the
//! other, and so many statuses are read a second, over real sockets, while an engine completes what
//! they watch; all of it in one process, on SQLite. It ends with a failure when a single answer is
//! wrong, an event is missing, or comes out of order.
//!
//! A read is timed from when it was to be sent, so that waiting for the one before it counts. An event
//! is timed from when its commit had returned to when its client had read it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark may panic"
)]

mod client;
mod host;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Parser;
use onramp::engine::Engine;
use onramp::http::Api;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use client::{read, watch};
use host::{Believing, host};
use tally::Tally;

#[derive(Parser, Clone)]
struct Args {
    /// Clients that watch.
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Statuses that are read a second.
    #[arg(long, default_value_t = 500)]
    reads: usize,
    /// Connections that read them.
    #[arg(long, default_value_t = 50)]
    readers: usize,
    /// Seconds that it takes.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Milliseconds that each of an onboarding's five tasks takes.
    #[arg(long, default_value_t = 500)]
    task: u64,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let tally = Arc::new(Tally::default());
    let task = Duration::from_millis(args.task);
    let onramp = host(folder.path(), Arc::clone(&tally), task).await;
    let engine = Engine::builder(Arc::clone(onramp.store()))
        .flow(onramp.flow())
        .concurrency(args.clients)
        .build();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let working = tokio::spawn(async move { engine.run(stop).await });
    let api = Api::new(onramp).authorize(Believing).into_router();
    let app = axum::Router::new().nest("/api", api);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let over = Arc::new(AtomicBool::new(false));
    let until = Instant::now() + Duration::from_secs_f64(args.seconds);
    let mut all = JoinSet::new();
    for _ in 0..args.clients {
        let (tally, over) = (Arc::clone(&tally), Arc::clone(&over));
        all.spawn(async move { watch(address, &tally, &over).await });
    }
    // Everybody has begun when somebody looks.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let every = Duration::from_secs_f64(args.readers as f64 / args.reads as f64);
    for number in 0..args.readers {
        let tally = Arc::clone(&tally);
        let begin = Instant::now() + every.mul_f64(number as f64 / args.readers as f64);
        let clients = args.clients;
        all.spawn(async move { read(address, number, clients, begin..until, every, &tally).await });
    }
    tokio::time::sleep_until(until).await;
    over.store(true, Relaxed);
    let last = Duration::from_secs(60);
    // One that has failed ends it all.
    let ended = tokio::time::timeout(last, all.join_all()).await;
    ended.expect("everybody hears the end of what they watch");
    shutdown.cancel();
    working.await.unwrap();
    serving.abort();
    println!("live clients={} {}", args.clients, tally.line());
}
