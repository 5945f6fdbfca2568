//! Claims, leases, fences.

use std::sync::Arc;
use std::time::Duration;

use super::onboard::{LONG, Place, SHORT, failed_attempt, sleep, told};
use super::{Found, hold};
use crate::id::{Actor, Fence, FlowName};
use crate::lifecycle::Action;
use crate::store::{CommitOutcome, QueueChange, StepProgress, Store};

pub(super) async fn what_is_due_longest_is_claimed_first(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut ids = Vec::new();
    for subject in ["org-1", "org-2", "org-3"] {
        ids.push(place.started(subject).await?.state.id());
        sleep(5).await;
    }
    let elsewhere = Place::new(Arc::clone(&place.store))?;
    hold!(
        elsewhere.claim(9, LONG).await?.is_empty(),
        "another flow's were claimed"
    );
    let claimed = place.claim(2, LONG).await?;
    let first: Vec<_> = claimed.iter().map(|lease| lease.id).collect();
    hold!(
        first == ids[..2],
        "two of three were claimed as {first:?} of {ids:?}"
    );
    let rest = place.claim(9, LONG).await?;
    hold!(
        rest.len() == 1 && rest[0].id == ids[2],
        "then {} were claimed",
        rest.len()
    );
    hold!(
        rest[0].tenant == place.tenant,
        "a lease names the tenant {}",
        rest[0].tenant
    );
    Ok(())
}

pub(super) async fn a_leased_one_is_nobody_elses(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    place.started("org-1").await?;
    place.claim_one(LONG).await?;
    hold!(
        place.claim(9, LONG).await?.is_empty(),
        "a leased one was claimed by another"
    );
    place.started("org-2").await?;
    place.claim_one(SHORT).await?;
    sleep(2 * SHORT.as_millis() as u64).await;
    hold!(
        place.claim(9, LONG).await?.len() == 1,
        "one whose lease ran out was not claimed"
    );
    Ok(())
}

pub(super) async fn every_claim_counts_an_attempt(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    for expected in 1..=3 {
        let lease = place.claim_one(SHORT).await?;
        hold!(
            lease.attempt == expected,
            "claim {expected} is attempt {}",
            lease.attempt
        );
        sleep(2 * SHORT.as_millis() as u64).await;
    }
    // A failed attempt gives the lease back and keeps the count.
    let lease = place.claim_one(LONG).await?;
    let fence = Some(lease.fence);
    let mut commit = place.commit(&row, Actor::Worker, failed_attempt(4), fence)?;
    commit.queue = QueueChange::Release(Duration::ZERO);
    let row = place.committed(commit).await?;
    let lease = place.claim_one(LONG).await?;
    hold!(
        lease.attempt == 5,
        "after a failed attempt 4 came attempt {}",
        lease.attempt
    );
    // Going on under the lease is the first attempt at what is next.
    let fence = Some(lease.fence);
    let mut commit = place.commit(&row, Actor::Worker, failed_attempt(5), fence)?;
    commit.queue = QueueChange::Hold;
    let row = place.committed(commit).await?;
    let mut commit = place.commit(&row, Actor::Worker, failed_attempt(1), fence)?;
    commit.queue = QueueChange::Release(Duration::ZERO);
    place.committed(commit).await?;
    let lease = place.claim_one(LONG).await?;
    hold!(
        lease.attempt == 2,
        "after going on came attempt {}",
        lease.attempt
    );
    Ok(())
}

pub(super) async fn an_older_claim_cannot_write(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let old = place.claim_one(SHORT).await?;
    sleep(2 * SHORT.as_millis() as u64).await;
    // The same worker, by name: a name is not a fence.
    let new = place.claim_one(LONG).await?;
    hold!(
        new.fence > old.fence,
        "the fence went from {} to {}",
        old.fence,
        new.fence
    );
    let write = |fence| place.commit(&row, Actor::Worker, failed_attempt(1), Some(fence));
    let outcome = place.store.commit(write(old.fence)?).await.map_err(told)?;
    hold!(
        outcome == CommitOutcome::Fenced,
        "an older claim's commit gave {outcome:?}"
    );
    let ahead = Fence::new(new.fence.get() + 1);
    let outcome = place.store.commit(write(ahead)?).await.map_err(told)?;
    hold!(
        outcome == CommitOutcome::Fenced,
        "a claim that never was gave {outcome:?}"
    );
    place
        .store
        .release(&old, Duration::ZERO)
        .await
        .map_err(told)?;
    place
        .store
        .park(&old, row.state.revision(), None)
        .await
        .map_err(told)?;
    hold!(
        place.claim(9, LONG).await?.is_empty(),
        "an older claim gave the newer one back"
    );
    place.committed(write(new.fence)?).await?;
    Ok(())
}

