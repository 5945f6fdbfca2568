//! What only one onboarding may have.

use std::sync::Arc;

use super::onboard::{Place, fact, told};
use super::{Found, hold};
use crate::id::{Actor, StepName};
use crate::lifecycle::{Action, Digest};
use crate::store::{Commit, CommitOutcome, FactChange, ReservationChange, Row, Store};

/// Who want the same at once.
const RACERS: usize = 12;

/// A hash that nobody else uses.
fn fresh() -> Digest {
    let (a, b) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(a.as_bytes());
    bytes[16..].copy_from_slice(b.as_bytes());
    Digest::from_bytes(bytes)
}

fn take(step: &'static str, held: Digest) -> ReservationChange {
    let step = StepName::from_static(step);
    ReservationChange::Take { step, held }
}

fn release(step: &'static str) -> ReservationChange {
    let step = StepName::from_static(step);
    ReservationChange::Release { step }
}

/// An answer with what is reserved.
fn reserving(
    place: &Place,
    row: &Row,
    reservations: Vec<ReservationChange>,
) -> Result<Commit, String> {
    let mut commit = place.answer(row)?;
    commit.reservations = reservations;
    Ok(commit)
}

/// A later commit of the same onboarding, with what is reserved.
fn later(place: &Place, row: &Row, reservations: Vec<ReservationChange>) -> Result<Commit, String> {
    let put = fact("company", "{\"name\":\"Acme Inc.\"}")?;
    let revised = crate::store::mark(&put.fact, &put.salt);
    let action = Action::Revise {
        step: "company".into(),
        fact: revised,
    };
    let mut commit = place.commit(row, Actor::Subject, action, None)?;
    commit.facts = vec![FactChange::Put(put)];
    commit.reservations = reservations;
    Ok(commit)
}

pub(super) async fn a_reservation_has_one_holder(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let held = fresh();
    let mut racing = Vec::new();
    let mut rows = Vec::new();
    for n in 0..RACERS {
        let row = place.started(&format!("org-{n}")).await?;
        let commit = reserving(&place, &row, vec![take("company", held)])?;
        let store = Arc::clone(&place.store);
        racing.push(tokio::spawn(async move { store.commit(commit).await }));
        rows.push(row);
    }
    let mut won = Vec::new();
    for (racer, row) in racing.into_iter().zip(&rows) {
        let outcome = racer.await.map_err(told)?.map_err(told)?;
        let now = place.load(row.state.id()).await?;
        let facts = place.store.facts(&place.tenant, row.state.id()).await;
        match outcome {
            CommitOutcome::Committed => won.push(now),
            CommitOutcome::Taken { step } => {
                hold!(step == "company", "the reservation of {step:?} is taken");
                hold!(
                    now == *row && facts.map_err(told)?.is_empty(),
                    "one whose reservation is taken was stored in part"
                );
            }
            other => return Err(format!("a commit that reserves gave {other:?}")),
        }
    }
    let [winner] = &won[..] else {
        return Err(format!("{} have the same reservation", won.len()));
    };
    // Whoever has it may say so again, and have more; another step of the same onboarding may not.
    let again = vec![take("company", held), take("company", fresh())];
    let winner = place.committed(later(&place, winner, again)?).await?;
    let other = later(&place, &winner, vec![take("payment", held)])?;
    let outcome = place.store.commit(other).await.map_err(told)?;
    let step = StepName::from_static("payment");
    hold!(
        outcome == CommitOutcome::Taken { step: step.clone() },
        "another step with the same reservation gave {outcome:?}"
    );
    let free = fresh();
    let both = vec![take("company", free), take("payment", free)];
    let both = later(&place, &winner, both)?;
    let outcome = place.store.commit(both).await.map_err(told)?;
    hold!(
        outcome == CommitOutcome::Taken { step },
        "two steps with one reservation in a commit gave {outcome:?}"
    );
    Ok(())
}

pub(super) async fn what_is_released_is_free(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let (first, second) = (fresh(), fresh());
    let wants = async |place: &Place, subject: &str, held: Digest| {
        let row = place.started(subject).await?;
        let commit = reserving(place, &row, vec![take("company", held)])?;
        let after = commit.row.clone();
        let outcome = place.store.commit(commit).await.map_err(told)?;
        Ok::<_, String>((outcome == CommitOutcome::Committed).then_some(after))
    };
    let row = place.started("org-1").await?;
    let both = vec![take("company", first), take("payment", second)];
    let row = place.committed(reserving(&place, &row, both)?).await?;
    // In place of what it had.
    let third = fresh();
    let instead = vec![release("company"), take("company", third)];
    let row = place.committed(later(&place, &row, instead)?).await?;
    let freed = wants(&place, "org-2", first).await?;
    hold!(freed.is_some(), "what was released is not free");
    hold!(
        wants(&place, "org-3", second).await?.is_none(),
        "what another step has went with what was released"
    );
    hold!(
        wants(&place, "org-4", third).await?.is_none(),
        "what was taken in place of something is free"
    );
    let key = &row.state.key().subject;
    let listed = place.store.of_subject(&place.tenant, key).await;
    let gone = place.store.delete(&listed.map_err(told)?).await;
    hold!(gone.map_err(told)? == 1, "an onboarding was not deleted");
    hold!(
        wants(&place, "org-5", second).await?.is_some()
            && wants(&place, "org-6", third).await?.is_some(),
        "what a deleted onboarding had is not free"
    );
    Ok(())
}
