//! What a scenario does: the host's and the subject's wishes, time that passes, tasks that fail.
//!
//! ```
//! use std::time::Duration;
//! use onramp::flow::Problem;
//! use onramp::prelude::*;
//! use onramp::testing::{Fault, Scenario, act};
//! # use serde::{Deserialize, Serialize};
//! # struct Workspace;
//! # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
//! # #[derive(Serialize, Deserialize)]
//! # struct Company { name: String }
//! # impl Step for Company { const NAME: &'static str = "company"; }
//! # impl Answer<Workspace> for Company {}
//! # #[derive(Serialize, Deserialize)]
//! # struct Site { url: String }
//! # impl Step for Site { const NAME: &'static str = "build_site"; }
//! # const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
//! let scenario = Scenario::<Workspace>::new()
//!     .given(act::fails::<_, Site>(2, Fault::retryable(BUSY)))
//!     .given(act::answer(Company { name: "Acme".into() }))
//!     .when(act::time_passes(Duration::from_secs(3600)));
//! ```

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::flow::{Answer, Evidence, Flow, NotCleared, Step};
use crate::lifecycle::{
    Change, Failed, InProgress, InvalidFact, Onboarding, Operation, Pending, Rejected, Stage,
    StageKind,
};
use crate::store::{CommitError, Error, NotAppliedBecause, Row};
use crate::testing::script::{Fault, Planned, Work};
use crate::testing::world::{Unsettled, World};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Does<F> =
    Box<dyn for<'w> Fn(&'w World<F>) -> BoxFuture<'w, Result<(), Refusal>> + Send + Sync>;

/// Something that a scenario does, as often as the scenario is played.
///
/// ```
/// use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn gives_up<F: Flow>() -> Act<F> {
///     act::cancel()
/// }
/// ```
#[must_use = "an act is for a scenario"]
pub struct Act<F> {
    text: String,
    does: Does<F>,
}

impl<F: Flow> Act<F> {
    fn new<D>(text: impl Into<String>, does: D) -> Self
    where
        D: for<'w> Fn(&'w World<F>) -> BoxFuture<'w, Result<(), Refusal>> + Send + Sync + 'static,
    {
        let (text, does) = (text.into(), Box::new(does));
        Self { text, does }
    }

    pub(super) async fn perform(&self, world: &World<F>) -> Result<(), Refusal> {
        (self.does)(world).await
    }
}

impl<F> std::fmt::Display for Act<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why an act was refused.
///
/// ```
/// use onramp::lifecycle::StageKind;
/// use onramp::testing::Refusal;
/// let refusal = Refusal::Stage { wants: StageKind::InProgress, found: StageKind::Completed };
/// assert_eq!(refusal.to_string(), "it takes an onboarding that is in_progress, this one is completed");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The types would not have allowed it.
    #[error("it takes an onboarding that is {wants}, this one is {found}")]
    Stage {
        /// The stage that it takes.
        wants: StageKind,
        /// The stage that the onboarding is in.
        found: StageKind,
    },
    /// The rules said no.
    #[error(transparent)]
    Rejected(Rejected),
    /// The answer or the evidence cannot be taken.
    #[error(transparent)]
    Invalid(InvalidFact),
    /// A gate was closed.
    #[error(transparent)]
    NotCleared(NotCleared),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// It did not come to rest.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

/// Checks the gates and starts. What needs a started onboarding does this by itself; so it is for
/// tests of gates, and for evidence that comes between the start and the first answer.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Scenario, act, check};
/// fn is_closed<F: Flow>() -> Scenario<F> {
///     Scenario::new().when(act::start()).then(check::refused("platform_not_ready"))
/// }
/// ```
pub fn start<F: Flow>() -> Act<F> {
    Act::new("start", |world| {
        Box::pin(async move {
            let row = enrolled(world).await?;
            begin(world, row).await
        })
    })
}

/// The subject answers.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn says<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
///     act::answer(answer)
/// }
/// ```
pub fn answer<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
    let kept = Kept::of(&answer);
    Act::new(format!("answer {}", A::NAME), move |world| {
        let answer = kept.again::<A>();
        Box::pin(async move {
            let answer = answer?;
            commit(world, |running: Running<F>| running.submit(answer)).await
        })
    })
}

/// The subject changes an answer.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn corrects<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
///     act::revise(answer)
/// }
/// ```
pub fn revise<F: Flow, A: Answer<F>>(answer: A) -> Act<F> {
    let kept = Kept::of(&answer);
    Act::new(format!("revise {}", A::NAME), move |world| {
        let answer = kept.again::<A>();
        Box::pin(async move {
            let answer = answer?;
            commit(world, |running: Running<F>| running.revise(answer)).await
        })
    })
}

