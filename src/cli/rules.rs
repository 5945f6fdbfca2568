//! The flows that the program knows, without their types.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::cli::problem::Problem;
use crate::flow::{Definition, Flow, Plan};
use crate::insight::{Cohort, Funnel};
use crate::lifecycle::{Obstacle, StageKind};
use crate::store::{Error, Store};
use crate::{Actor, Bulk, Diagnosis, NotDone, OnboardingId, Onramp, TenantId};

/// Where to read how a host builds a tool that knows its flows.
const DOCS: &str = "https://docs.rs/onramp/latest/onramp/cli/struct.Cli.html";

/// What can be done with the rules of one flow.
#[async_trait]
pub(super) trait Rules: Send + Sync {
    fn plan(&self) -> &Plan;

    async fn explain(
        &self,
        store: &Arc<dyn Store>,
        of: (&TenantId, OnboardingId),
    ) -> Result<Option<Vec<Obstacle>>, Error>;

    async fn act(
        &self,
        store: &Arc<dyn Store>,
        of: (&TenantId, OnboardingId),
        action: Bulk,
        by: &Actor,
    ) -> Result<StageKind, NotDone>;

    async fn funnel(&self, store: &Arc<dyn Store>, cohort: &Cohort) -> Result<Funnel, Error>;

    async fn doctor(&self, store: &Arc<dyn Store>, patience: Duration) -> Result<Diagnosis, Error>;
}

struct Typed<F>(Definition<F>);

impl<F: Flow> Typed<F> {
    fn onramp(&self, store: &Arc<dyn Store>) -> Onramp<F> {
        Onramp::shared(Arc::clone(store), self.0.clone())
    }
}

#[async_trait]
impl<F: Flow> Rules for Typed<F> {
    fn plan(&self) -> &Plan {
        self.0.plan()
    }

    async fn explain(
        &self,
        store: &Arc<dyn Store>,
        (tenant, id): (&TenantId, OnboardingId),
    ) -> Result<Option<Vec<Obstacle>>, Error> {
        self.onramp(store).explain(tenant, id).await
    }

    async fn act(
        &self,
        store: &Arc<dyn Store>,
        (tenant, id): (&TenantId, OnboardingId),
        action: Bulk,
        by: &Actor,
    ) -> Result<StageKind, NotDone> {
        let order = action.by(by.clone());
        let done = self.onramp(store).carry_out(tenant, id, &order).await?;
        Ok(done.stage)
    }

    async fn funnel(&self, store: &Arc<dyn Store>, cohort: &Cohort) -> Result<Funnel, Error> {
        self.onramp(store).funnel(cohort).await
    }

    async fn doctor(&self, store: &Arc<dyn Store>, patience: Duration) -> Result<Diagnosis, Error> {
        self.onramp(store).doctor(patience).await
    }
}

/// All flows that the program knows.
#[derive(Default)]
pub(super) struct Flows(Vec<Box<dyn Rules>>);

impl Flows {
    pub(super) fn add<F: Flow>(&mut self, definition: Definition<F>) {
        self.0.push(Box::new(Typed(definition)));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn Rules> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(super) fn get(&self, flow: &str) -> Option<&dyn Rules> {
        self.iter().find(|rules| *rules.plan().flow() == *flow)
    }

    /// The rules of a flow, or why they are not here.
    pub(super) fn of(&self, flow: &str) -> Result<&dyn Rules, Problem> {
        self.get(flow).ok_or_else(|| {
            let message = format!("this program does not know the rules of the flow {flow:?}");
            let hint = match self.0.is_empty() {
                true => format!(
                    "they are in the host's code: build its own tool with \
                     `Cli::new().flow(definition).run()`, ten lines, see {DOCS}"
                ),
                false => format!(
                    "it knows {}; add the flow where it calls `Cli::new()`",
                    self.names()
                ),
            };
            Problem::new("unknown_flow", message).hint(hint)
        })
    }

    /// The flow of this name, or the only one.
    pub(super) fn one(&self, flow: Option<&str>) -> Result<&dyn Rules, Problem> {
        match (flow, self.0.as_slice()) {
            (Some(flow), _) => self.of(flow),
            (None, [only]) => Ok(only.as_ref()),
            (None, []) => {
                let message = "this program does not know the rules of any flow";
                let hint = format!(
                    "they are in the host's code: build its own tool with \
                     `Cli::new().flow(definition).run()`, ten lines, see {DOCS}"
                );
                Err(Problem::new("unknown_flow", message).hint(hint))
            }
            (None, _) => {
                let message = "which flow? Name it with --flow";
                Err(Problem::usage(message).hint(format!("it knows {}", self.names())))
            }
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = self
            .iter()
            .map(|rules| rules.plan().flow().as_str())
            .collect();
        names.join(", ")
    }
}
