//! Two hundred secrets go every way there is, and none of them is seen anywhere: not in logs, `Debug`,
//! errors, journal, messages, exports or the database itself.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test may panic; its modules are its own"
)]

#[path = "vault/looked.rs"]
mod looked;
mod support;
#[path = "vault/flow.rs"]
#[expect(dead_code, reason = "another test uses the rest")]
mod vault_flow;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use looked::{Log, chain, dump, found};
use onramp::prelude::*;
use onramp::vault::{
    ApiKey, ApiKeyHash, KeyId, KeyPrefix, Label, LocalKeys, Reauthenticated, RevealToken, Sealed,
    Secret, Vault,
};
use onramp::{Clock, Revision, SecretName};
use support::database::Database;
use support::opened::Opened;
use vault_flow::{API_KEY, Company, Host, NEW, OLD, OPENAI, keys, prefix};

/// Secrets a store; every one is looked for.
const MANY: usize = 200;

/// What was seen, and where.
#[derive(Default)]
struct Seen(Vec<(&'static str, String)>);

impl Seen {
    fn at(&mut self, place: &'static str, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    /// Of a result, what is seen of its error.
    fn error<T, E: std::error::Error + 'static>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.at("error", chain(&error))).ok()
    }

    fn of(&self, place: &str) -> String {
        let texts = self.0.iter().filter(|(at, _)| *at == place);
        texts
            .map(|(_, text)| text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn canary(secrets: &mut Vec<String>) -> String {
    let text = format!("canary{}", uuid::Uuid::new_v4().simple());
    secrets.push(text.clone());
    text
}

fn name(nth: usize) -> SecretName {
    SecretName::new(format!("provider_{}", nth % 20)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_secret_is_seen_anywhere() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let mut secrets = Vec::new();
    for database in Database::each().await {
        let (mut mine, mut seen) = (Vec::new(), Seen::default());
        let store = Opened::new(&database).store().await.unwrap();
        every_way(&store, &mut mine, &mut seen).await;
        seen.at("database", dump(&database).await);
        nowhere(&seen, &mine, &format!("{:?}", database.kind));
        secrets.extend(mine);
    }
    let (mut mine, mut seen) = (Vec::new(), Seen::default());
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    every_way(&store, &mut mine, &mut seen).await;
    seen.0.push(("database", "Visible GmbH".to_owned()));
    nowhere(&seen, &mine, "memory");
    secrets.extend(mine);

    let logged = log.text();
    assert!(logged.contains("no_key"), "the look at logs is blind");
    assert_eq!(found(&logged, &secrets), Vec::<String>::new(), "in logs");
    println!(
        "{} secrets, {} bytes of logs: 0 hits",
        secrets.len(),
        logged.len()
    );
}

fn nowhere(seen: &Seen, secrets: &[String], store: &str) {
    assert!(secrets.len() >= MANY, "{}", secrets.len());
    // What is no secret is there to be seen: so the look itself is not blind.
    for place in ["database", "facts", "export"] {
        assert!(seen.of(place).contains("Visible GmbH"), "{store}: {place}");
    }
    for place in ["journal", "row"] {
        assert!(seen.of(place).contains("secret"), "{store}: {place}");
    }
    let places: BTreeSet<_> = seen.0.iter().map(|(place, _)| *place).collect();
    assert_eq!(places.len(), 8, "{places:?}");
    for place in places {
        let found = found(&seen.of(place), secrets);
        assert!(found.is_empty(), "{store}: {} in {place}", found.len());
    }
}

#[test]
fn the_search_finds_every_spelling() {
    let secret = "canary-0123456789abcdef".to_owned();
    for spelling in looked::spellings(&secret) {
        let text = format!("xx{spelling}yy");
        assert_eq!(
            found(&text, std::slice::from_ref(&secret)).len(),
            1,
            "{spelling}"
        );
    }
    assert!(found("canary-0123", &[secret]).is_empty());
}

async fn every_way(store: &Arc<dyn Store>, secrets: &mut Vec<String>, seen: &mut Seen) {
    let host = Host::new(Arc::clone(store));
    let (tenant, vault) = (&host.tenant, &host.vault);
    let secret = |secrets: &mut Vec<String>| Secret::from(canary(secrets));

    // Kept, kept once, replaced, burnt, opened.
    let id = visible(&host, "org-1").await;
    for nth in 0..100 {
        let kept = vault.keep(tenant, id, &name(nth), secret(secrets)).await;
        seen.error(kept).unwrap();
    }
    for nth in 0..20 {
        let mine = secret(secrets);
        let kept = vault.keep_once(tenant, id, &name(nth), mine).await;
        seen.error(kept).unwrap();
        if nth % 3 == 0 {
            seen.error(vault.burn(tenant, id, &name(nth)).await)
                .unwrap();
        }
    }

    // Made by tasks that fail after it.
    for nth in 0..10 {
        host.failures.store(nth % 3, SeqCst);
        let id = visible(&host, &format!("org-key-{nth}")).await;
        host.work().await;
        secrets.push(host.open(id, &API_KEY).await);
        let token = seen.error(vault.offer(tenant, id, &API_KEY).await).unwrap();
        secrets.push(token.expose().to_owned());
        // The verifier alone, too: the selector is no secret.
        secrets.push(token.expose()[27..].to_owned());
        let mut wrong = token.expose().to_owned();
        wrong.replace_range(50..51, if &wrong[50..51] == "A" { "B" } else { "A" });
        secrets.push(wrong.clone());
        let wrong = seen.error(RevealToken::parse(&wrong)).unwrap();
        seen.error(vault.reveal(tenant, id, &API_KEY, &wrong).await);
        let shown = vault.reveal(tenant, id, &API_KEY, &token).await;
        seen.error(shown).unwrap();
        seen.error(vault.reveal(tenant, id, &API_KEY, &token).await);
        seen.error(vault.offer(tenant, id, &API_KEY).await);
        let proof = Reauthenticated::new(id, host.clock.now());
        seen.at("debug", format!("{proof:?}"));
        let again = vault.offer_again(tenant, id, &API_KEY, proof).await;
        secrets.push(seen.error(again).unwrap().expose().to_owned());
    }
    refused(&host, id, secrets, seen).await;

    // Re-wrapped, and under a key that is not there.
    let both = Vault::new(Arc::clone(store), keys(&format!("{NEW}, {OLD}")));
    let done = seen.error(both.rewrap_all().await).unwrap();
    seen.at("debug", format!("{done:?} {both:?}"));
    let lost = Vault::new(Arc::clone(store), keys(OLD));
    seen.error(lost.open(tenant, id, &name(1)).await);
    let done = seen.error(lost.rewrap_all().await).unwrap();
    seen.at("debug", format!("{done:?}"));

    everything_stored(&host, seen).await;
}

async fn visible(host: &Host, subject: &str) -> OnboardingId {
    let running = host.started(subject).await;
    let name = "Visible GmbH".to_owned();
    let answer = running.submit(Company { name });
    host.onramp.commit(answer).await.unwrap().id()
}

/// Whatever is refused, and the errors that say so.
async fn refused(host: &Host, id: OnboardingId, secrets: &mut Vec<String>, seen: &mut Seen) {
    let (tenant, vault) = (&host.tenant, &host.vault);
    let other = TenantId::new("other").unwrap();
    for _ in 0..10 {
        let foreign = Secret::from(canary(secrets));
        seen.error(vault.keep(&other, id, &OPENAI, foreign).await);
        let long = canary(secrets).repeat(1_000);
        seen.error(vault.keep(tenant, id, &OPENAI, Secret::from(long)).await);
        // No key of ours, under a name that one is made for.
        let alien = Secret::from(canary(secrets));
        seen.error(vault.keep(tenant, id, &OPENAI, alien).await);
        seen.error(vault.issue(tenant, id, &OPENAI, &prefix()).await);

        let text = canary(secrets);
        seen.error(ApiKey::parse(&prefix(), &text));
        seen.error(ApiKey::parse(&prefix(), &format!("acme_live_{text}")));
        seen.error(ApiKey::parse(&prefix(), &format!("acme_live_{text} !")));
        seen.error(RevealToken::parse(&text));
        seen.error(text.parse::<ApiKeyHash>());
        seen.error(KeyPrefix::new(format!("{text} ")));
        seen.error(KeyId::new(format!("{text} ")));
        for keys in [
            text.clone(),
            format!("a = {text}"),
            format!("a = {text}, {text}"),
            format!("{text} b = c"),
        ] {
            seen.error(LocalKeys::parse(&keys));
        }
        seen.error(serde_json::from_str::<Sealed>(&format!(
            "{{\"text\": \"{text}\"}}"
        )));
    }
    let label = Label::new(tenant.clone(), id, OPENAI);
    let sealed = Sealed::seal(&keys(OLD), &label, &Secret::from(canary(secrets))).await;
    let sealed = seen.error(sealed).unwrap();
    seen.at("debug", format!("{sealed:?} {label:?} {:?}", keys(OLD)));
    seen.at("debug", serde_json::to_string(&sealed).unwrap());
    let key = ApiKey::generate(&prefix()).unwrap();
    secrets.push(key.expose().to_owned());
    seen.at("debug", format!("{:?} {:?}", key.hash(), key.fingerprint()));
}

async fn everything_stored(host: &Host, seen: &mut Seen) {
    let (tenant, store) = (&host.tenant, host.store());
    seen.at("debug", format!("{:?} {:?}", host.vault, host.onramp));
    for listed in store.list(None, 1_000).await.unwrap() {
        let id = listed.id;
        let row = store.load(tenant, id).await.unwrap().unwrap();
        seen.at("row", format!("{row:?}"));
        seen.at("row", serde_json::to_string(&row.state).unwrap());
        for record in store.facts(tenant, id).await.unwrap() {
            seen.at("debug", format!("{record:?}"));
            seen.at("facts", record.fact.json());
        }
        let journal = store.journal(tenant, id, Revision::new(0), 1_000).await;
        for entry in journal.unwrap() {
            seen.at("journal", format!("{entry:?} {}", entry.events));
        }
        let subject = &listed.key.subject;
        let export = store.export_subject(tenant, subject).await.unwrap();
        seen.at("export", serde_json::to_string(&export).unwrap());
        let obstacles = host.onramp.explain(tenant, id).await.unwrap();
        seen.at("debug", format!("{obstacles:?}"));
        host.holds(id).await;
    }
    let messages = store.take_outbox(1_000, Duration::from_secs(60)).await;
    let messages = messages.unwrap();
    assert!(!messages.is_empty());
    seen.at("outbox", format!("{messages:?}"));
}
