//! Worker processes: this very test binary, started again to do nothing but run an engine.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use onramp::engine::Engine;
use onramp::testing::Layered;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::flow::{World, flow};
use super::ledger::Ledger;
use super::server::open;
use super::watched::Watched;

/// How long a claim lasts: short, so that many are taken over.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// Where a worker process reads what it is to do.
const VARIABLE: &str = "ONRAMP_SOAK_WORKER";

/// What a worker process is to do.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) url: String,
    pub(crate) ledger: std::path::PathBuf,
    pub(crate) guarded: bool,
}

/// A worker process. Dropped, it is killed.
pub(crate) struct Worker {
    process: Child,
}

impl Worker {
    pub(crate) fn start(orders: &Orders) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "as_a_worker", "--nocapture"])
            .env(VARIABLE, serde_json::to_string(orders).unwrap())
            // It ends with the harness: then nobody holds the other end any more.
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let process = command.spawn().unwrap();
        Self { process }
    }

    /// SIGKILL, SIGSTOP or SIGCONT. Panics when the worker has ended by itself.
    pub(crate) fn signal(&mut self, signal: Signal) {
        let ended = self.process.try_wait().unwrap();
        assert!(ended.is_none(), "a worker has ended by itself: {ended:?}");
        let pid = i32::try_from(self.process.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Works until it is killed, if this process was started to.
pub(crate) async fn work_if_ordered() {
    let Ok(orders) = std::env::var(VARIABLE) else {
        return;
    };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let world = World::new(Ledger::append_to(Path::new(&orders.ledger)));
    let inner = loop {
        match open(&orders.url).await {
            Ok(store) => break store,
            // The database is down just now.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let store = Layered(Watched {
        inner,
        world: Arc::clone(&world),
        guarded: orders.guarded,
    });
    let engine = Engine::builder(Arc::new(store))
        .flow(&flow(&world))
        .lease(LEASE)
        .poll(Duration::from_millis(50))
        .build();
    engine.run(CancellationToken::new()).await;
}
