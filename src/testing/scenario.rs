//! Given, when, then: what happens to one subject, as a list that can be played again and again.

use std::panic::Location;

use crate::flow::{Definition, Flow};
use crate::testing::act::{Act, Refusal};
use crate::testing::check::{Check, Seen};
use crate::testing::world::World;
use crate::time::Clock as _;

/// What happens to one subject, and what is expected then.
///
/// After each act the world settles: workers do whatever is to be done, and where only time is waited
/// for, it passes. The first act that needs it enrols the subject and starts.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::testing::{Scenario, act, check};
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
/// # #[derive(Serialize, Deserialize)]
/// # struct Paid { invoice: String }
/// # impl Step for Paid { const NAME: &'static str = "paid"; }
/// # impl Evidence<Workspace> for Paid {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let flow = Workspace::steps().ask::<Company>().expect::<Paid>().build().unwrap();
/// Scenario::new()
///     .given(act::evidence(Paid { invoice: "inv-1".into() })) // early: before the start
///     .then(check::stage(StageKind::Pending))
///     .when(act::answer(Company { name: "Acme".into() }))
///     .then(check::completed())
///     .play(flow)
///     .await;
/// # }
/// ```
#[must_use = "a scenario does nothing until it is played"]
pub struct Scenario<F> {
    seed: u64,
    lines: Vec<Line<F>>,
}

struct Line<F> {
    at: &'static Location<'static>,
    what: What<F>,
}

enum What<F> {
    Given(Act<F>),
    When(Act<F>),
    Then(Check),
}

/// Why a scenario does not hold: where, what, and the journal.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Broken, Scenario, check};
/// async fn is_told<F: Flow>(flow: Definition<F>) {
///     let broken: Broken = Scenario::new().then(check::completed()).try_play(flow).await.unwrap_err();
///     assert!(broken.to_string().contains("but nobody is enrolled"));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Broken {
    text: String,
}

impl Broken {
    pub(super) fn because(text: String) -> Self {
        Self { text }
    }
}

impl<F: Flow> Scenario<F> {
    /// A scenario in which nothing happens, with the seed 0.
    pub fn new() -> Self {
        Self {
            seed: 0,
            lines: Vec::new(),
        }
    }

    /// Another seed: other identities, and other delays before retries.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What has happened before. The scenario does not hold when it is refused.
    #[track_caller]
    pub fn given(self, act: Act<F>) -> Self {
        self.line(What::Given(act))
    }

    /// What happens now. When it is refused, a [`refused`](crate::testing::check::refused) has to
    /// expect that.
    #[track_caller]
    pub fn when(self, act: Act<F>) -> Self {
        self.line(What::When(act))
    }

    /// What is expected.
    #[track_caller]
    pub fn then(self, check: Check) -> Self {
        self.line(What::Then(check))
    }

    #[track_caller]
    fn line(mut self, what: What<F>) -> Self {
        let at = Location::caller();
        self.lines.push(Line { at, what });
        self
    }

    /// Plays it in a world of its own, and gives that for a closer look.
    ///
    /// # Panics
    /// When it does not hold, with all that [`Broken`] says.
    #[expect(clippy::panic, reason = "an assertion of a test")]
    pub async fn play(&self, flow: Definition<F>) -> World<F> {
        match self.try_play(flow).await {
            Ok(world) => world,
            Err(broken) => panic!("{broken}"),
        }
    }

    /// The same without a panic.
    ///
    /// # Errors
    /// [`Broken`] when it does not hold.
    pub async fn try_play(&self, flow: Definition<F>) -> Result<World<F>, Broken> {
        let world = World::seeded(flow, self.seed);
        self.perform(&world, true).await?;
        Ok(world)
    }

    pub(super) fn its_seed(&self) -> u64 {
        self.seed
    }

    /// Plays it in this world, and gives what was refused. Without checks nothing is expected.
    pub(super) async fn perform(
        &self,
        world: &World<F>,
        checks: bool,
    ) -> Result<Vec<String>, Broken> {
        let mut refusals = Vec::new();
        let mut refusal = None;
        for (index, line) in self.lines.iter().enumerate() {
            if world.script().is_halted() {
                break;
            }
            let act = match &line.what {
                What::Given(act) | What::When(act) => act,
                What::Then(check) if checks => {
                    if let Err(why) = expect(world, check, refusal.as_ref()).await {
                        return Err(line.broken(world, &why).await);
                    }
                    continue;
                }
                What::Then(_) => continue,
            };
            refusal = act.perform(world).await.err();
            if let Some(refused) = &refusal {
                let why = format!("it was refused: {refused}");
                let ours = matches!(refused, Refusal::Store(_) | Refusal::Unsettled(_));
                if ours || (checks && !self.expects_refusal(index)) {
                    return Err(line.broken(world, &why).await);
                }
                refusals.push(why);
            }
            if let Err(why) = world.settle().await {
                return Err(line.broken(world, &why.to_string()).await);
            }
        }
        Ok(refusals)
    }

    /// Whether the refusal of this act is asked about before the next one.
    fn expects_refusal(&self, act: usize) -> bool {
        let is_when = matches!(self.lines[act].what, What::When(_));
        let after = self.lines[act + 1..].iter();
        let mut checks = after.map_while(|line| match &line.what {
            What::Then(check) => Some(check),
            What::Given(_) | What::When(_) => None,
        });
        is_when && checks.any(Check::takes_refusal)
    }
}

impl<F: Flow> Default for Scenario<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Flow> Line<F> {
    async fn broken(&self, world: &World<F>, why: &str) -> Broken {
        let what = match &self.what {
            What::Given(act) => format!("given: {act}"),
            What::When(act) => format!("when: {act}"),
            What::Then(check) => format!("then: {check}"),
        };
        let story = world.story().await;
        Broken::because(format!("{}\n  {what}\n  but {why}\n{story}", self.at))
    }
}

async fn expect<F: Flow>(
    world: &World<F>,
    check: &Check,
    refusal: Option<&Refusal>,
) -> Result<(), String> {
    let state = world.state().await.map_err(|error| error.to_string())?;
    let facts = world.facts().await.map_err(|error| error.to_string())?;
    check.holds(&Seen {
        state: state.as_ref(),
        facts: &facts,
        plan: world.onramp().flow().plan(),
        now: world.clock().now(),
        refusal,
    })
}

impl<F> std::fmt::Debug for Scenario<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scenario")
            .field("seed", &self.seed)
            .field("lines", &self.lines.len())
            .finish_non_exhaustive()
    }
}
