//! Secrets of onboardings, on every store: sealed, shown once, re-wrapped, erased.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test may panic; its modules are its own"
)]

#[path = "vault/forgotten.rs"]
mod forgotten;
#[path = "vault/reveals.rs"]
mod reveals;
mod support;
#[path = "vault/flow.rs"]
mod vault_flow;

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use onramp::lifecycle::Rejected;
use onramp::prelude::*;
use onramp::vault::{Reauthenticated, RevealToken, SealError, Secret, Vault, VaultError};
use onramp::{Clock, SecretName};
use support::database::{Database, Kind};
use support::each_store;
use support::opened::Opened;
use vault_flow::{API_KEY, Company, Host, Issued, NEW, OLD, OPENAI, keys};

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn why<T>(result: Result<T, VaultError>) -> VaultError {
    match result {
        Ok(_) => panic!("it was done"),
        Err(error) => error,
    }
}

fn rejected<T>(result: Result<T, VaultError>) -> Rejected {
    match why(result) {
        VaultError::Rejected(why) => why,
        other => panic!("{other}"),
    }
}

/// Another verifier, for the same offer.
fn forged(token: &RevealToken, nth: usize) -> RevealToken {
    let mut text = token.expose().to_owned();
    let at = 40 + nth % 20;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    text.replace_range(at..=at, other);
    RevealToken::parse(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_is_kept_in_every_stage_replaced_and_burnt() {
    for store in each_store().await {
        let host = Host::new(store);
        let pending = host.enrolled("org-1").await;
        let running = host.started("org-2").await.id();
        let completed = host.completed("org-3").await;
        let failed = host.enrolled("org-4").await;
        let subject = SubjectId::new("org-4").unwrap();
        let found = host.onramp.open(&host.tenant, &subject).await.unwrap();
        let change = found.unwrap().into_pending().unwrap().cancel();
        let _ = host.onramp.commit(change).await.unwrap();
        for id in [pending, running, completed, failed] {
            let (vault, tenant) = (&host.vault, &host.tenant);
            vault
                .keep(tenant, id, &OPENAI, secret("sk-1"))
                .await
                .unwrap();
            vault
                .keep(tenant, id, &OPENAI, secret("sk-2"))
                .await
                .unwrap();
            assert_eq!(host.open(id, &OPENAI).await, "sk-2");
            let kept = vault.keep_once(tenant, id, &OPENAI, secret("sk-3")).await;
            assert_eq!(kept.ok().unwrap().expose_text(), Some("sk-2"));
            host.holds(id).await;
            vault.burn(tenant, id, &OPENAI).await.unwrap();
            vault.burn(tenant, id, &OPENAI).await.unwrap();
            let none = Rejected::NoSecret { name: OPENAI };
            assert_eq!(rejected(vault.open(tenant, id, &OPENAI).await), none);
            assert_eq!(host.times(id, "secret_burnt").await, 1);
            host.holds(id).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_keep_at_once_all_get_the_same() {
    for store in each_store().await {
        let host = Arc::new(Host::new(store));
        let id = host.enrolled("org-1").await;
        let tasks: Vec<_> = (0..20)
            .map(|nth| {
                let host = Arc::clone(&host);
                tokio::spawn(async move {
                    let mine = secret(&format!("sk-{nth}"));
                    let kept = host.vault.keep_once(&host.tenant, id, &OPENAI, mine).await;
                    kept.ok().unwrap().expose_text().unwrap().to_owned()
                })
            })
            .collect();
        let kept = host_open_all(tasks).await;
        let stored = host.open(id, &OPENAI).await;
        assert!(kept.iter().all(|kept| *kept == stored), "{kept:?}");
        assert_eq!(host.times(id, "secret_kept").await, 1);
    }
}

async fn host_open_all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_task_that_is_repeated_gives_the_key_that_is_kept() {
    for store in each_store().await {
        let host = Host::new(store);
        host.failures.store(3, SeqCst);
        let id = host.answered("org-1").await.id();
        for _ in 0..10 {
            host.work().await;
            host.clock.advance(Duration::from_secs(1));
        }
        let row = host.store().load(&host.tenant, id).await.unwrap().unwrap();
        assert_eq!(row.state.stage(), StageKind::Completed);
        assert_eq!(host.times(id, "attempt_failed").await, 3);
        assert_eq!(host.times(id, "secret_kept").await, 1);
        let issued: Issued = host.onramp.fact(&host.tenant, id).await.unwrap().unwrap();
        let prefix = vault_flow::prefix();
        let kept = host.vault.issue(&host.tenant, id, &API_KEY, &prefix).await;
        let kept = kept.ok().unwrap();
        assert!(issued.hash.is_of(&kept));
        assert_eq!(issued.fingerprint, kept.fingerprint());
        assert_eq!(host.open(id, &API_KEY).await, kept.expose());
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_given_up_takes_its_key_with_it() {
    for store in each_store().await {
        let host = Host::new(store);
        host.failures.store(100, SeqCst);
        let id = host.answered("org-1").await.id();
        host.work().await;
        let row = host.store().load(&host.tenant, id).await.unwrap().unwrap();
        assert_eq!(row.state.stage(), StageKind::Failed);
        assert_eq!(host.times(id, "secret_kept").await, 1);
        let none = Rejected::NoSecret { name: API_KEY };
        let opened = host.vault.open(&host.tenant, id, &API_KEY).await;
        assert_eq!(rejected(opened), none);
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_another_tenants_is_absent() {
    for store in each_store().await {
        let host = Host::new(store);
        let id = host.completed("org-1").await;
        let token = host.offer(id, &API_KEY).await;
        let (other, nobody) = (TenantId::new("other").unwrap(), OnboardingId::fresh());
        let vault = &host.vault;
        for (tenant, id) in [(&other, id), (&host.tenant, nobody)] {
            let proof = Reauthenticated::new(id, host.clock.now());
            let tried = [
                why(vault.keep(tenant, id, &API_KEY, secret("x")).await),
                why(vault.keep_once(tenant, id, &API_KEY, secret("x")).await),
                why(vault.open(tenant, id, &API_KEY).await),
                why(vault.burn(tenant, id, &API_KEY).await),
                why(vault.offer(tenant, id, &API_KEY).await),
                why(vault.offer_again(tenant, id, &API_KEY, proof).await),
                why(vault.reveal(tenant, id, &API_KEY, &token).await),
            ];
            for error in tried {
                assert_eq!(error.to_string(), VaultError::Absent.to_string());
            }
        }
        assert!(
            vault
                .reveal(&host.tenant, id, &API_KEY, &token)
                .await
                .is_ok()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn erasing_a_subject_takes_its_secrets() {
    for store in each_store().await {
        let host = Host::new(store);
        let id = host.completed("org-1").await;
        let (tenant, vault) = (&host.tenant, &host.vault);
        vault
            .keep(tenant, id, &OPENAI, secret("sk-1"))
            .await
            .unwrap();
        let token = vault.offer(tenant, id, &API_KEY).await.ok().unwrap();
        let subject = SubjectId::new("org-1").unwrap();
        let by = Actor::Operator("ann".into());
        let erasure = host.onramp.erase_subject(tenant, &subject, &by).await;
        assert_eq!(erasure.unwrap().erased, [id]);
        assert!(host.store().facts(tenant, id).await.unwrap().is_empty());
        let row = host.store().load(tenant, id).await.unwrap().unwrap();
        assert_eq!(row.state.secrets().count(), 0);
        let none = |name: SecretName| Rejected::NoSecret { name };
        assert_eq!(
            rejected(vault.open(tenant, id, &OPENAI).await),
            none(OPENAI)
        );
        let shown = vault.reveal(tenant, id, &API_KEY, &token).await;
        assert_eq!(rejected(shown), none(API_KEY));
        let again = vault.keep(tenant, id, &OPENAI, secret("sk-1")).await;
        assert_eq!(rejected(again), Rejected::Erased);
        host.holds(id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_changed_while_all_goes_on() {
    for store in each_store().await {
        let host = Arc::new(Host::new(store));
        let mut ids = Vec::new();
        for nth in 0..120 {
            let id = host.enrolled(&format!("org-{nth}")).await;
            let text = format!("sk-{nth}");
            host.vault
                .keep(&host.tenant, id, &OPENAI, secret(&text))
                .await
                .unwrap();
            ids.push(id);
        }
        let done = host.completed("org-done").await;
        let token = host.offer(done, &API_KEY).await;

        let under = |text: &str| {
            let vault = Vault::new(Arc::clone(host.store()), keys(text));
            vault.with_clock(host.clock.clone())
        };
        let both = under(&format!("{NEW}, {OLD}"));
        // Others write meanwhile.
        let busy = {
            let (host, ids) = (Arc::clone(&host), ids.clone());
            tokio::spawn(async move {
                for (nth, id) in ids.iter().enumerate().step_by(7) {
                    let text = format!("sk-{nth}");
                    host.vault
                        .keep(&host.tenant, *id, &OPENAI, secret(&text))
                        .await
                        .unwrap();
                }
            })
        };
        // It stops after a page, and begins again.
        let page = both.rewrap_after(None).await.unwrap();
        assert!(page.next.is_some() && page.rewrapped > 0, "{page:?}");
        busy.await.unwrap();
        let whole = both.rewrap_all().await.unwrap();
        assert!(whole.failed.is_empty() && whole.next.is_none(), "{whole:?}");
        assert_eq!(whole.rewrapped + whole.current, 121);
        let again = both.rewrap_all().await.unwrap();
        assert_eq!((again.rewrapped, again.current), (0, 121));

        let only = under(NEW);
        for (nth, id) in ids.iter().enumerate() {
            let opened = only.open(&host.tenant, *id, &OPENAI).await.ok().unwrap();
            assert_eq!(opened.expose_text(), Some(format!("sk-{nth}").as_str()));
            host.holds(*id).await;
        }
        let lost = why(host.vault.open(&host.tenant, done, &API_KEY).await);
        assert!(lost.to_string().contains("there is no key new"), "{lost}");
        // A token that was out before serves after.
        assert!(
            only.reveal(&host.tenant, done, &API_KEY, &token)
                .await
                .is_ok()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_byte_that_is_changed_in_the_database_is_found() {
    for database in Database::each().await {
        let store = Opened::new(&database).store().await.unwrap();
        let host = Host::new(store);
        let id = host.completed("org-1").await;
        let slot = "step = 'sealed.api_key'";
        let payload = format!("SELECT payload FROM onramp_fact WHERE {slot}");
        let payload = database.texts(&payload).await.pop().unwrap();
        // A connection for each: on servers a part of them is enough.
        let step = if database.kind == Kind::Sqlite { 1 } else { 17 };
        for at in (0..payload.len()).step_by(step) {
            let mut changed = payload.clone().into_bytes();
            changed[at] ^= 1;
            let Ok(changed) = String::from_utf8(changed) else {
                continue;
            };
            put(&database, &changed).await;
            let found = why(host.vault.open(&host.tenant, id, &API_KEY).await);
            let tampered = matches!(
                found,
                VaultError::Tampered { .. } | VaultError::Store(_) | VaultError::Seal(_)
            );
            assert!(tampered, "byte {at}: {found}");
            // Others go on.
            let done = host.vault.rewrap_all().await.unwrap();
            assert_eq!(done.failed.len(), 1, "byte {at}");
        }
        put(&database, &payload).await;
        assert!(host.vault.open(&host.tenant, id, &API_KEY).await.is_ok());
        host.holds(id).await;
    }
}

async fn put(database: &Database, payload: &str) {
    let quoted = payload.replace('\'', "''").replace('\\', "\\\\");
    let set = format!("UPDATE onramp_fact SET payload = '{quoted}'");
    database
        .run(&format!("{set} WHERE step = 'sealed.api_key'"))
        .await;
}

/// Whoever can write to the database writes the mark as well; what is bound to the text remains.
#[tokio::test]
async fn a_secret_that_is_moved_to_another_place_does_not_open_there() {
    let database = Database::sqlite();
    let host = Host::new(Opened::new(&database).store().await.unwrap());
    let (mine, theirs) = (host.enrolled("org-1").await, host.enrolled("org-2").await);
    for (id, text) in [(mine, "sk-mine"), (theirs, "sk-theirs")] {
        host.vault
            .keep(&host.tenant, id, &OPENAI, secret(text))
            .await
            .unwrap();
    }
    let hex = |id: OnboardingId| id.as_uuid().simple().to_string();
    let (mine_hex, theirs_hex) = (hex(mine), hex(theirs));
    let state = "SELECT state FROM onramp_onboarding WHERE hex(id) = upper('";
    let state = database
        .texts(&format!("{state}{theirs_hex}')"))
        .await
        .pop()
        .unwrap();
    let secrets = |state: &str| {
        let state: serde_json::Value = serde_json::from_str(state).unwrap();
        state["secrets"].to_string()
    };
    database
        .run(&format!(
            "UPDATE onramp_fact SET
               payload = (SELECT payload FROM onramp_fact WHERE hex(onboarding) = upper('{theirs_hex}')),
               salt = (SELECT salt FROM onramp_fact WHERE hex(onboarding) = upper('{theirs_hex}'))
             WHERE hex(onboarding) = upper('{mine_hex}');
             UPDATE onramp_onboarding SET state = json_set(state, '$.secrets', json('{}'))
             WHERE hex(id) = upper('{mine_hex}')",
            secrets(&state)
        ))
        .await;
    let moved = why(host.vault.open(&host.tenant, mine, &OPENAI).await);
    assert!(
        matches!(moved, VaultError::Seal(SealError::Broken)),
        "{moved}"
    );
    assert_eq!(host.open(theirs, &OPENAI).await, "sk-theirs");
    assert!(
        host.onramp
            .verify_journal(&host.tenant, mine)
            .await
            .is_err()
    );
}
