//! So many starts of a tenant a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use onramp::prelude::*;
use onramp::store::NotAppliedBecause;
use onramp::{StartLimit, lifecycle::ObstacleKind};

use super::client::{Client, Said};
use super::flow::{Ahead, Host, Sessions, Signup, api, definition};

const START: &str = "/onboarding/start";

struct Limited {
    onramp: Onramp<Signup>,
    open: Arc<AtomicBool>,
    clock: Ahead,
    client: Client,
}

/// Two a minute.
fn limited() -> Limited {
    let open = Arc::new(AtomicBool::new(true));
    let clock = Ahead::default();
    let onramp = Onramp::new(MemoryStore::new(), definition(Arc::clone(&open)))
        .with_clock(clock.clone())
        .with_start_limit(StartLimit::per_minute(2));
    let router = api(onramp.clone()).authorize(Sessions).into_router();
    Limited {
        onramp,
        open,
        clock,
        client: Client::of(axum::Router::new().nest("/api", router)),
    }
}

fn refused(said: &Said) {
    assert_eq!(
        (said.status, said.code().as_str()),
        (429, "too_many_starts"),
        "{said:?}"
    );
    let seconds: u64 = said.header("retry-after").parse().unwrap();
    assert!((1..=31).contains(&seconds), "{said:?}");
    let detail = format!("Try again in {seconds} seconds.");
    assert_eq!(said.json()["detail"], detail.as_str());
}

#[tokio::test]
async fn a_tenant_that_starts_too_many_waits_and_no_other_does() {
    let shop = limited();
    for who in ["acme/a", "acme/b"] {
        assert_eq!(shop.client.post(START, who).await.status, 202);
    }
    let third = shop.client.post(START, "acme/c").await;
    refused(&third);
    let nobody = shop.client.get("/onboarding", "acme/c").await;
    assert_eq!(nobody.code(), "not_found", "nothing was made for it");
    assert_eq!(
        shop.client.post(START, "acme/a").await.status,
        202,
        "it has begun"
    );
    assert_eq!(shop.client.post(START, "beta/a").await.status, 202);

    let wait = third.header("retry-after").parse().unwrap();
    shop.clock.advance(Duration::from_secs(wait));
    assert_eq!(shop.client.post(START, "acme/c").await.status, 202);
    refused(&shop.client.post(START, "acme/d").await);
}

#[tokio::test]
async fn a_start_that_comes_to_nothing_is_not_counted() {
    let shop = limited();
    shop.open.store(false, SeqCst);
    for _ in 0..5 {
        let said = shop.client.post(START, "acme/a").await;
        assert_eq!(said.code(), "gates_closed");
    }
    shop.open.store(true, SeqCst);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = shop.client.clone();
        all.spawn(async move { client.post(START, "acme/a").await.status });
    }
    assert_eq!(
        all.join_all().await,
        [202; 50],
        "one begins, and all join it"
    );
    assert_eq!(shop.client.post(START, "acme/b").await.status, 202);
    refused(&shop.client.post(START, "acme/c").await);
}

#[tokio::test]
async fn the_front_door_gives_the_handle_back_and_explains() {
    let shop = limited();
    let tenant = TenantId::new("acme").unwrap();
    let pending = async |name: &str| {
        let subject = SubjectId::new(name).unwrap();
        let found = shop.onramp.enroll(&tenant, &subject).await.unwrap();
        let pending = found.into_pending().unwrap();
        let clearance = shop.onramp.clear(&pending).await.unwrap();
        (pending, clearance)
    };
    for name in ["a", "b"] {
        let (pending, clearance) = pending(name).await;
        let _ = shop.onramp.commit(pending.start(clearance)).await.unwrap();
    }
    let (third, clearance) = pending("c").await;
    let id = third.id();
    let Err(CommitError::NotApplied(not)) = shop.onramp.commit(third.start(clearance)).await else {
        unreachable!("it is one too many");
    };
    let NotAppliedBecause::TooManyStarts { retry_after } = not.because else {
        unreachable!("{}", not.because);
    };
    assert!(retry_after <= Duration::from_secs(30), "{retry_after:?}");
    assert!(
        not.because.to_string().contains("wait 30 seconds"),
        "{}",
        not.because
    );
    assert_eq!(not.onboarding.id(), id, "the handle, as good as before");
    let why = shop.onramp.explain(&tenant, id).await.unwrap().unwrap();
    assert_eq!(why[0].kind, ObstacleKind::TooManyStarts);
    assert!(why[0].until.is_some(), "{}", why[0]);

    shop.clock.advance(retry_after + Duration::from_secs(1));
    assert_eq!(shop.onramp.until_start(&tenant), None);
    let clearance = shop.onramp.clear(&not.onboarding).await.unwrap();
    let change = not.onboarding.start(clearance);
    let _ = shop.onramp.commit(change).await.unwrap();
}

#[tokio::test]
async fn without_a_limit_there_is_none() {
    let host = Host::new();
    for number in 0..200 {
        host.started(&format!("acme/{number}")).await;
    }
}
