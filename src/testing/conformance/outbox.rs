//! The outbox: in the order of each onboarding, at least once, and nobody in another's way.
//!
//! The store may be in use: what is of others is taken along, for a moment, and left to come again.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::onboard::{LONG, Place, SHORT, sleep, told};
use super::{Found, hold};
use crate::id::{Actor, OnboardingId};
use crate::lifecycle::Action;
use crate::store::{Delivery, Settlement, Store};

/// Everything that can be taken of some onboardings.
pub(super) async fn of(
    place: &Place,
    ids: &[OnboardingId],
    hidden: Duration,
) -> Result<Vec<Delivery>, String> {
    let mut taken = place
        .store
        .take_outbox(100_000, hidden)
        .await
        .map_err(told)?;
    let (mine, others): (Vec<_>, Vec<_>) = taken
        .drain(..)
        .partition(|delivery| ids.contains(&delivery.message.onboarding));
    let again = others
        .into_iter()
        .map(|delivery| (delivery, Settlement::Later(SHORT)));
    let again: Vec<_> = again.collect();
    place.store.settle_outbox(&again).await.map_err(told)?;
    Ok(mine)
}

/// The same, waited for until there is something.
pub(super) async fn soon(place: &Place, ids: &[OnboardingId]) -> Result<Vec<Delivery>, String> {
    for _ in 0..50 {
        let found = of(place, ids, LONG).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        sleep(SHORT.as_millis() as u64 / 2).await;
    }
    Ok(Vec::new())
}

/// The one delivery that there has to be.
pub(super) async fn one(place: &Place, id: OnboardingId) -> Result<Delivery, String> {
    let mut found = soon(place, &[id]).await?;
    match (found.pop(), found.len()) {
        (Some(delivery), 0) => Ok(delivery),
        (_, more) => Err(format!("{} messages of it are due", more + 1)),
    }
}

pub(super) async fn settle(
    place: &Place,
    delivery: &Delivery,
    settled: Settlement,
) -> Result<(), String> {
    let settled = [(delivery.clone(), settled)];
    place.store.settle_outbox(&settled).await.map_err(told)
}

/// An onboarding with three messages: of its start, and two of one commit that follows.
async fn with_three(place: &Place, subject: &str) -> Result<(OnboardingId, [Uuid; 3]), String> {
    let started = place.started(subject).await?;
    let id = started.state.id();
    let name = format!("{}#started", started.state.revision());
    let start = Uuid::new_v5(&id.as_uuid(), name.as_bytes());
    let mut answer = place.answer(&started)?;
    answer.outbox = place.message(&started, "first");
    answer.outbox.extend(place.message(&started, "second"));
    let ids = [start, answer.outbox[0].id, answer.outbox[1].id];
    place.committed(answer).await?;
    Ok((id, ids))
}

pub(super) async fn the_outbox_is_part_of_the_commit(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let pending = place.create(place.key("org-1")?).await?.row;
    let id = pending.state.id();
    let start = |row| {
        let start = Action::Start {
            cleared: id,
            cleared_at: super::onboard::now(),
        };
        place.commit(row, Actor::Host, start, None)
    };
    let (first, late) = (start(&pending)?, start(&pending)?);
    let message = first.outbox.clone();
    place.committed(first.clone()).await?;
    let _late = place.store.commit(late).await.map_err(told)?;
    let _again = place.store.commit(first).await.map_err(told)?;
    let mut found = Vec::new();
    loop {
        let taken = of(&place, &[id], LONG).await?;
        if taken.is_empty() {
            break;
        }
        for delivery in taken {
            settle(&place, &delivery, Settlement::Delivered).await?;
            found.push(delivery.message);
        }
    }
    hold!(
        found == message,
        "one commit, one conflict and one repetition left {found:?}"
    );
    Ok(())
}

pub(super) async fn the_outbox_redelivers_until_it_is_acknowledged(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let id = place.started("org-1").await?.state.id();
    let first = of(&place, &[id], 3 * SHORT).await?;
    hold!(
        first.len() == 1,
        "a started onboarding has {} messages",
        first.len()
    );
    hold!(
        of(&place, &[id], SHORT).await?.is_empty(),
        "a taken message was given out again at once"
    );
    let again = soon(&place, &[id]).await?;
    hold!(
        again.len() == 1 && again[0].message == first[0].message,
        "it was redelivered as {again:?}"
    );
    hold!(
        (first[0].attempt, again[0].attempt) == (1, 2),
        "two attempts were counted as {} and {}",
        first[0].attempt,
        again[0].attempt
    );
    settle(&place, &again[0], Settlement::Delivered).await?;
    settle(&place, &again[0], Settlement::Delivered).await?;
    sleep(3 * SHORT.as_millis() as u64).await;
    hold!(
        of(&place, &[id], SHORT).await?.is_empty(),
        "an acknowledged message was given out again"
    );
    Ok(())
}

