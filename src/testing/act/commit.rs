//! How an act gets into the store: by the host's own front door.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::flow::Flow;
use crate::lifecycle::{Change, Onboarding, Pending, Stage, StageKind};
use crate::store::{CommitError, Error, ErrorKind, NotAppliedBecause, Row};
use crate::testing::act::Refusal;
use crate::testing::world::World;

/// A fact that can be given more than once: by its serialised form, because facts need not be `Clone`.
pub(super) struct Kept(Result<String, String>);

impl Kept {
    pub(super) fn of<T: Serialize>(fact: &T) -> Self {
        Self(serde_json::to_string(fact).map_err(|error| error.to_string()))
    }

    pub(super) fn again<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let unreadable = |why: String| {
            Refusal::Store(Error::corrupt(format!(
                "the fact of the test does not serialise: {why}"
            )))
        };
        let json = self.0.as_ref().map_err(|why| unreadable(why.clone()))?;
        serde_json::from_str(json).map_err(|error| unreadable(error.to_string()))
    }
}

/// The row of the world's subject, created if there is none.
pub(super) async fn enrolled<F: Flow>(world: &World<F>) -> Result<Row, Refusal> {
    let (tenant, subject) = (world.tenant(), world.subject());
    let _found = world.onramp().enroll(tenant, subject).await?;
    let row = world.store().find(&world.key()).await?;
    row.ok_or_else(|| Refusal::Store(Error::corrupt("what was enrolled is gone")))
}

pub(super) async fn begin<F: Flow>(world: &World<F>, row: Row) -> Result<(), Refusal> {
    let pending = handle::<F, Pending>(row)?;
    let cleared = world.onramp().clear(&pending).await;
    let clearance = cleared.map_err(Refusal::NotCleared)?;
    stored(world.onramp().commit(pending.start(clearance)).await)
}

pub(super) async fn commit<F: Flow, From: Stage, To: Stage>(
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
            refused @ (NotAppliedBecause::Taken { .. }
            | NotAppliedBecause::TooManyStarts { .. }) => {
                Refusal::Store(Error::new(ErrorKind::Invalid, refused.to_string()))
            }
            // Not reachable: every act has an identity of its own.
            other @ NotAppliedBecause::IdentityReused => {
                Refusal::Store(Error::corrupt(other.to_string()))
            }
        }),
        // Not reachable: nobody else works in the world, and its connection breaks for workers only.
        Err(other) => Err(Refusal::Store(Error::corrupt(other.to_string()))),
    }
}