pub(super) async fn a_claim_that_was_given_back_cannot_write(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let lease = place.claim_one(LONG).await?;
    place.store.release(&lease, LONG).await.map_err(told)?;
    let commit = place.commit(&row, Actor::Worker, failed_attempt(1), Some(lease.fence))?;
    let outcome = place.store.commit(commit).await.map_err(told)?;
    hold!(
        outcome == CommitOutcome::Fenced,
        "a claim that was given back gave {outcome:?}"
    );
    Ok(())
}

pub(super) async fn fences_never_repeat(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut row = place.started("org-1").await?;
    let mut last = Fence::new(0);
    for round in 0..4 {
        let lease = place.claim_one(LONG).await?;
        hold!(
            lease.fence > last,
            "fence {} came after {last}",
            lease.fence
        );
        last = lease.fence;
        // Out of the queue, by a commit and by parking in turn, and in again.
        if round % 2 == 0 {
            let failed = failed_attempt(1);
            let mut commit = place.commit(&row, Actor::Worker, failed, Some(lease.fence))?;
            commit.queue = QueueChange::Remove;
            row = place.committed(commit).await?;
        } else {
            let at = row.state.revision();
            place.store.park(&lease, at, None).await.map_err(told)?;
        }
        hold!(
            place.next_due().await?.is_none(),
            "what was taken out is still queued"
        );
        let mut commit = place.commit(&row, Actor::Worker, failed_attempt(1), None)?;
        commit.queue = QueueChange::Wake(Duration::ZERO);
        row = place.committed(commit).await?;
    }
    Ok(())
}

pub(super) async fn renewing_keeps_only_what_is_held(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    // First, so that a slow store does not claim one here whose short lease has run out.
    place.started("org-2").await?;
    let given_back = place.claim_one(LONG).await?;
    place.store.release(&given_back, LONG).await.map_err(told)?;
    place.started("org-1").await?;
    let old = place.claim_one(SHORT).await?;
    sleep(2 * SHORT.as_millis() as u64).await;
    // Long enough that a slow machine gets as far as renewing it.
    let held = place.claim_one(SHORT * 10).await?;
    let asked = [old, held.clone(), given_back];
    let kept = place.store.renew(&asked, LONG).await.map_err(told)?;
    hold!(kept == [held], "of three leases {kept:?} were kept");
    sleep(11 * SHORT.as_millis() as u64).await;
    hold!(
        place.claim(9, LONG).await?.is_empty(),
        "a renewed lease ran out"
    );
    Ok(())
}

pub(super) async fn releasing_uncounts_the_attempt(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    place.started("org-1").await?;
    for _ in 0..3 {
        let lease = place.claim_one(LONG).await?;
        hold!(
            lease.attempt == 1,
            "a released claim left attempt {}",
            lease.attempt
        );
        place
            .store
            .release(&lease, Duration::ZERO)
            .await
            .map_err(told)?;
    }
    let lease = place.claim_one(LONG).await?;
    place.store.release(&lease, LONG).await.map_err(told)?;
    hold!(
        place.claim(9, LONG).await?.is_empty(),
        "it was due before the time it was released for"
    );
    Ok(())
}

pub(super) async fn parking_never_loses_a_wake_up(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let lease = place.claim_one(LONG).await?;
    let seen = row.state.revision();
    place.committed(place.answer(&row)?).await?;
    place.store.park(&lease, seen, None).await.map_err(told)?;
    let due = place.next_due().await?;
    hold!(
        due == Some(Duration::ZERO),
        "parked at an older revision it is due in {due:?}"
    );
    let lease = place.claim_one(LONG).await?;
    place
        .store
        .park(&lease, seen.next(), None)
        .await
        .map_err(told)?;
    hold!(
        place.next_due().await?.is_none(),
        "parked at the current revision it is still queued"
    );
    // Until a time, the same holds.
    let row = place.started("org-2").await?;
    let lease = place.claim_one(LONG).await?;
    let seen = row.state.revision();
    place
        .store
        .park(&lease, seen, Some(SHORT))
        .await
        .map_err(told)?;
    sleep(3 * SHORT.as_millis() as u64).await;
    let lease = place.claim_one(LONG).await?;
    hold!(
        lease.attempt == 1,
        "one that has only rested was claimed for the {}th time",
        lease.attempt
    );
    place
        .store
        .park(&lease, seen, Some(LONG))
        .await
        .map_err(told)?;
    let due = place.next_due().await?;
    hold!(
        due.is_some_and(|due| due > LONG / 2 && due <= LONG),
        "parked for {LONG:?} it is due in {due:?}"
    );
    let row = place
        .committed(place.commit(&row, Actor::Host, Action::Cancel, None)?)
        .await?;
    let lease = place.claim_one(LONG).await?;
    hold!(
        lease.attempt == 1,
        "one that had rested was claimed for the {}th time",
        lease.attempt
    );
    place
        .store
        .park(&lease, seen, Some(LONG))
        .await
        .map_err(told)?;
    let due = place.next_due().await?;
    hold!(
        due == Some(Duration::ZERO),
        "parked until a time at an older revision than {} it is due in {due:?}",
        row.state.revision()
    );
    Ok(())
}

