//! A flow on a store in memory, in a time of its own.

mod time;

use std::sync::Arc;

use crate::flow::{Definition, Facts, Flow, Step};
use crate::id::{FlowName, InvalidId, Key, SubjectId, TenantId};
use crate::lifecycle::State;
use crate::onramp::Onramp;
use crate::store::{Error, Store, StoreExt as _};
use crate::testing::act::{Act, Refusal};
use crate::testing::chance::Chance;
use crate::testing::clock::VirtualClock;
use crate::testing::fault::Planned;
use crate::testing::layer::Layered;
use crate::testing::point::Work;
use crate::testing::script::Script;
use crate::testing::story;
use crate::testing::tapped::tapped;
use crate::testing::wire::Wire;
use crate::time::Clock as _;

pub use time::Unsettled;

/// A flow with its tasks, on a store in memory, with an engine that never sleeps: where it would, the
/// clock is moved on. Nothing happens unless it is asked for.
///
/// Identities of onboardings, and so effect keys, follow from the seed, the tenant and the subject; so
/// do the delays before retries. Two worlds with the same seed go the same way, as far as the host's
/// own code does.
///
/// A task that sleeps does so in the runtime's time: give the test
/// `#[tokio::test(start_paused = true)]`.
///
/// ```
/// use std::time::Duration;
/// use onramp::Clock;
/// use onramp::flow::Problem;
/// use onramp::prelude::*;
/// use onramp::testing::{Fault, World, act};
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Site { url: String }
/// # impl Step for Site { const NAME: &'static str = "build_site"; }
/// # struct BuildSite;
/// # impl Task<Workspace> for BuildSite {
/// #     type Needs = ();
/// #     type Output = Site;
/// #     async fn run(&self, _: &TaskContext, _: ()) -> Result<Site, TaskError> {
/// #         Ok(Site { url: "https://acme.example".into() })
/// #     }
/// # }
/// const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world = World::new(Workspace::steps().run(BuildSite).build()?);
/// world.perform(act::fails::<_, Site>(3, Fault::retryable(BUSY))).await?;
/// world.perform(act::start()).await?; // or whatever the host's own code does with `world.onramp()`
/// let begun = world.clock().now();
///
/// world.settle().await?; // four attempts and three delays, in no time
/// assert_eq!(world.state().await?.expect("enrolled").stage(), StageKind::Completed);
/// assert!(world.clock().now() > begun);
/// println!("{}", world.story().await);
/// # Ok(()) }
/// ```
pub struct World<F> {
    onramp: Onramp<F>,
    tapped: Definition<F>,
    clock: VirtualClock,
    chance: Arc<Chance>,
    script: Arc<Script>,
    seed: u64,
    tenant: TenantId,
    subject: SubjectId,
}

impl<F: Flow> World<F> {
    /// A world with the seed 0.
    #[must_use]
    pub fn new(flow: Definition<F>) -> Self {
        Self::seeded(flow, 0)
    }

    /// A world with this seed.
    #[must_use]
    pub fn seeded(flow: Definition<F>, seed: u64) -> Self {
        let script = Arc::new(Script::default());
        let clock = VirtualClock::new();
        let wire = Wire::new(clock.clone(), Arc::clone(&script), seed);
        let (tenant, subject) = names();
        Self {
            tapped: tapped(&flow, &script),
            onramp: Onramp::new(Layered(wire), flow).with_clock(clock.clone()),
            chance: Arc::new(Chance::seeded(seed)),
            clock,
            script,
            seed,
            tenant,
            subject,
        }
    }

    /// The front door, for the host's own code.
    #[must_use]
    pub fn onramp(&self) -> &Onramp<F> {
        &self.onramp
    }

    /// The clock of the front door, of the engine and of the store.
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The tenant of the world's own subject.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The world's own subject, who scenarios and [`state`](Self::state) are about.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Does what a scenario can do. Workers do nothing yet.
    ///
    /// # Errors
    /// [`Refusal`]: then nothing has happened.
    pub async fn perform(&self, act: Act<F>) -> Result<(), Refusal> {
        act.perform(self).await
    }

    pub(in crate::testing) fn plan<T: Step>(&self, work: Work, times: u32, planned: Planned) {
        let step = crate::id::StepName::from_static(T::NAME);
        self.script.plan(step, work, times, planned);
    }

    pub(in crate::testing) fn script(&self) -> &Script {
        &self.script
    }

    /// What the rules know of the world's own subject; nothing before it is enrolled.
    ///
    /// # Errors
    /// Of the store.
    pub async fn state(&self) -> Result<Option<State>, Error> {
        let row = self.onramp.store().find(&self.key()).await?;
        Ok(row.map(|row| row.state))
    }

    /// The facts of the world's own subject.
    ///
    /// # Errors
    /// Of the store.
    pub async fn facts(&self) -> Result<Facts, Error> {
        match self.state().await? {
            Some(state) => self.store().known_facts(&self.tenant, state.id()).await,
            None => Ok(Facts::default()),
        }
    }

    /// The journal of the world's own subject, to be read by people.
    pub async fn story(&self) -> String {
        let told = async {
            let state = self.state().await?;
            let id = state.as_ref().map(State::id);
            let journal = match id {
                Some(id) => story::journal(self.store().as_ref(), &self.tenant, id).await?,
                None => Vec::new(),
            };
            let (plan, now) = (self.onramp.flow().plan(), self.clock.now());
            Ok::<_, Error>(story::tell(
                &journal,
                state.as_ref(),
                plan,
                now,
                &self.subject,
                self.seed,
            ))
        };
        told.await
            .unwrap_or_else(|error| format!("the journal cannot be read: {error}"))
    }

    pub(in crate::testing) fn store(&self) -> &Arc<dyn Store> {
        self.onramp.store()
    }

    pub(in crate::testing) fn key(&self) -> Key {
        Key {
            tenant: self.tenant.clone(),
            flow: FlowName::from_static(F::NAME),
            subject: self.subject.clone(),
        }
    }
}

/// Fixed names, that are valid.
#[expect(clippy::expect_used, reason = "a test holds that they are valid")]
fn names() -> (TenantId, SubjectId) {
    let made = || Ok::<_, InvalidId>((TenantId::new("testing")?, SubjectId::new("subject-1")?));
    made().expect("they are valid")
}

impl<F: Flow> std::fmt::Debug for World<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("flow", &F::NAME)
            .field("seed", &self.seed)
            .field("now", &self.clock.now())
            .finish_non_exhaustive()
    }
}
