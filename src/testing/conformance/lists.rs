//! Lists of onboardings, and deletion.

use std::sync::Arc;
use std::time::Duration;

use super::onboard::{LONG, Place, told};
use super::{Found, hold};
use crate::id::{Actor, FlowName, Key, OnboardingId, Revision, SubjectId};
use crate::lifecycle::{Action, StageKind};
use crate::store::{CommitOutcome, Listed, Row, Store, TenantRequest};

fn names(row: &Row, listed: &Listed) -> bool {
    let state = &row.state;
    let is = (listed.id, &listed.key, listed.revision, listed.stage);
    is == (state.id(), state.key(), state.revision(), state.stage())
}

pub(super) async fn a_subjects_onboardings_are_listed(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let started = place.started("org-1").await?;
    let answered = place.answer(&started)?;
    let at = answered.entry.at;
    let answered = place.committed(answered).await?;
    let of_other_flow = Key {
        flow: FlowName::from_text(format!("{}_b", place.plan.flow())),
        ..place.key("org-1")?
    };
    let other = place.create(of_other_flow).await?.row;
    place.started("org-2").await?;
    place.of_another("a")?.started("org-1").await?;
    let subject = &answered.state.key().subject;
    let mut listed = place
        .store
        .of_subject(&place.tenant, subject)
        .await
        .map_err(told)?;
    listed.sort_by_key(|listed| listed.id);
    hold!(
        listed.len() == 2 && names(&answered, &listed[0]) && names(&other, &listed[1]),
        "a subject's onboardings are listed as {listed:?}"
    );
    hold!(
        listed[0].changed_at == at,
        "one changed at {at} is listed as changed at {}",
        listed[0].changed_at
    );
    Ok(())
}

/// Every page of what is asked for, put together.
async fn of_tenant(place: &Place, mut request: TenantRequest) -> Result<Vec<Listed>, String> {
    let size = request.limit;
    let mut all = Vec::new();
    // One that goes round in circles ends too.
    while all.len() < 1_000 {
        let page = place.store.of_tenant(&request).await.map_err(told)?;
        hold!(page.len() <= size, "a page of {size} has {}", page.len());
        let Some(last) = page.last() else {
            return Ok(all);
        };
        request = request.after(&last.key);
        all.extend(page);
    }
    Err(format!("the pages of a tenant do not end: {all:?}"))
}

pub(super) async fn a_tenants_onboardings_are_listed(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let in_flow = |subject: &str, suffix: &str| {
        let flow = FlowName::from_text(format!("{}{suffix}", place.plan.flow()));
        let key = place.key(subject)?;
        Ok::<_, String>(Key { flow, ..key })
    };
    // In no order, and the same subject in two flows; bytes order subjects, whatever a language says.
    let mut rows = Vec::new();
    for (subject, suffix) in [
        ("b", "_b"),
        ("\u{e4}", ""),
        ("B", ""),
        ("a", ""),
        ("b", ""),
        ("c", "_b"),
    ] {
        let key = in_flow(subject, suffix)?;
        rows.push(place.create(key).await?.row);
    }
    for prefix in ["0", "z"] {
        place.of_another(prefix)?.started("b").await?;
    }
    rows.sort_by_key(|row| {
        let key = row.state.key();
        (key.subject.clone(), key.flow.clone())
    });
    let request = TenantRequest::new(&place.tenant);
    let flow = place.plan.flow();
    for size in [1, 2, 3, 100] {
        let all = of_tenant(&place, request.clone().limit(size)).await?;
        hold!(
            all.len() == rows.len() && rows.iter().zip(&all).all(|(row, l)| names(row, l)),
            "by {size}, six onboardings of a tenant are listed as {all:?}"
        );
        let of_flow = rows.iter().filter(|row| row.state.key().flow == *flow);
        let of_flow: Vec<_> = of_flow.collect();
        let some = of_tenant(&place, request.clone().flow(flow).limit(size)).await?;
        hold!(
            some.len() == of_flow.len() && of_flow.iter().zip(&some).all(|(row, l)| names(row, l)),
            "by {size}, the four of them in one flow are listed as {some:?}"
        );
    }
    let gone = Key {
        subject: SubjectId::new("ax").map_err(told)?,
        ..in_flow("a", "")?
    };
    let later = of_tenant(&place, request.after(&gone).limit(2)).await?;
    hold!(
        later.len() == 4 && later[0].key.subject.as_str() == "b",
        "after one that is not there, four are listed as {later:?}"
    );
    Ok(())
}