pub(super) async fn waking_leaves_a_lease_alone(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let lease = place.claim_one(LONG).await?;
    let cancel = place.commit(&row, Actor::Host, Action::Cancel, None)?;
    hold!(
        matches!(cancel.queue, QueueChange::Wake(_)),
        "the suite has a mistake"
    );
    let row = place.committed(cancel).await?;
    hold!(
        place.claim(9, LONG).await?.is_empty(),
        "a host's commit took the lease away"
    );
    let undone = Action::Undone {
        step: "build".into(),
        attempt: 1,
    };
    let commit = place.commit(&row, Actor::Worker, undone, Some(lease.fence))?;
    place.committed(commit).await?;
    // One that nobody holds is due at once, whatever it waited for before.
    let row = place.started("org-2").await?;
    let lease = place.claim_one(LONG).await?;
    place.store.release(&lease, LONG).await.map_err(told)?;
    place
        .committed(place.commit(&row, Actor::Host, Action::Cancel, None)?)
        .await?;
    let woken = place.claim(9, LONG).await?;
    hold!(
        woken.len() == 1 && woken[0].attempt == 1,
        "woken, it was claimed as {woken:?}"
    );
    Ok(())
}

pub(super) async fn the_soonest_of_several_flows_is_told(store: Arc<dyn Store>) -> Found {
    let (now, later) = (Place::new(Arc::clone(&store))?, Place::new(store)?);
    let (first, second) = (now.plan.flow(), later.plan.flow());
    // More than any statement may ask of at once, with nothing in them.
    let others = (0..20).map(|n| FlowName::from_text(format!("{first}_{n}")));
    let others: Vec<_> = others.collect();
    later.started("org-1").await?;
    for nobodys in [&[], &others[..1], &others] {
        let due = now.due_in(nobodys).await?;
        hold!(
            due.is_none(),
            "{} flows without any are due in {due:?}",
            nobodys.len()
        );
    }
    later.claim_one(LONG).await?;
    let about = LONG / 2..=LONG;
    let mut all = others.clone();
    all.insert(9, second.clone());
    for flows in [vec![first.clone(), second.clone()], all] {
        let due = now.due_in(&flows).await?.unwrap_or_default();
        hold!(
            about.contains(&due),
            "of {} flows, one with a lease of {LONG:?}, the soonest is due in {due:?}",
            flows.len()
        );
    }
    now.started("org-1").await?;
    let mut all = others;
    all.insert(3, second.clone());
    all.push(first.clone());
    for flows in [
        vec![first.clone(), second.clone()],
        vec![second.clone(), first.clone()],
        all,
    ] {
        let due = now.due_in(&flows).await?;
        hold!(
            due == Some(Duration::ZERO),
            "of {} flows, one of which is due now, the soonest is due in {due:?}",
            flows.len()
        );
    }
    Ok(())
}

pub(super) async fn the_next_due_is_told(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let due = place.next_due().await?;
    hold!(due.is_none(), "an empty queue is due in {due:?}");
    place.started("org-1").await?;
    let due = place.next_due().await?;
    hold!(
        due == Some(Duration::ZERO),
        "what is due now is due in {due:?}"
    );
    place.claim_one(LONG).await?;
    let due = place.next_due().await?.unwrap_or_default();
    let about = LONG / 2..=LONG;
    hold!(
        about.contains(&due),
        "a lease of {LONG:?} runs out in {due:?}"
    );
    Ok(())
}

pub(super) async fn progress_is_kept_for_whoever_holds_the_lease(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let id = place.started("org-1").await?.state.id();
    let said = |done| StepProgress::new("build".into(), 1, done, 21, "Creating tables \u{1f680}");
    let known = async || place.store.progress(&place.tenant, id).await.map_err(told);
    hold!(
        known().await?.is_none(),
        "there is progress before anybody said so"
    );
    let old = place.claim_one(SHORT).await?;
    for done in [3, 7] {
        let held = place.store.report(&old, &said(done)).await.map_err(told)?;
        hold!(held, "whoever holds the lease was refused");
    }
    hold!(
        known().await? == Some(said(7)),
        "the newest progress came back as {:?}",
        known().await?
    );
    let foreign = place.of_another("a")?.tenant;
    let seen = place.store.progress(&foreign, id).await.map_err(told)?;
    hold!(seen.is_none(), "another tenant sees {seen:?}");
    sleep(3 * SHORT.as_millis() as u64).await;
    let lease = place.claim_one(LONG).await?;
    let late = place.store.report(&old, &said(21)).await.map_err(told)?;
    hold!(
        !late && known().await? != Some(said(21)),
        "whoever had lost the lease could say how far it is"
    );
    let at = place.load(id).await?.state.revision();
    place.store.park(&lease, at, None).await.map_err(told)?;
    hold!(
        known().await?.is_none(),
        "something that is out of the queue still has progress"
    );
    Ok(())
}