/// The subject passes an optional step by.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn passes<F: Flow, A: Answer<F>>() -> Act<F> {
///     act::skip::<F, A>()
/// }
/// ```
pub fn skip<F: Flow, A: Answer<F>>() -> Act<F> {
    Act::new(format!("skip {}", A::NAME), |world| {
        Box::pin(commit(world, |running: Running<F>| running.skip::<A>()))
    })
}

/// The host attests evidence. As the first act it comes early, before the start; it may also come ahead
/// of its turn, again, or after a failure.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn webhook<F: Flow, E: Evidence<F>>(evidence: E) -> Act<F> {
///     act::evidence(evidence)
/// }
/// ```
pub fn evidence<F: Flow, E: Evidence<F>>(evidence: E) -> Act<F> {
    let kept = Kept::of(&evidence);
    Act::new(format!("attest {}", E::NAME), move |world| {
        let evidence = kept.again::<E>();
        Box::pin(async move {
            let evidence = evidence?;
            match enrolled(world).await?.state.stage() {
                StageKind::Pending => {
                    commit(world, |it: Onboarding<F, Pending>| it.attest(evidence)).await
                }
                StageKind::Failed => {
                    commit(world, |it: Onboarding<F, Failed>| it.attest(evidence)).await
                }
                StageKind::InProgress => commit(world, |it: Running<F>| it.attest(evidence)).await,
                stage @ StageKind::Completed => Err(wrong(Operation::Attest, stage)),
            }
        })
    })
}

/// The host cancels.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Scenario, act, check};
/// fn gives_up<F: Flow>() -> Scenario<F> {
///     Scenario::new().when(act::cancel()).then(check::failed("cancelled"))
/// }
/// ```
pub fn cancel<F: Flow>() -> Act<F> {
    Act::new("cancel", |world| {
        Box::pin(async move {
            match enrolled(world).await?.state.stage() {
                StageKind::Pending => {
                    commit(world, |it: Onboarding<F, Pending>| it.cancel::<Failed>()).await
                }
                StageKind::InProgress => {
                    commit(world, |it: Running<F>| it.cancel::<InProgress>()).await
                }
                stage => Err(wrong(Operation::Cancel, stage)),
            }
        })
    })
}

/// The host goes on after a failure.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn again<F: Flow>() -> Act<F> {
///     act::retry()
/// }
/// ```
pub fn retry<F: Flow>() -> Act<F> {
    change("retry", |failed: Onboarding<F, Failed>| failed.retry())
}

/// The host goes on taking back what could not be taken back.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn cleans_up<F: Flow>() -> Act<F> {
///     act::retry_undo()
/// }
/// ```
pub fn retry_undo<F: Flow>() -> Act<F> {
    change("retry the undo", |failed: Onboarding<F, Failed>| {
        failed.retry_undo()
    })
}

/// Any other operation, by a name for messages. One that takes an onboarding in progress starts it
/// first.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, act};
/// fn forgets<F: Flow>() -> Act<F> {
///     act::change("erase", |done: Onboarding<F, Completed>| done.erase::<Completed>())
/// }
/// ```
pub fn change<F, From, To, C>(text: impl Into<String>, change: C) -> Act<F>
where
    F: Flow,
    From: Stage,
    To: Stage,
    C: Fn(Onboarding<F, From>) -> Change<F, From, To> + Send + Sync + 'static,
{
    let change = std::sync::Arc::new(change);
    Act::new(text, move |world| {
        let change = std::sync::Arc::clone(&change);
        Box::pin(commit(world, move |it| change(it)))
    })
}

/// Time passes, and what gets due on the way is worked on.
///
/// ```
/// # use onramp::prelude::*;
/// use std::time::Duration;
/// use onramp::testing::{Act, act};
/// fn a_month_later<F: Flow>() -> Act<F> {
///     act::time_passes(Duration::from_secs(30 * 24 * 60 * 60))
/// }
/// ```
pub fn time_passes<F: Flow>(time: Duration) -> Act<F> {
    Act::new(format!("{time:?} pass"), move |world| {
        Box::pin(async move { Ok(world.pass(time).await?) })
    })
}

/// The next `times` attempts at the task whose fact is `T` fail before they have any effect.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::testing::{Act, Fault, act};
/// fn has_a_bug<F: Flow, T: Step>() -> Act<F> {
///     act::fails::<F, T>(1, Fault::panic())
/// }
/// ```
pub fn fails<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Run, times, fault, false)
}

/// The same, after they have had their effect: an undo has to find it.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::flow::Problem;
/// use onramp::testing::{Act, Fault, act};
/// fn answers_too_late<F: Flow, T: Step>(timeout: Problem) -> Act<F> {
///     act::fails_late::<F, T>(1, Fault::retryable(timeout))
/// }
/// ```
pub fn fails_late<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Run, times, fault, true)
}