pub(super) async fn messages_of_an_onboarding_wait_for_each_other(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let (id, ids) = with_three(&place, "org-1").await?;
    for (nth, expected) in ids.into_iter().enumerate() {
        let delivery = one(&place, id).await?;
        hold!(
            delivery.message.id == expected,
            "message {nth} was {:?}",
            delivery.message
        );
        hold!(
            of(&place, &[id], LONG).await?.is_empty(),
            "the next one was given out while message {nth} is being delivered"
        );
        settle(&place, &delivery, Settlement::Later(SHORT)).await?;
        let again = one(&place, id).await?;
        hold!(
            again.message.id == expected && again.attempt == 2,
            "message {nth}, put off, came again as {again:?}"
        );
        settle(&place, &again, Settlement::Delivered).await?;
    }
    hold!(
        soon_none(&place, id).await?,
        "of three delivered messages one is left"
    );
    Ok(())
}

async fn soon_none(place: &Place, id: OnboardingId) -> Result<bool, String> {
    sleep(SHORT.as_millis() as u64).await;
    Ok(of(place, &[id], SHORT).await?.is_empty())
}

pub(super) async fn a_deferred_message_is_left_alone_for_its_time(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let id = place.started("org-1").await?.state.id();
    let delivery = one(&place, id).await?;
    settle(&place, &delivery, Settlement::Later(5 * SHORT)).await?;
    sleep(SHORT.as_millis() as u64).await;
    hold!(
        of(&place, &[id], LONG).await?.is_empty(),
        "a message that was put off for 200 ms is due after 40"
    );
    one(&place, id).await?;
    Ok(())
}

/// Enough of them that what can be handed out is beyond any window.
const BEHIND: usize = 66;
/// Few enough that a store which looks at little more than it is asked for finds only who waits.
const FEW: usize = 16;

pub(super) async fn who_waits_is_in_nobodys_way(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut waiting = Vec::new();
    for n in 0..BEHIND {
        waiting.push(with_three(&place, &format!("org-{n}")).await?.0);
    }
    let heads = of(&place, &waiting, LONG).await?;
    hold!(
        heads.len() == BEHIND,
        "of {BEHIND} onboardings {} can be told of",
        heads.len()
    );
    let free = place.started("org-free").await?.state.id();
    // However many of others come first: each of them is put off, and gone for as long as this takes.
    loop {
        let taken = place.store.take_outbox(FEW, LONG).await.map_err(told)?;
        hold!(
            !taken.is_empty(),
            "a message that is due is not given out, behind {BEHIND} onboardings that wait"
        );
        let waits = |delivery: &&Delivery| waiting.contains(&delivery.message.onboarding);
        let early = taken.iter().find(waits);
        hold!(early.is_none(), "of one that waits {early:?} was given out");
        let mut found = false;
        for delivery in taken {
            let mine = delivery.message.onboarding == free;
            found |= mine;
            let settled = match mine {
                true => Settlement::Delivered,
                false => Settlement::Later(LONG),
            };
            settle(&place, &delivery, settled).await?;
        }
        if found {
            return forget(&place, &waiting, heads).await;
        }
    }
}

/// Delivers all of them, so that nothing is left for other clauses to pass over.
async fn forget(place: &Place, ids: &[OnboardingId], mut heads: Vec<Delivery>) -> Found {
    while !heads.is_empty() {
        let settled = heads.drain(..).map(|d| (d, Settlement::Delivered));
        let settled: Vec<_> = settled.collect();
        place.store.settle_outbox(&settled).await.map_err(told)?;
        heads = of(place, ids, LONG).await?;
    }
    Ok(())
}

pub(super) async fn a_late_settlement_changes_nothing(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    for (subject, late) in [
        ("org-1", Settlement::Delivered),
        ("org-2", Settlement::Dead("gone".to_owned())),
        ("org-3", Settlement::Later(Duration::ZERO)),
    ] {
        let (id, _) = with_three(&place, subject).await?;
        let first = of(&place, &[id], SHORT).await?;
        hold!(first.len() == 1, "of three messages {first:?} are due");
        let again = one(&place, id).await?;
        settle(&place, &first[0], late.clone()).await?;
        let due = of(&place, &[id], LONG).await?;
        hold!(
            due.is_empty(),
            "one whose time was over said {late:?}, and {due:?} was given out"
        );
        settle(&place, &again, Settlement::Delivered).await?;
        let next = one(&place, id).await?;
        hold!(
            next.message.id != again.message.id,
            "one whose time was over said {late:?}, and a delivered message came again"
        );
    }
    Ok(())
}

