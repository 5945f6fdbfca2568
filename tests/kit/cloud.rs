//! A host with two tasks, whose bad habits can be chosen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onramp::flow::{Gate, GateClosed, GateContext};
use onramp::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) struct Workspace;
impl Flow for Workspace {
    const NAME: &'static str = "kit_workspace";
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
pub(super) struct Company {
    pub(super) name: String,
}
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Workspace> for Company {}

#[derive(Serialize, Deserialize)]
pub(super) struct Brand {
    pub(super) color: String,
}
impl Step for Brand {
    const NAME: &'static str = "brand";
}
impl Answer<Workspace> for Brand {}

#[derive(Serialize, Deserialize)]
pub(super) struct Paid {
    pub(super) invoice: String,
}
impl Step for Paid {
    const NAME: &'static str = "paid";
}
impl Evidence<Workspace> for Paid {}

#[derive(Serialize, Deserialize)]
pub(super) struct Dataset {
    pub(super) name: String,
    pub(super) of: String,
}
impl Step for Dataset {
    const NAME: &'static str = "create_dataset";
}

#[derive(Serialize, Deserialize)]
pub(super) struct Site {
    pub(super) name: String,
}
impl Step for Site {
    const NAME: &'static str = "build_site";
}

pub(super) const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
pub(super) const GONE: Problem = Problem::new("gone", "It could not be found.");

/// What exists, by name.
#[derive(Clone, Default)]
pub(super) struct Cloud(Arc<Mutex<BTreeMap<String, u32>>>);

impl Cloud {
    pub(super) fn picture(&self) -> BTreeMap<String, u32> {
        self.0.lock().unwrap().clone()
    }

    /// How many there are of a kind.
    pub(super) fn count(&self, kind: &str) -> usize {
        let all = self.picture();
        all.keys().filter(|name| name.starts_with(kind)).count()
    }

    /// Makes it unless it is there.
    fn ensure(&self, name: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), 1);
    }

    /// Makes one more.
    fn add(&self, name: &str) {
        *self.0.lock().unwrap().entry(name.to_owned()).or_default() += 1;
    }

    fn remove(&self, name: &str) -> bool {
        self.0.lock().unwrap().remove(name).is_some()
    }

    fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap().contains_key(name)
    }
}

/// What is wrong with the tasks.
#[derive(Clone, Copy)]
pub(super) struct Habits {
    /// The site is made again by each attempt.
    pub(super) makes_again: bool,
    /// The site's undo does nothing when it is not told what was made.
    pub(super) needs_telling: bool,
    /// The dataset's undo leaves its backup behind.
    pub(super) leaves_backup: bool,
    /// The dataset's undo fails for good when the dataset is gone already.
    pub(super) undoes_once: bool,
    /// The site refuses to be made when the half of it is there.
    pub(super) half_made: bool,
    /// The site is looked for first, and made after a while if it was not there.
    pub(super) looks_first: bool,
    /// The gate is closed.
    pub(super) closed: bool,
    /// The longest wait after the first failed attempt at the dataset.
    pub(super) patience: Duration,
    pub(super) attempts: u32,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            makes_again: false,
            needs_telling: false,
            leaves_backup: false,
            undoes_once: false,
            half_made: false,
            looks_first: false,
            closed: false,
            patience: Duration::from_millis(500),
            attempts: 12,
        }
    }
}

pub(super) fn flow(cloud: &Cloud, habits: Habits) -> Definition<Workspace> {
    let shared = || (cloud.clone(), habits);
    Workspace::steps()
        .gate(Platform(habits.closed))
        .ask::<Company>()
        .run(CreateDataset(shared()))
        .ask_optional::<Brand>()
        .expect::<Paid>()
        .run(BuildSite(shared()))
        .build()
        .unwrap()
}

struct Platform(bool);
impl Gate for Platform {
    const NAME: &'static str = "platform";
    async fn check(&self, _: &GateContext) -> Result<(), GateClosed> {
        match self.0 {
            true => Err(GateClosed::new(BUSY, "15 of 21 tables")),
            false => Ok(()),
        }
    }
}

fn named(kind: &str, key: Uuid) -> String {
    format!("{kind}/{key}")
}

struct CreateDataset((Cloud, Habits));
impl Task<Workspace> for CreateDataset {
    type Needs = Company;
    type Output = Dataset;

    async fn run(&self, cx: &TaskContext, company: Company) -> Result<Dataset, TaskError> {
        let (cloud, habits) = &self.0;
        let name = named("dataset", cx.effect_key());
        cloud.ensure(&name);
        if habits.leaves_backup {
            cloud.ensure(&named("backup", cx.effect_key()));
        }
        let of = company.name;
        Ok(Dataset { name, of })
    }

    async fn undo(&self, cx: &TaskContext, _: Option<Dataset>) -> Result<(), TaskError> {
        let (cloud, habits) = &self.0;
        let was_there = cloud.remove(&named("dataset", cx.effect_key()));
        match habits.undoes_once && !was_there {
            true => Err(TaskError::fatal(GONE, "404")),
            false => Ok(()),
        }
    }

    async fn verify(&self, _: &TaskContext, made: Dataset) -> Result<(), TaskError> {
        match self.0.0.has(&made.name) {
            true => Ok(()),
            false => Err(TaskError::fatal(GONE, "404")),
        }
    }

    fn retry(&self) -> RetryPolicy {
        let Habits {
            patience, attempts, ..
        } = self.0.1;
        RetryPolicy::new(attempts).base(patience).cap(patience)
    }
}

struct BuildSite((Cloud, Habits));
impl Task<Workspace> for BuildSite {
    type Needs = (Dataset, Paid);
    type Output = Site;

    async fn run(&self, cx: &TaskContext, _: (Dataset, Paid)) -> Result<Site, TaskError> {
        let (cloud, habits) = &self.0;
        let (name, half) = (
            named("site", cx.effect_key()),
            named("half", cx.effect_key()),
        );
        if habits.half_made && cloud.has(&half) {
            return Err(TaskError::fatal(BUSY, "409"));
        }
        let there = cloud.has(&name);
        cloud.ensure(&half);
        tokio::task::yield_now().await;
        cloud.remove(&half);
        if habits.makes_again || (habits.looks_first && !there) {
            cloud.add(&name);
        } else {
            cloud.ensure(&name);
        }
        Ok(Site { name })
    }

    async fn undo(&self, cx: &TaskContext, made: Option<Site>) -> Result<(), TaskError> {
        let (cloud, habits) = &self.0;
        if habits.needs_telling && made.is_none() {
            return Ok(());
        }
        cloud.remove(&named("half", cx.effect_key()));
        cloud.remove(&named("site", cx.effect_key()));
        Ok(())
    }
}
