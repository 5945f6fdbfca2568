//! Whose turn it is, and how much anybody may have at the same time.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::onboard::{LONG, Place, SHORT, failed_attempt, sleep, told};
use super::{Found, hold};
use crate::id::{Actor, TenantId};
use crate::store::{ClaimOrder, Lease, QueueChange, Store};

pub(super) async fn no_tenant_waits_for_anothers_backlog(store: Arc<dyn Store>) -> Found {
    let busy = Place::new(store)?;
    for n in 0..40 {
        busy.started(&format!("org-{n}")).await?;
    }
    // Between the others, so that neither the first nor the last tenant is favoured by its name.
    for (tenants, name) in [(2, "a"), (3, "zz")] {
        let late = busy.of_another(name)?;
        late.started("org-1").await?;
        let mut claims = 0;
        let found = loop {
            let one = busy.request(1).order(ClaimOrder::Fair);
            let claimed = busy.claim_as(one).await?;
            claims += 1;
            if claimed.iter().any(|lease| lease.tenant == late.tenant) {
                break true;
            }
            if claims == 4 * tenants {
                break false;
            }
        };
        hold!(
            found,
            "after {claims} claims in turn, others still wait for the tenant with the backlog"
        );
    }
    let rest = busy.request(99).order(ClaimOrder::Fair);
    let rest = busy.claim_as(rest).await?;
    let (least, most) = (40 - 4 * (2 + 3), 40);
    hold!(
        (least..=most).contains(&rest.len()),
        "of what nobody else wanted, {} were claimed",
        rest.len()
    );
    hold!(
        busy.claim(99, LONG).await?.is_empty(),
        "with room for all, some were left"
    );
    Ok(())
}

pub(super) async fn a_limit_is_never_exceeded(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let other = place.of_another("b")?;
    for n in 0..12 {
        place.started(&format!("org-{n}")).await?;
    }
    for n in 0..2 {
        other.started(&format!("org-{n}")).await?;
    }
    let limit = NonZeroU32::new(3);
    let claimers = (0..16).map(|n| {
        let place = place.clone();
        let order = [ClaimOrder::Fair, ClaimOrder::Oldest][n % 2];
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            for _ in 0..3 {
                let request = place.request(2).order(order).per_tenant(limit);
                claimed.extend(place.claim_as(request).await?);
            }
            Ok::<_, String>(claimed)
        })
    });
    let mut held = BTreeMap::<TenantId, Vec<Lease>>::new();
    for claimer in claimers.collect::<Vec<_>>() {
        for lease in claimer.await.map_err(told)?? {
            held.entry(lease.tenant.clone()).or_default().push(lease);
        }
    }
    // Alone, nobody is in the way.
    for _ in 0..3 {
        let request = place.request(9).order(ClaimOrder::Fair).per_tenant(limit);
        for lease in place.claim_as(request).await? {
            held.entry(lease.tenant.clone()).or_default().push(lease);
        }
    }
    let of = |tenant| held.get(tenant).map_or(0, Vec::len);
    let (of_one, of_other) = (of(&place.tenant), of(&other.tenant));
    hold!(
        of_one == 3,
        "with a limit of 3, {of_one} of 12 were leased at the same time"
    );
    hold!(
        of_other == 2,
        "with a limit of 3, {of_other} of 2 were leased beside a tenant at its limit"
    );
    Ok(())
}

pub(super) async fn a_slot_comes_back_with_its_lease(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut rows = BTreeMap::new();
    for n in 0..6 {
        let row = place.started(&format!("org-{n}")).await?;
        rows.insert(row.state.id(), row);
    }
    let only = |lease| {
        let limit = NonZeroU32::new(1);
        place.request(9).lease(lease).per_tenant(limit)
    };
    let ways = [
        "released", "parked", "done", "put off", "ran out", "at last",
    ];
    let mut before = "begun";
    for way in ways {
        let lease = if way == "ran out" { SHORT } else { LONG };
        let claimed = place.claim_as(only(lease)).await?;
        let Some(lease) = claimed.first() else {
            return Err(format!(
                "after the one before was {before} there is no room"
            ));
        };
        let Some(row) = rows.get(&lease.id) else {
            return Err("another's was claimed".to_owned());
        };
        let mut commit = place.commit(row, Actor::Worker, failed_attempt(1), Some(lease.fence))?;
        match way {
            "released" => place.store.release(lease, LONG).await.map_err(told)?,
            "parked" => {
                let at = row.state.revision();
                place.store.park(lease, at, None).await.map_err(told)?;
            }
            "done" => {
                commit.queue = QueueChange::Remove;
                place.committed(commit).await?;
            }
            "put off" => {
                commit.queue = QueueChange::Release(LONG);
                place.committed(commit).await?;
            }
            _ => sleep(2 * SHORT.as_millis() as u64).await,
        }
        before = way;
    }
    Ok(())
}

pub(super) async fn a_lease_without_its_slot_is_lost(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    place.started("org-1").await?;
    place.started("org-2").await?;
    let only = |lease| {
        let limit = NonZeroU32::new(1);
        place.request(1).lease(lease).per_tenant(limit)
    };
    let old = place.claim_as(only(SHORT)).await?;
    sleep(2 * SHORT.as_millis() as u64).await;
    // Whichever it gives, there is room for one.
    let new = place.claim_as(only(LONG)).await?;
    hold!(new.len() == 1, "{} were claimed of two", new.len());
    let kept = place.store.renew(&old, LONG).await.map_err(told)?;
    hold!(
        kept.is_empty(),
        "a lease that ran out was renewed after another took its place"
    );
    let released = place.store.release(&old[0], Duration::ZERO).await;
    released.map_err(told)?;
    let again = place.claim_as(only(LONG)).await?;
    hold!(again.is_empty(), "two were leased with room for one");
    Ok(())
}