pub(super) async fn a_dead_message_keeps_nobody_waiting(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let (id, ids) = with_three(&place, "org-1").await?;
    let first = one(&place, id).await?;
    settle(&place, &first, Settlement::Dead("gone".to_owned())).await?;
    let second = one(&place, id).await?;
    hold!(
        second.message.id == ids[1],
        "behind a dead message {second:?} was given out"
    );
    let dead = place.store.dead_outbox(100_000).await.map_err(told)?;
    let dead: Vec<_> = dead.iter().filter(|d| d.message.onboarding == id).collect();
    hold!(
        dead.len() == 1
            && dead[0].message == first.message
            && dead[0].reason == "gone"
            && dead[0].attempts == 1,
        "one dead message is listed as {dead:?}"
    );
    settle(&place, &second, Settlement::Delivered).await?;
    Ok(())
}

pub(super) async fn a_dead_message_can_be_revived(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let (id, ids) = with_three(&place, "org-1").await?;
    let first = one(&place, id).await?;
    settle(&place, &first, Settlement::Dead("gone".to_owned())).await?;
    let revive = |id| place.store.revive_outbox(id);
    let living = revive(ids[1]).await.map_err(told)?;
    hold!(!living, "one that is not dead was revived");
    let revived = revive(ids[0]).await.map_err(told)?;
    hold!(revived, "a dead one was not revived");
    let twice = revive(ids[0]).await.map_err(told)?;
    hold!(!twice, "one was revived twice");
    let dead = place.store.dead_outbox(100_000).await.map_err(told)?;
    let dead = dead.iter().find(|d| d.message.onboarding == id);
    hold!(dead.is_none(), "a revived message is listed as {dead:?}");
    let again = one(&place, id).await?;
    hold!(
        again.message == first.message && again.attempt == 1,
        "a revived message was given out as {again:?}"
    );
    hold!(
        again.fence > first.fence,
        "a revived message has an old fence"
    );
    settle(&place, &again, Settlement::Delivered).await?;
    let next = one(&place, id).await?;
    hold!(
        next.message.id == ids[1],
        "after a revived message {next:?} was given out"
    );
    Ok(())
}

pub(super) async fn a_reason_that_is_none_is_refused(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let id = place.started("org-1").await?.state.id();
    let delivery = one(&place, id).await?;
    for reason in ["", "two\0words"] {
        let dead = [(delivery.clone(), Settlement::Dead(reason.to_owned()))];
        let refused = place.store.settle_outbox(&dead).await;
        let invalid = refused
            .as_ref()
            .is_err_and(|e| e.kind() == crate::store::ErrorKind::Invalid);
        hold!(invalid, "the reason {reason:?} gave {refused:?}");
    }
    settle(&place, &delivery, Settlement::Delivered).await
}

pub(super) async fn the_outboxs_lag_is_told(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let lag = || async { place.store.outbox_lag().await.map_err(told) };
    let before = lag().await?;
    let id = place.started("org-1").await?.state.id();
    sleep(3 * SHORT.as_millis() as u64).await;
    let waiting = lag().await?;
    hold!(
        waiting.oldest.is_some_and(|age| age >= 2 * SHORT),
        "a message of 120 ms ago is told as {waiting:?}"
    );
    let delivery = one(&place, id).await?;
    settle(&place, &delivery, Settlement::Later(LONG)).await?;
    let deferred = lag().await?;
    hold!(
        deferred.oldest.is_some_and(|age| age >= 2 * SHORT),
        "a message that was put off is told as {deferred:?}"
    );
    let id = place.started("org-2").await?.state.id();
    let delivery = one(&place, id).await?;
    settle(&place, &delivery, Settlement::Dead("gone".to_owned())).await?;
    let after = lag().await?;
    hold!(
        after.dead == before.dead + 1,
        "with one more dead message {} became {}",
        before.dead,
        after.dead
    );
    place
        .store
        .revive_outbox(delivery.message.id)
        .await
        .map_err(told)?;
    let revived = lag().await?;
    hold!(
        revived.dead == before.dead,
        "with one revived {} became {}",
        after.dead,
        revived.dead
    );
    Ok(())
}

pub(super) async fn the_next_message_is_told(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let next = || async { place.store.next_outbox().await.map_err(told) };
    let id = place.started("org-1").await?.state.id();
    let due = next().await?;
    hold!(
        due == Some(Duration::ZERO),
        "with a message that is due the next one is in {due:?}"
    );
    let delivery = one(&place, id).await?;
    settle(&place, &delivery, Settlement::Later(LONG)).await?;
    // Those of others for longer than that, also the ones that other clauses put off for a moment.
    let mut due = None;
    for _ in 0..50 {
        let others = place.store.take_outbox(100_000, 9 * LONG).await;
        drop(others.map_err(told)?);
        due = next().await?;
        if due.is_some_and(|due| due <= LONG && !due.is_zero()) {
            return Ok(());
        }
        sleep(SHORT.as_millis() as u64).await;
    }
    Err(format!(
        "with a message that is due in a minute the next one is in {due:?}"
    ))
}
