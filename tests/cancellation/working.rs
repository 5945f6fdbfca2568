//! Workers, relays, importers, copies, and those who wait for news.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use onramp::engine::Notifier as _;
use onramp::http::webhook::{Attested, Verifier, attest};
use onramp::import::{Import, Imported, Record, Reject, rows};
use onramp::prelude::*;
use onramp::tiers::{MemoryMirror, Mirror as _, Tag, Tiered};
use onramp::{Clock as _, Key, Revision, SystemClock};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use super::drops::{Case, cases};
use super::place::{Place, company, paid, subject};
use crate::support::Workspace;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = b"{}";

/// The headers of a genuine message.
fn signed() -> HeaderMap {
    let at = SystemClock.now().timestamp();
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(&SECRET[6..]).unwrap()).unwrap();
    mac.update(format!("m-1.{at}.").as_bytes());
    mac.update(BODY);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers = [
        ("webhook-id", "m-1".to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signature),
    ];
    let header = |(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::try_from(value).unwrap(),
        )
    };
    headers.map(header).into_iter().collect()
}

fn user(record: &Record) -> Result<Imported<Workspace>, Reject> {
    let name = SubjectId::new(record.text("user")?)?;
    Ok(Imported::new(TenantId::new("acme")?, name).answer(company()))
}

impl Place {
    /// One whose leases are short, since a dropped one gives none of them back.
    fn engine(&self) -> Engine {
        Engine::builder(Arc::clone(self.store()))
            .flow(self.onramp().flow())
            .lease(Duration::from_millis(400))
            .poll(Duration::from_millis(5))
            .grace(Duration::from_millis(20))
            .build()
    }

    fn tiered(&self) -> Tiered<Workspace> {
        let mirror = MemoryMirror::default();
        Tiered::builder(self.onramp().clone())
            .mirror(mirror)
            .build()
            .unwrap()
    }

    fn mirrored(&self, who: &str) -> Key {
        Key {
            tenant: self.tenant().clone(),
            flow: self.onramp().flow().plan().flow().clone(),
            subject: subject(who),
        }
    }
}

/// Cancelled soon.
fn soon() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(40)).await;
        stop.cancel();
    });
    shutdown
}

/// Gives a hint soon, and then another one.
fn hinted(at: &Place) {
    let hints = at.store().hints();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let none = onramp::store::QueueChange::Keep;
            hints.committed(OnboardingId::from_uuid(uuid::Uuid::nil()), none);
        }
    });
}

pub(crate) const WORKING: &[Case] = cases! {
    "src/engine/worker.rs run" (at, who) { at.desk.paid(who).await; let engine = at.engine(); } engine.run(soon());
    "src/engine/worker.rs run_until_idle" (at, who) { at.desk.paid(who).await; let engine = at.engine(); }
        engine.run_until_idle();
    "src/engine/relay/rounds.rs run" (at, who) { let _ = at.started(who).await; let relay = at.relay(); }
        relay.run(soon());
    "src/engine/relay/rounds.rs run_until_idle" (at, who) { let _ = at.started(who).await; let relay = at.relay(); }
        relay.run_until_idle();
    "src/engine/notify.rs notify" (at, who) {
        let _ = at.started(who).await;
        let taken = at.store().take_outbox(1, Duration::from_millis(5)).await.unwrap();
        let projector = at.tiered().projector();
        let message = taken.into_iter().next().map(|delivery| delivery.message);
    } async {
        if let Some(message) = &message {
            projector.notify(message).await.unwrap();
        }
    };
    "src/http/webhook.rs attest" (at, who) {
        let (verifier, headers, name) = (Verifier::new(SECRET).unwrap(), signed(), subject(who));
        let message = verifier.verify(&headers, BODY).unwrap();
    } async {
        let attested = attest(at.onramp(), &message, (at.tenant(), &name), paid()).await;
        assert_eq!(attested.unwrap(), Attested::Kept);
    };
    "src/import/run.rs run" (at, who) {
        let records = [who.to_owned(), format!("{who}'s")].map(|user| serde_json::json!({ "user": user }));
        let mut import = Import::into(at.onramp(), "crm").map(user);
    } import.run(rows("users", records));
    "src/import/run.rs dry_run" (at, who) {
        let records = [serde_json::json!({ "user": who })];
        let mut import = Import::into(at.onramp(), "crm").map(user);
    } import.dry_run(rows("users", records));
    "src/tiers/tiered.rs read" (at, who) {
        let name = subject(who);
        let _ = at.desk.pending(who).await;
        let tiered = at.tiered();
    } tiered.read(at.tenant(), &name);
    "src/tiers/projector.rs project" (at, who) {
        let name = subject(who);
        let _ = at.desk.pending(who).await;
        let projector = at.tiered().projector();
    } projector.project(at.tenant(), &name);
    "src/tiers/mirror.rs load" (at, who) { let (mirror, key) = (MemoryMirror::default(), at.mirrored(who)); }
        mirror.load(&key);
    "src/tiers/mirror.rs store" (at, who) {
        let (mirror, key) = (MemoryMirror::default(), at.mirrored(who));
        let tag = mirror.load(&key).await.map_or(Tag::new("0"), |stored| stored.tag);
    } mirror.store(&key, "{}", &tag);
    "src/store/watch.rs next" (at, who) {
        let id = at.desk.answered(who).await.id();
        let mut watch = at.onramp().watch(at.tenant(), id, Revision::new(0));
    } async {
        for revision in 1..=3 {
            let told = watch.next().await.unwrap().unwrap();
            assert_eq!(told.revision.get(), revision);
        }
    };
    "src/store/hints.rs heard" (at, who) {
        let mut listener = at.store().hints().until_changed();
        hinted(at);
    } async { listener.heard().await; listener.heard().await; };
};
