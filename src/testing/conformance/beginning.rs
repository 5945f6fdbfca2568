//! Onboardings that start as they are created.

use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;

use super::onboard::{LONG, Place, told};
use super::outbox::{of, one, settle, soon};
use super::{Found, hold};
use crate::id::{Actor, Revision};
use crate::store::{NewOnboarding, OutboxMessage, Settlement, Store};

impl Place {
    /// A new onboarding that is started, not yet created.
    fn beginning(&self, subject: &str) -> Result<NewOnboarding, String> {
        let key = self.key(subject)?;
        crate::testing::commits::beginning(key, &self.plan, super::onboard::now()).map_err(told)
    }
}

pub(super) async fn what_begins_at_once_is_due_and_told(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut new = place.beginning("org-1")?;
    let (row, entry) = (new.row.clone(), new.entry.clone());
    // One more than the rules give, so that their order is seen.
    let second = OutboxMessage {
        id: Uuid::new_v4(),
        topic: "second".to_owned(),
        ..new.outbox[0].clone()
    };
    new.outbox.push(second);
    let messages = new.outbox.clone();
    let created = place.store.create(new).await.map_err(told)?;
    hold!(
        created.fresh && created.row == row,
        "it gave {:?} at revision {}",
        created.row.state.stage(),
        created.row.state.revision()
    );
    let id = row.state.id();
    hold!(place.load(id).await? == row, "its row is another one");
    let journal = place.store.journal(&place.tenant, id, Revision::new(0), 9);
    let journal = journal.await.map_err(told)?;
    hold!(journal == [entry], "its journal is {journal:?}");
    for message in messages {
        let delivery = one(&place, id).await?;
        hold!(
            delivery.message == message,
            "{:?} was delivered where {:?} was next",
            delivery.message,
            message
        );
        settle(&place, &delivery, Settlement::Delivered).await?;
    }
    // One that is to rest first is queued, and not due yet.
    let mut later = place.beginning("org-2")?;
    later.due = Some(LONG);
    place.store.create(later).await.map_err(told)?;
    let mut claimed = place.claim(9, LONG).await?;
    hold!(
        claimed.len() == 1 && claimed[0].id == id && claimed[0].attempt == 1,
        "what was claimed is {claimed:?}"
    );
    let rest = place.next_due().await?;
    hold!(
        rest.is_some_and(|rest| !rest.is_zero()),
        "what begins later is due in {rest:?}"
    );
    // The lease is as good as any other.
    let fence = claimed.pop().map(|lease| lease.fence);
    let on = super::onboard::failed_attempt(1);
    place
        .committed(place.commit(&row, Actor::Worker, on, fence)?)
        .await?;
    Ok(())
}

pub(super) async fn who_comes_second_begins_nothing(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut ids = Vec::new();
    let mut creating = JoinSet::new();
    for _ in 0..32 {
        let new = place.beginning("org-1")?;
        ids.push(new.row.state.id());
        let place = place.clone();
        creating.spawn(async move { place.store.create(new).await.map_err(told) });
    }
    let mut fresh = Vec::new();
    for created in creating.join_all().await {
        let created = created?;
        if created.fresh {
            fresh.push(created.row.state.id());
        }
    }
    hold!(fresh.len() == 1, "{} of 32 began", fresh.len());
    let told_of = soon(&place, &ids).await?;
    hold!(
        told_of.len() == 1 && told_of[0].message.onboarding == fresh[0],
        "32 who began at once are told of by {told_of:?}"
    );
    settle(&place, &told_of[0], Settlement::Delivered).await?;
    let again = of(&place, &ids, LONG).await?;
    hold!(again.is_empty(), "those who began nothing told {again:?}");
    let claimed = place.claim(9, LONG).await?;
    let claimed: Vec<_> = claimed.into_iter().map(|lease| lease.id).collect();
    hold!(claimed == fresh, "what was claimed is {claimed:?}");
    Ok(())
}
