//! Damage where workers and relays come by: that onboarding is left alone, its bytes as they are, and all
//! others are completed and told of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use onramp::engine::{Notifier, NotifyError, Relay};
use onramp::prelude::*;
use onramp::store::{ErrorKind, OutboxMessage};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio_util::sync::CancellationToken;

use super::dice::{Dice, Hunt};
use super::stored::{connect, damage};
use crate::support::{Desk, Faults};

const OTHERS: [&str; 3] = ["other-1", "other-2", "other-3"];

#[derive(Default)]
struct Post(Mutex<BTreeMap<OnboardingId, Vec<String>>>);

#[async_trait::async_trait]
impl Notifier for Post {
    async fn notify(&self, message: &OutboxMessage) -> Result<(), NotifyError> {
        let mut told = self.0.lock().unwrap();
        told.entry(message.onboarding)
            .or_default()
            .push(message.topic.clone());
        Ok(())
    }
}

#[test]
fn damage_stops_no_worker_and_no_relay() {
    let hunt = Hunt::named("damage_stops_no_worker_and_no_relay");
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.db");
    let victim = hunt.runtime.block_on(async {
        let store = SqliteStore::open(&whole).await.unwrap();
        let desk = Desk::new(Arc::new(store.clone()), Faults::default());
        desk.paid("victim").await;
        for other in OTHERS {
            desk.paid(other).await;
        }
        let victim = desk.open("victim").await.id();
        store.close().await;
        victim
    });
    let hex = victim.as_uuid().simple().to_string();
    let tables =
        ["onboarding", "fact", "journal", "queue", "outbox"].map(|name| format!("onramp_{name}"));
    hunt.run(async |dice: &mut Dice| {
        let path = folder.path().join(format!("{}.db", uuid::Uuid::now_v7()));
        std::fs::copy(&whole, &path).unwrap();
        let mut raw = connect(&path).await;
        let mut cells = Vec::new();
        for _ in 0..=dice.below(3) {
            let table = dice.pick(&tables).clone();
            let key = if table == "onramp_onboarding" {
                "id"
            } else {
                "onboarding"
            };
            cells.extend(damage(dice, &mut raw, &[table], &format!("{key} = x'{hex}'")).await);
        }
        let of = format!("SELECT CAST(state AS BLOB) FROM onramp_onboarding WHERE id = x'{hex}'");
        let of = || sqlx::query(AssertSqlSafe(of.clone()));
        let before = of()
            .fetch_optional(&mut raw)
            .await
            .unwrap()
            .map(|row| row.get::<Vec<u8>, _>(0));

        let cells: Vec<_> = cells.iter().map(ToString::to_string).collect();
        let store = SqliteStore::open(&path).await.unwrap();
        let desk = Desk::new(Arc::new(store.clone()), Faults::default());
        let post = Arc::new(Post::default());
        worked(&desk, &post, &format!("{cells:?}")).await;

        let tenant = desk.tenant().clone();
        match desk.onramp.store().load(&tenant, victim).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{cells:?}: {error:?}");
                let after = of().fetch_optional(&mut raw).await.unwrap();
                assert_eq!(
                    after.map(|row| row.get::<Vec<u8>, _>(0)),
                    before,
                    "{cells:?}"
                );
            }
        }
        store.close().await;
        raw.close().await.unwrap();
        std::fs::remove_file(&path).unwrap();
    });
}

/// Lets an engine and a relay work until all others are completed and told of.
async fn worked(desk: &Desk, post: &Arc<Post>, cells: &str) {
    let shutdown = CancellationToken::new();
    let quick = Duration::from_millis(5);
    let engine = Engine::builder(Arc::clone(desk.onramp.store()))
        .flow(desk.onramp.flow())
        .poll(quick)
        .build();
    let relay = Relay::builder(Arc::clone(desk.onramp.store()))
        .notifier(Arc::clone(post))
        .poll(quick)
        .build();
    let stop = shutdown.clone();
    let engine = tokio::spawn(async move { engine.run(stop).await });
    let stop = shutdown.clone();
    let relay = tokio::spawn(async move { relay.run(stop).await });
    let begun = Instant::now();
    for other in OTHERS {
        let id = desk.open(other).await.id();
        loop {
            let told = post.0.lock().unwrap().get(&id).cloned().unwrap_or_default();
            if told == ["started", "completed"] {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{cells} stops {other}: {told:?}"
            );
            tokio::time::sleep(quick).await;
        }
        desk.journal_holds(other).await;
    }
    shutdown.cancel();
    engine.await.unwrap();
    relay.await.unwrap();
}
