//! Creation, compare-and-swap, repetition, isolation.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::onboard::{Place, told};
use super::{Found, hold};
use crate::id::{Actor, CommandId, OnboardingId, Revision, TenantId};
use crate::lifecycle::Action;
use crate::store::{CommitOutcome, Store};

pub(super) async fn one_onboarding_per_key(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut creating = JoinSet::new();
    for _ in 0..100 {
        let place = place.clone();
        creating.spawn(async move { place.create(place.key("org-1")?).await });
    }
    let (mut fresh, mut ids) = (0, BTreeSet::new());
    for created in creating.join_all().await {
        let created = created?;
        fresh += u32::from(created.fresh);
        ids.insert(created.row.state.id());
    }
    hold!(
        ids.len() == 1,
        "100 creations at once made {} onboardings",
        ids.len()
    );
    hold!(
        fresh == 1,
        "{fresh} of 100 callers were told that theirs is new"
    );
    let again = place.create(place.key("org-1")?).await?;
    hold!(!again.fresh, "a later creation made another one");
    Ok(())
}

pub(super) async fn tenants_are_apart(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let commit = place.answer(&row)?;
    let command = commit.command();
    place.committed(commit).await?;
    let id = row.state.id();
    let name = place.tenant.as_str().to_uppercase();
    let other = TenantId::new(name).map_err(told)?;
    let store = &place.store;
    let loaded = store.load(&other, id).await.map_err(told)?;
    hold!(loaded.is_none(), "another tenant loaded it");
    let mut key = row.state.key().clone();
    key.tenant = other.clone();
    let found = store.find(&key).await.map_err(told)?;
    hold!(found.is_none(), "another tenant found it");
    let facts = store.facts(&other, id).await.map_err(told)?;
    hold!(facts.is_empty(), "another tenant read its facts");
    let journal = store
        .journal(&other, id, Revision::new(0), 9)
        .await
        .map_err(told)?;
    hold!(journal.is_empty(), "another tenant read its journal");
    let committed = store.committed(&other, id, command).await.map_err(told)?;
    hold!(committed.is_none(), "another tenant learnt of its commands");
    // A commit of another tenant, on the right revision.
    let current = place.load(id).await?;
    let mut foreign = place.commit(&current, Actor::Host, Action::Cancel, None)?;
    foreign.row.state.common.key.tenant = other;
    let outcome = store.commit(foreign).await.map_err(told)?;
    hold!(
        outcome == CommitOutcome::Absent,
        "another tenant's commit gave {outcome:?}"
    );
    hold!(
        place.load(id).await? == current,
        "another tenant changed it"
    );
    Ok(())
}

pub(super) async fn one_commit_per_revision(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let mut committing = JoinSet::new();
    for _ in 0..64 {
        let (place, commit) = (place.clone(), place.answer(&row)?);
        committing.spawn(async move { place.store.commit(commit).await.map_err(told) });
    }
    let mut won = 0;
    for outcome in committing.join_all().await {
        match outcome? {
            CommitOutcome::Committed => won += 1,
            CommitOutcome::Conflict { .. } => {}
            other => return Err(format!("a race gave {other:?}")),
        }
    }
    hold!(won == 1, "{won} of 64 commits on one revision were stored");
    let revision = place.load(row.state.id()).await?.state.revision();
    hold!(
        revision == row.state.revision().next(),
        "the revision is {revision} now"
    );
    Ok(())
}

pub(super) async fn a_conflict_gives_the_current_row(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let late = place.commit(&row, Actor::Host, Action::Cancel, None)?;
    let current = place.committed(place.answer(&row)?).await?;
    let outcome = place.store.commit(late).await.map_err(told)?;
    let expected = CommitOutcome::Conflict {
        current: Box::new(current),
    };
    hold!(outcome == expected, "a late commit gave {outcome:?}");
    Ok(())
}

pub(super) async fn an_older_revision_never_fits_again(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let first = place.started("org-1").await?;
    // There and back again: cancelled, undone, failed, retried. It looks as it did at first.
    let late = place.answer(&first)?;
    let cancel = place.commit(&first, Actor::Host, Action::Cancel, None)?;
    let row = place.committed(cancel).await?;
    let worker = |action| (Actor::Worker, action);
    let mut row = row;
    for (by, action) in [
        worker(Action::Undone {
            step: "build".into(),
            attempt: 1,
        }),
        worker(Action::FinishUndo),
        (Actor::Host, Action::Retry),
    ] {
        row = place
            .committed(place.commit(&row, by, action, None)?)
            .await?;
    }
    let outcome = place.store.commit(late).await.map_err(told)?;
    let conflict = matches!(outcome, CommitOutcome::Conflict { .. });
    hold!(conflict, "a commit four revisions late gave {outcome:?}");
    Ok(())
}

pub(super) async fn a_command_counts_once(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let commit = place.answer(&row)?;
    let made = place.committed(commit.clone()).await?;
    let cancel = place.commit(&made, Actor::Host, Action::Cancel, None)?;
    let current = place.committed(cancel).await?;
    let revision = made.state.revision();
    let outcome = place.store.commit(commit.clone()).await.map_err(told)?;
    let expected = CommitOutcome::Replayed {
        revision,
        current: Box::new(current.clone()),
    };
    hold!(
        outcome == expected,
        "a command that was sent again gave {outcome:?}"
    );
    let id = row.state.id();
    hold!(
        place.load(id).await? == current,
        "a command that was sent again changed the row"
    );
    let look = |command| place.store.committed(&place.tenant, id, command);
    let found = look(commit.command()).await.map_err(told)?;
    hold!(
        found == Some(revision),
        "the command was looked up as {found:?}"
    );
    let found = look(CommandId::fresh()).await.map_err(told)?;
    hold!(
        found.is_none(),
        "a command that never was is said to have made {found:?}"
    );
    Ok(())
}

pub(super) async fn what_is_absent_is_not_made(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let ghost = place.draft(place.key("org-1")?)?.row;
    let commit = place.commit(&ghost, Actor::Host, Action::Cancel, None)?;
    let outcome = place.store.commit(commit).await.map_err(told)?;
    hold!(
        outcome == CommitOutcome::Absent,
        "a commit on nothing gave {outcome:?}"
    );
    let found = place
        .store
        .load(&place.tenant, ghost.state.id())
        .await
        .map_err(told)?;
    hold!(found.is_none(), "a commit on nothing made something");
    let unknown = OnboardingId::fresh();
    let facts = place
        .store
        .facts(&place.tenant, unknown)
        .await
        .map_err(told)?;
    hold!(facts.is_empty(), "an onboarding that never was has facts");
    Ok(())
}
