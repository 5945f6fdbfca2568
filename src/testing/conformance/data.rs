//! What comes back: rows, facts, journal, outbox.

use std::sync::Arc;

use super::onboard::{LONG, Place, fact, failed_attempt, tells, told};
use super::{Found, hold};
use crate::id::{Actor, Revision};
use crate::lifecycle::Action;
use crate::store::{CommitOutcome, FactChange, FactRecord, QueueChange, Store, verify};

pub(super) async fn rows_come_back_as_they_went(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let new = place.draft(place.key("org-1 \u{1f680} \u{5d0}")?)?;
    let row = new.row.clone();
    let created = place.store.create(new).await.map_err(told)?;
    hold!(created.row == row, "a creation gave {:?}", created.row);
    hold!(
        place.load(row.state.id()).await? == row,
        "a new row came back changed"
    );
    let started = place.started("org-2").await?;
    let answered = place.committed(place.answer(&started)?).await?;
    hold!(
        place.load(answered.state.id()).await? == answered,
        "a row came back changed"
    );
    let found = place.store.find(answered.state.key()).await.map_err(told)?;
    hold!(
        found.as_ref() == Some(&answered),
        "it was found as {found:?}"
    );
    Ok(())
}

fn same(a: &FactRecord, b: &FactRecord) -> bool {
    let parts = |r: &FactRecord| {
        let fact = &r.fact;
        (
            fact.step().clone(),
            fact.version(),
            fact.json().to_owned(),
            r.salt,
            r.by.clone(),
            r.at,
        )
    };
    parts(a) == parts(b)
}

pub(super) async fn facts_are_put_replaced_and_removed(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let id = row.state.id();
    let text = "{\"name\":\"Ac\\\"me \u{1f680} \u{5d0}\\n\"}";
    let (kept, first, second) = (
        fact("payment", "[1,2]")?,
        fact("company", "{}")?,
        fact("company", text)?,
    );
    let mut commit = place.answer(&row)?;
    commit.facts = vec![FactChange::Put(kept.clone()), FactChange::Put(first)];
    let row = place.committed(commit).await?;
    let mut commit = place.commit(&row, Actor::Host, Action::Cancel, None)?;
    commit.facts = vec![FactChange::Put(second.clone())];
    let row = place.committed(commit).await?;
    let facts = place.store.facts(&place.tenant, id).await.map_err(told)?;
    let has = |fact: &FactRecord| facts.iter().any(|f| same(f, fact));
    hold!(facts.len() == 2, "two facts became {}", facts.len());
    hold!(has(&kept) && has(&second), "facts came back as {facts:?}");
    let undone = Action::Undone {
        step: "build".into(),
        attempt: 1,
    };
    let mut commit = place.commit(&row, Actor::Worker, undone, None)?;
    commit.facts = vec![
        FactChange::Remove("company".into()),
        FactChange::Remove("ghost".into()),
    ];
    place.committed(commit).await?;
    let facts = place.store.facts(&place.tenant, id).await.map_err(told)?;
    hold!(
        facts.len() == 1 && same(&facts[0], &kept),
        "after a removal: {facts:?}"
    );
    Ok(())
}

pub(super) async fn a_workers_fact_replaces_the_one_before(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut row = place.started("org-1").await?;
    let id = row.state.id();
    let lease = place.claim_one(LONG).await?;
    // Going on, and at the end.
    let queue = [QueueChange::Hold, QueueChange::Hold, QueueChange::Remove];
    for (attempt, queue) in (1..).zip(queue) {
        let failed = failed_attempt(attempt);
        let mut commit = place.commit(&row, Actor::Worker, failed, Some(lease.fence))?;
        let fact = fact("build", &format!("[{attempt}]"))?;
        commit.facts = vec![FactChange::Put(fact.clone())];
        commit.queue = queue;
        row = place.committed(commit).await?;
        let facts = place.store.facts(&place.tenant, id).await.map_err(told)?;
        hold!(
            facts.len() == 1 && same(&facts[0], &fact),
            "after attempt {attempt}: {facts:?}"
        );
    }
    hold!(
        place.next_due().await?.is_none(),
        "it left the queue, and is due in {:?}",
        place.next_due().await?
    );
    Ok(())
}

pub(super) async fn the_journal_is_whole_and_in_order(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let id = row.state.id();
    let answer = place.answer(&row)?;
    let entry = answer.entry.clone();
    let row = place.committed(answer).await?;
    let cancel = place.commit(&row, Actor::Operator("ann".into()), Action::Cancel, None)?;
    let row = place.committed(cancel).await?;
    let read = |after, limit| {
        place
            .store
            .journal(&place.tenant, id, Revision::new(after), limit)
    };
    let journal = read(0, 99).await.map_err(told)?;
    let revisions: Vec<u64> = journal.iter().map(|entry| entry.revision.get()).collect();
    hold!(
        revisions == [1, 2, 3, 4],
        "the journal has the revisions {revisions:?}"
    );
    hold!(
        journal[2] == entry,
        "an entry came back as {:?}",
        journal[2]
    );
    let head = verify(&journal).map_err(told)?;
    hold!(
        head == row.head,
        "the journal does not end at the row's head"
    );
    let events = journal[3].decode().map_err(told)?;
    hold!(
        tells(&events, "undo_started"),
        "the last entry tells {events:?}"
    );
    let page = read(1, 2).await.map_err(told)?;
    hold!(
        page == journal[1..3],
        "two entries after the first came back as {page:?}"
    );
    Ok(())
}

pub(super) async fn what_is_not_committed_leaves_nothing(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let id = row.state.id();
    let late = place.answer(&row)?;
    let mut stale = place.answer(&row)?;
    stale.fence = Some(crate::id::Fence::new(77));
    let current = place.commit(&row, Actor::Host, Action::Cancel, None)?;
    let current = place.committed(current).await?;
    for commit in [late, stale] {
        let outcome = place.store.commit(commit).await.map_err(told)?;
        let refused = matches!(
            outcome,
            CommitOutcome::Conflict { .. } | CommitOutcome::Fenced
        );
        hold!(refused, "a commit that does not fit gave {outcome:?}");
    }
    hold!(
        place.load(id).await? == current,
        "a refused commit changed the row"
    );
    let facts = place.store.facts(&place.tenant, id).await.map_err(told)?;
    hold!(
        facts.is_empty(),
        "a refused commit left {} facts",
        facts.len()
    );
    let after = Revision::new(0);
    let journal = place
        .store
        .journal(&place.tenant, id, after, 99)
        .await
        .map_err(told)?;
    hold!(
        journal.len() == 3,
        "a refused commit left {} journal entries",
        journal.len()
    );
    Ok(())
}