/// The next `times` attempts at taking back what gave the fact `T` fail before they do anything.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::flow::Problem;
/// use onramp::testing::{Act, Fault, act};
/// fn is_stuck<F: Flow, T: Step>(problem: Problem) -> Act<F> {
///     act::undo_fails::<F, T>(1, Fault::fatal(problem))
/// }
/// ```
pub fn undo_fails<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Undo, times, fault, false)
}

/// The next `times` verifications of the fact `T` fail, without being made: by a final error what was
/// built is built again.
///
/// ```
/// # use onramp::prelude::*;
/// use onramp::flow::Problem;
/// use onramp::testing::{Act, Fault, act};
/// fn is_gone<F: Flow, T: Step>(problem: Problem) -> Act<F> {
///     act::verify_fails::<F, T>(1, Fault::fatal(problem))
/// }
/// ```
pub fn verify_fails<F: Flow, T: Step>(times: u32, fault: Fault) -> Act<F> {
    planned::<F, T>(Work::Verify, times, fault, false)
}

fn planned<F: Flow, T: Step>(work: Work, times: u32, fault: Fault, after: bool) -> Act<F> {
    let when = if after { ", after its effect" } else { "" };
    let (name, work_name, how) = (T::NAME, work.as_str(), fault.describe());
    let text = format!("{work_name} of {name} fails {times} times by {how}{when}");
    Act::new(text, move |world| {
        world.plan::<T>(work, times, Planned { fault, after });
        Box::pin(std::future::ready(Ok(())))
    })
}

type Running<F> = Onboarding<F, InProgress>;

/// A fact that can be given more than once: by its serialised form, because facts need not be `Clone`.
struct Kept(Result<String, String>);

impl Kept {
    fn of<T: Serialize>(fact: &T) -> Self {
        Self(serde_json::to_string(fact).map_err(|error| error.to_string()))
    }

    fn again<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let unreadable = |why: String| {
            Refusal::Store(Error::corrupt(format!(
                "the fact of the test does not serialise: {why}"
            )))
        };
        let json = self.0.as_ref().map_err(|why| unreadable(why.clone()))?;
        serde_json::from_str(json).map_err(|error| unreadable(error.to_string()))
    }
}

fn wrong(operation: Operation, stage: StageKind) -> Refusal {
    Refusal::Rejected(Rejected::WrongStage { operation, stage })
}

/// The row of the world's subject, created if there is none.
async fn enrolled<F: Flow>(world: &World<F>) -> Result<Row, Refusal> {
    let (tenant, subject) = (world.tenant(), world.subject());
    let _found = world.onramp().enroll(tenant, subject).await?;
    let row = world.store().find(&world.key()).await?;
    row.ok_or_else(|| Refusal::Store(Error::corrupt("what was enrolled is gone")))
}

async fn begin<F: Flow>(world: &World<F>, row: Row) -> Result<(), Refusal> {
    let pending = handle::<F, Pending>(row)?;
    let cleared = world.onramp().clear(&pending).await;
    let clearance = cleared.map_err(Refusal::NotCleared)?;
    stored(world.onramp().commit(pending.start(clearance)).await)
}

async fn commit<F: Flow, From: Stage, To: Stage>(
    world: &World<F>,
    change: impl FnOnce(Onboarding<F, From>) -> Change<F, From, To> + Send,
) -> Result<(), Refusal> {
    let mut row = enrolled(world).await?;
    if From::KIND == StageKind::InProgress && row.state.stage() == StageKind::Pending {
        begin(world, row).await?;
        row = enrolled(world).await?;
    }
    stored(world.onramp().commit(change(handle(row)?)).await)
}

fn handle<F: Flow, S: Stage>(row: Row) -> Result<Onboarding<F, S>, Refusal> {
    let (wants, found) = (S::KIND, row.state.stage());
    Onboarding::from_stored(row.state, row.head).ok_or(Refusal::Stage { wants, found })
}

fn stored<F: Flow, From: Stage, T>(done: Result<T, CommitError<F, From>>) -> Result<(), Refusal> {
    match done {
        Ok(_) => Ok(()),
        Err(CommitError::NotApplied(not)) => Err(match not.because {
            NotAppliedBecause::Rejected(no) => Refusal::Rejected(no),
            NotAppliedBecause::Invalid(invalid) => Refusal::Invalid(invalid),
            NotAppliedBecause::Store(error) => Refusal::Store(error),
        }),
        // Not reachable: nobody else works in the world, and its connection breaks for workers only.
        Err(other) => Err(Refusal::Store(Error::corrupt(other.to_string()))),
    }
}
