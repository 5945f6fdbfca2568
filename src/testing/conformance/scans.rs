//! Scans of a flow's onboardings.

use std::sync::Arc;

use super::onboard::{Place, told};
use super::{Found, hold};
use crate::id::{FlowName, Key, OnboardingId};
use crate::lifecycle::StageKind;
use crate::store::{Row, ScanRequest, Store};

/// What a scan gives, page by page.
async fn scanned(store: &dyn Store, mut request: ScanRequest) -> Result<Vec<Row>, String> {
    let mut all = Vec::new();
    loop {
        let page = store.scan(&request).await.map_err(told)?;
        let (got, limit) = (page.len(), request.limit);
        hold!(got <= limit, "a page of {limit} has {got}");
        for one in page {
            let row = one.row.map_err(told)?;
            hold!(
                request.from <= one.id && one.id < request.until && one.id == row.state.id(),
                "a scan from {} until {} gave {}",
                request.from,
                request.until,
                one.id
            );
            request = request.after(one.id);
            all.push(row);
        }
        if got == 0 {
            return Ok(all);
        }
    }
}

fn names(rows: &[Row]) -> String {
    let names = rows.iter().map(|row| row.state.key().to_string());
    names.collect::<Vec<_>>().join(", ")
}

pub(super) async fn a_scan_gives_every_row_of_its_range_once(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut rows = Vec::new();
    for n in 0..6 {
        let row = match n % 2 {
            0 => place.started(&format!("org-{n}")).await?,
            _ => place.create(place.key(&format!("org-{n}"))?).await?.row,
        };
        rows.push(row);
    }
    rows.sort_by_key(|row| row.state.id());
    let request = ScanRequest::new(place.plan.flow()).limit(2);
    let all = scanned(&*place.store, request.clone()).await?;
    hold!(
        all == rows,
        "of six onboardings a scan gives {}",
        names(&all)
    );
    let mut middle = request;
    (middle.from, middle.until) = (rows[1].state.id(), rows[4].state.id());
    let some = scanned(&*place.store, middle.clone()).await?;
    hold!(
        some == rows[1..4],
        "a scan from the second on and before the fifth gives {}",
        names(&some)
    );
    (middle.from, middle.until) = (middle.until, middle.from);
    let none = scanned(&*place.store, middle).await?;
    hold!(
        none.is_empty(),
        "a range that ends first gives {}",
        names(&none)
    );
    Ok(())
}

pub(super) async fn a_scan_keeps_to_what_it_is_for(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let started = place.started("org-1").await?;
    let pending = place.create(place.key("org-2")?).await?.row;
    let of_other_flow = Key {
        flow: FlowName::from_text(format!("{}_b", place.plan.flow())),
        ..place.key("org-1")?
    };
    place.create(of_other_flow).await?;
    let other = place.of_another("a")?;
    let of_other_tenant = Key {
        flow: place.plan.flow().clone(),
        ..other.key("org-1")?
    };
    let foreign = place.create(of_other_tenant).await?.row;
    let ids = |rows: &[Row]| -> Vec<OnboardingId> {
        let mut ids: Vec<_> = rows.iter().map(|row| row.state.id()).collect();
        ids.sort();
        ids
    };
    let flow = ScanRequest::new(place.plan.flow());
    let [started, pending, foreign] = [started, pending, foreign].map(|row| row.state.id());
    let tenant = flow.clone().tenant(&place.tenant);
    let cases = [
        ("the flow", flow.clone(), vec![started, pending, foreign]),
        ("the tenant", tenant.clone(), vec![started, pending]),
        (
            "the stage",
            flow.stage(StageKind::Pending),
            vec![pending, foreign],
        ),
        (
            "tenant and stage",
            tenant.stage(StageKind::InProgress),
            vec![started],
        ),
    ];
    for (what, request, mut expected) in cases {
        expected.sort();
        let found = scanned(&*place.store, request.limit(1)).await?;
        hold!(
            ids(&found) == expected,
            "a scan by {what} gives {}",
            names(&found)
        );
    }
    Ok(())
}
