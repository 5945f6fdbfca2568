//! The memory of a process that has very much under way.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use onramp::engine::Engine;
use onramp::prelude::*;
use tokio::sync::{Semaphore, mpsc};

use crate::Args;
use crate::fill::Database;
use crate::signup::{Hooks, flow, open, start};

/// Starts onboardings, and a process that works on all of them at once.
pub(crate) async fn run(store: &'static str, args: &Args, folder: &Path) {
    let database = Database::new(store, folder).await;
    let (opened, _) = open(store, &database.url).await;
    let onramp = Onramp::shared(opened, flow(&Arc::default()));
    let mut hosts = tokio::task::JoinSet::new();
    for host in 0..64 {
        let (onramp, all) = (onramp.clone(), args.under_way);
        hosts.spawn(async move {
            for number in (host..all).step_by(64) {
                let subject = SubjectId::new(format!("org-{number}")).unwrap();
                start(&onramp, &subject).await;
            }
        });
    }
    hosts.join_all().await;
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--store", store, "--child", &database.url]);
    child.args(["--under-way", &args.under_way.to_string()]);
    assert!(child.status().unwrap().success());
}

/// Has them all under way, lets them all be completed, and tells how much memory that took.
pub(crate) async fn child(store: &str, url: &str, under_way: usize) {
    let at_rest = resident();
    let (opened, _) = open(store, url).await;
    let (began, mut begun) = mpsc::unbounded_channel();
    let hooks = Arc::new(Hooks {
        began: Some(began),
        held: Some(Semaphore::new(0)),
    });
    let engine = Engine::builder(opened)
        .flow(&flow(&hooks))
        .concurrency(under_way)
        .poll(Duration::from_millis(100))
        .build();
    let all_begun = async {
        for _ in 0..under_way {
            begun.recv().await.unwrap();
        }
        let held = resident();
        hooks.held.as_ref().unwrap().add_permits(under_way);
        held
    };
    let (ended, held) = tokio::join!(engine.run_until_idle(), all_begun);
    ended.unwrap();
    println!(
        "memory store={store} under_way={under_way} at_rest={at_rest:.0}MiB held={held:.0}MiB peak={:.0}MiB",
        resident(),
    );
}

/// The most memory that this process has had so far, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