/// Every page from an onboarding on, of this place's tenant.
async fn pages(place: &Place, from: OnboardingId, size: usize) -> Result<Vec<Listed>, String> {
    let mut after = Some(from);
    let mut all = Vec::new();
    loop {
        let page = place.store.list(after, size).await.map_err(told)?;
        hold!(page.len() <= size, "a page of {size} has {}", page.len());
        for listed in &page {
            hold!(
                after.is_none_or(|before| before < listed.id),
                "a list is not in the order of identities"
            );
            after = Some(listed.id);
        }
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page.into_iter().filter(|l| l.key.tenant == place.tenant));
    }
}

pub(super) async fn pages_hold_every_onboarding_once(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let first = place.create(place.key("org-0")?).await?.row;
    let mut rows = Vec::new();
    for n in 1..6 {
        rows.push(place.started(&format!("org-{n}")).await?);
    }
    // Identities are made in the order of time.
    let listed = pages(&place, first.state.id(), 2).await?;
    hold!(
        listed.len() == rows.len() && rows.iter().zip(&listed).all(|(row, l)| names(row, l)),
        "five onboardings after the first are listed as {listed:?}"
    );
    let start = place.store.list(None, 1).await.map_err(told)?;
    hold!(
        start.len() == 1 && start[0].id <= first.state.id(),
        "a list from the start begins with {start:?}"
    );
    Ok(())
}

pub(super) async fn what_is_deleted_is_gone_wholly(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let started = place.started("org-1").await?;
    let gone = place.committed(place.answer(&started)?).await?;
    let kept = place.started("org-2").await?;
    let listed = |row: &Row| Listed {
        id: row.state.id(),
        key: row.state.key().clone(),
        revision: row.state.revision(),
        stage: StageKind::InProgress,
        changed_at: row.state.created_at(),
    };
    let mut foreign = listed(&kept);
    foreign.key.tenant = place.of_another("a")?.tenant;
    let older = listed(&started);
    let refused = place.store.delete(&[older, foreign]).await.map_err(told)?;
    hold!(
        refused == 0 && place.load(gone.state.id()).await? == gone,
        "one that had moved on was deleted, or another tenant's"
    );
    let these = [listed(&gone), listed(&gone)];
    let deleted = place.store.delete(&these).await.map_err(told)?;
    hold!(deleted == 1, "deleting one gave {deleted}");
    let (tenant, id) = (&place.tenant, gone.state.id());
    let store = &place.store;
    let other = store.find(kept.state.key()).await.map_err(told)?;
    hold!(
        other.as_ref() == Some(&kept),
        "after another one was deleted {other:?} was found by its key"
    );
    let start = Revision::new(0);
    let left = store.load(tenant, id).await.map_err(told)?.is_some()
        || store.find(gone.state.key()).await.map_err(told)?.is_some()
        || !store.facts(tenant, id).await.map_err(told)?.is_empty()
        || !store
            .journal(tenant, id, start, 9)
            .await
            .map_err(told)?
            .is_empty();
    hold!(!left, "something of one that was deleted is left");
    let late = place.commit(&gone, Actor::Host, Action::Cancel, None)?;
    let late = store.commit(late).await;
    hold!(
        matches!(late, Ok(CommitOutcome::Absent)),
        "a commit to one that was deleted gave {late:?}"
    );
    let leases = place.claim(9, LONG).await?;
    hold!(
        leases.len() == 1 && leases[0].id == kept.state.id(),
        "of one that is there and one that was deleted, {leases:?} were claimed"
    );
    let messages = store
        .take_outbox(100_000, Duration::ZERO)
        .await
        .map_err(told)?;
    hold!(
        messages.iter().any(|taken| taken.message.onboarding == id),
        "a message that was not delivered went with its onboarding"
    );
    let again = place.create(place.key("org-1")?).await?;
    hold!(
        again.fresh && again.row.state.id() != id,
        "after a deletion a creation gave the old one"
    );
    Ok(())
}
