//! A complete application: sign-up, forms, payment, set-up while you watch, an API key that is shown
//! once, a dashboard, a page for operators. In the browser, with an embedded SQLite.
//!
//! ```sh
//! cargo run --release --example saas
//! cargo run --release --example saas -- --fail create_tables   # and see it taken back, and tried again
//! ```
//!
//! Kill it whenever you like and start it again: every page is right.
//!
//! Read on in `workspace.rs` (the flow), `tasks.rs` (what provisions), `door.rs` (which page somebody may
//! see), `journey.rs` (what a request does), `pages/` (one file a page), `testpay/` (the provider).

mod accounts;
mod app;
mod door;
mod faults;
mod headers;
mod journey;
mod keys;
mod live;
mod mailroom;
mod pages;
mod platform;
mod prefill;
mod reply;
mod routes;
mod session;
mod tasks;
mod testpay;
mod webhook;
mod workspace;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use onramp::engine::Relay;
use onramp::http::webhook::Verifier;
use onramp::prelude::*;
use onramp::vault::{KeyPrefix, Vault};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Shared};
use crate::keys::Keys;
use crate::mailroom::Mailroom;
use crate::platform::Platform;
use crate::tasks::Tools;

#[derive(Parser)]
#[command(
    about = "A complete sign-up and set-up in the browser, on onramp and an embedded SQLite."
)]
struct Args {
    /// Where everything is kept. Start again with the same folder to go on. By default a folder of yours
    /// among the temporary ones.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The port on this machine; 0 for any that is free.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Make the next attempt at this step fail, to be repeated by itself. May be given several times.
    #[arg(long, value_name = "STEP", value_parser = faults::STEPS)]
    fail_once: Vec<String>,
    /// Make the next attempt at this step fail for good: all is taken back, and the customer can retry.
    #[arg(long, value_name = "STEP", value_parser = faults::STEPS)]
    fail: Vec<String>,
    /// How long each piece of the set-up takes, in milliseconds, so that one can watch.
    #[arg(long, default_value_t = 500)]
    pace: u64,
    /// After how many seconds somebody who does not get on is shown to operators.
    #[arg(long, default_value_t = 60)]
    stuck_after: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("saas: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let data = args.data.unwrap_or_else(|| {
        let user = rustix::process::getuid().as_raw();
        std::env::temp_dir().join(format!("onramp-saas-{user}"))
    });
    keys::folder(&data)?;
    let (keys, vault_keys) = Keys::open(&data)?;
    let platform = Platform::open(&data).await?;

    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}; choose another port with --port, or 0 for any"
        )
    })?;
    let address = listener.local_addr()?;
    for (steps, is_final) in [(&args.fail_once, false), (&args.fail, true)] {
        for step in steps {
            faults::stage(&platform, step, is_final).await?;
        }
    }

    let store = SqliteStore::open(data.join("service.db")).await?;
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let vault = Vault::new(Arc::clone(&shared), vault_keys);
    let tools = Arc::new(Tools {
        platform: platform.clone(),
        vault: vault.clone(),
        prefix: KeyPrefix::new("saas_live")?,
        pace: Duration::from_millis(args.pace),
    });
    let flow = workspace::flow(&platform, &tools)?;
    let engine = Engine::builder(Arc::clone(&shared))
        .flow(&flow)
        .worker("saas")
        // Short, so that what a killed server held is soon free again.
        .lease(Duration::from_secs(2))
        .poll(Duration::from_millis(250))
        .build();
    let app: Shared = Arc::new(App {
        verifier: Verifier::new(&keys.webhook)?,
        onramp: Onramp::shared(Arc::clone(&shared), flow),
        patience: Duration::from_secs(args.stuck_after),
        platform,
        store,
        vault,
        keys,
    });
    let mailroom = Mailroom(Arc::clone(&app));
    let relay = Relay::builder(shared).notifier(mailroom).build();

    println!("Customers: http://{address}/");
    println!(
        "Operators: http://{address}/operator with the code {}",
        app.keys.operator
    );
    println!(
        "Everything is kept in {}; stop with Ctrl-C.",
        data.display()
    );

    let shutdown = CancellationToken::new();
    let working = {
        let shutdown = shutdown.clone();
        tokio::spawn(async move { engine.run(shutdown).await })
    };
    let relaying = {
        let shutdown = shutdown.clone();
        tokio::spawn(async move { relay.run(shutdown).await })
    };
    let secret = app.keys.webhook.clone();
    let courier = tokio::spawn(testpay::deliver(app.platform.clone(), address, secret));
    tokio::select! {
        // Browsers that listen would keep it open for long: they connect again.
        served = axum::serve(listener, routes::router(&app)).into_future() => served?,
        asked = tokio::signal::ctrl_c() => asked?,
    }
    courier.abort();
    shutdown.cancel();
    working.await?;
    relaying.await?;
    Ok(())
}
