//! A flow in which workers have something to do.

use std::sync::Arc;
use std::time::Duration;

use onramp::flow::TaskContext;
use onramp::http::{Api, Live};
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

use super::client::{Client, Said};
use super::flow::{CANARY, Sessions};
use super::live::{Reader, serve};

struct Building;
impl Flow for Building {
    const NAME: &'static str = "building";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Site;
impl Step for Site {
    const NAME: &'static str = "build_site";
}

const BUSY: Problem = Problem::new("busy", "Our provider is busy.");

/// Builds, and is verified, when it is told to.
struct Build {
    run: Arc<Notify>,
    verify: Arc<Notify>,
    fails: bool,
}

impl Task<Building> for Build {
    type Needs = ();
    type Output = Site;

    async fn run(&self, cx: &TaskContext, (): ()) -> Result<Site, TaskError> {
        cx.progress(3, 21, "Creating tables");
        self.run.notified().await;
        match self.fails {
            true => Err(TaskError::fatal(BUSY, CANARY)),
            false => Ok(Site),
        }
    }

    async fn verify(&self, _: &TaskContext, _: Site) -> Result<(), TaskError> {
        self.verify.notified().await;
        Ok(())
    }
}

/// A host whose workers work when they are told to.
struct Shop {
    onramp: Onramp<Building>,
    client: Client,
    run: Arc<Notify>,
    verify: Arc<Notify>,
}

fn shop(fails: bool) -> Shop {
    let (run, verify) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let build = Build {
        run: Arc::clone(&run),
        verify: Arc::clone(&verify),
        fails,
    };
    let onramp = Onramp::new(
        MemoryStore::new(),
        Building::steps().run(build).build().unwrap(),
    );
    let live = Live::default().looks(Duration::from_millis(20));
    let router = Api::new(onramp.clone())
        .authorize(Sessions)
        .live(live)
        .into_router();
    let client = Client::of(axum::Router::new().nest("/api", router));
    Shop {
        onramp,
        client,
        run,
        verify,
    }
}

/// Works until nothing is to be done.
fn work(site: &Shop) -> tokio::task::JoinHandle<()> {
    let engine = Engine::builder(Arc::clone(site.onramp.store()));
    let engine = engine.flow(site.onramp.flow()).build();
    tokio::spawn(async move { engine.run_until_idle().await.unwrap() })
}

/// Asks until it is so.
async fn until(site: &Shop, path: &str, is: impl Fn(&Said) -> bool) -> Said {
    for _ in 0..500 {
        let said = site.client.get(path, "acme/ann").await;
        if is(&said) {
            return said;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} never came to that");
}

#[tokio::test]
async fn how_far_a_task_is_comes_live_and_by_polling_and_completion_waits_for_its_verification() {
    let site = shop(false);
    let started = site.client.post("/onboarding/start", "acme/ann").await;
    assert_eq!(started.json()["next_action"]["on"], "worker");
    let worker = work(&site);
    let wanted = json!({
        "step": "build_site", "attempt": 1, "done": 3, "of": 21, "message": "Creating tables",
    });
    let progress = "/onboarding/progress";
    let said = until(&site, progress, |said| said.json()["working"] == wanted).await;
    assert_eq!(said.json()["over"], false);
    let looked = site.client.get("/onboarding", "acme/ann").await;
    assert_eq!(looked.header("retry-after"), "2", "a worker is at it");

    let mut reader = Reader::open(&serve(site.client.0.clone()).await, None).await;
    reader.until(|text| text.contains("event: working")).await;
    let events = reader.events();
    let working = events.iter().find(|event| event.name == "working").unwrap();
    assert_eq!((working.id.as_str(), &working.data), ("", &wanted));

    let complete = site.client.post("/onboarding/complete", "acme/ann").await;
    assert_eq!(
        (complete.status, complete.code().as_str()),
        (409, "outstanding")
    );
    assert_eq!(complete.json()["outstanding"][0]["on"], "worker");
    site.run.notify_one();
    until(&site, "/onboarding", |said| {
        said.json()["completed_steps"] == json!(["build_site"])
    })
    .await;
    let complete = site.client.post("/onboarding/complete", "acme/ann").await;
    assert_eq!(
        (complete.status, complete.header("location")),
        (202, "../onboarding")
    );
    site.verify.notify_one();
    worker.await.unwrap();
    let complete = site.client.post("/onboarding/complete", "acme/ann").await;
    assert_eq!(complete.status, 200);
    reader.until(|text| text.contains("event: end")).await;
    assert_eq!(reader.events().last().unwrap().data["stage"], "completed");
}

#[tokio::test]
async fn a_failure_is_told_in_its_own_words_and_can_be_retried() {
    let site = shop(true);
    site.client.post("/onboarding/start", "acme/ann").await;
    site.run.notify_one();
    work(&site).await.unwrap();
    let status = site.client.get("/onboarding", "acme/ann").await;
    let words = json!({"code": "busy", "message": "Our provider is busy."});
    assert_eq!(
        (&status.json()["stage"], &status.json()["failure"]),
        (&json!("failed"), &words)
    );
    let progress = site.client.get("/onboarding/progress", "acme/ann").await;
    for said in [&status, &progress] {
        assert!(!said.all().contains(CANARY), "{said:?}");
    }
    assert_eq!(
        site.client
            .post("/onboarding/start", "acme/ann")
            .await
            .code(),
        "wrong_stage"
    );
    let retried = site.client.post("/onboarding/retry", "acme/ann").await;
    assert_eq!(
        (retried.status, &retried.json()["stage"]),
        (202, &json!("in_progress"))
    );
}
