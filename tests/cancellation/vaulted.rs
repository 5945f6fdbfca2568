//! Secrets: kept, offered, shown, brought under a newer key.

use std::sync::Arc;

use onramp::import::{Import, Imported, Record, rows};
use onramp::prelude::*;
use onramp::vault::{
    KeyPrefix, KeyProvider, Label, LocalKeys, Reauthenticated, Sealed, Secret, Vault,
};
use onramp::{Clock as _, SystemClock};

use super::drops::{Case, cases};
use super::place::{API_KEY, NEW, OLD, Place};

impl Place {
    /// The vault after a newer key was put before the older one, under which somebody's secret is.
    pub(crate) async fn rotated(&self, who: &str) -> Vault {
        let id = self.desk.enrolled(who).await;
        let secret = Secret::from("sk-1".to_owned());
        self.vault
            .keep(self.tenant(), id, &API_KEY, secret)
            .await
            .unwrap();
        let keys = LocalKeys::parse(&format!("{NEW}\n{OLD}")).unwrap();
        Vault::new(Arc::clone(self.store()), keys)
    }

    /// Completed, with a secret to be shown.
    async fn showing(&self, who: &str) -> OnboardingId {
        let record = serde_json::json!({ "user": who });
        let mut import = Import::into(self.onramp(), "crm").map(|record: &Record| {
            let name = SubjectId::new(record.text("user")?)?;
            Ok(Imported::new(TenantId::new("acme")?, name).complete(true))
        });
        let report = import.run(rows("users", [record])).await.unwrap();
        assert_eq!(report.completed, 1, "{report}");
        let id = self.desk.open(who).await.id();
        let kept = self.vault.keep(self.tenant(), id, &API_KEY, secret());
        kept.await.unwrap();
        id
    }
}

fn keys() -> LocalKeys {
    LocalKeys::parse(&format!("{NEW}\n{OLD}")).unwrap()
}

fn label(at: &Place) -> Label {
    Label::new(
        at.tenant().clone(),
        OnboardingId::from_uuid(uuid::Uuid::nil()),
        API_KEY.clone(),
    )
}

fn secret() -> Secret {
    Secret::from("sk-2".to_owned())
}

pub(crate) const VAULTED: &[Case] = cases! {
    "src/vault/keep.rs keep" (at, who) { let id = at.desk.enrolled(who).await; }
        at.vault.keep(at.tenant(), id, &API_KEY, secret());
    "src/vault/keep.rs keep_once" (at, who) { let id = at.desk.enrolled(who).await; }
        at.vault.keep_once(at.tenant(), id, &API_KEY, secret());
    "src/vault/keep.rs issue" (at, who) {
        let id = at.desk.enrolled(who).await;
        let prefix = KeyPrefix::new("acme_live").unwrap();
    } at.vault.issue(at.tenant(), id, &API_KEY, &prefix);
    "src/vault/keep.rs open" (at, who) { let id = at.secretive(who).await; }
        at.vault.open(at.tenant(), id, &API_KEY);
    "src/vault/keep.rs burn" (at, who) { let id = at.secretive(who).await; }
        at.vault.burn(at.tenant(), id, &API_KEY);
    "src/vault/reveal.rs offer" (at, who) { let id = at.showing(who).await; }
        at.vault.offer(at.tenant(), id, &API_KEY);
    "src/vault/reveal.rs offer_again" (at, who) {
        let id = at.showing(who).await;
        drop(at.vault.offer(at.tenant(), id, &API_KEY).await.unwrap());
        let proof = Reauthenticated::new(id, SystemClock.now());
    } at.vault.offer_again(at.tenant(), id, &API_KEY, proof);
    "src/vault/reveal.rs reveal" (at, who) {
        let id = at.showing(who).await;
        let token = at.vault.offer(at.tenant(), id, &API_KEY).await.unwrap();
    } at.vault.reveal(at.tenant(), id, &API_KEY, &token);
    "src/vault/sealed.rs seal" (at, who) { let (keys, label, secret) = (keys(), label(at), secret()); }
        Sealed::seal(&keys, &label, &secret);
    "src/vault/sealed.rs open" (at, who) {
        let (keys, label) = (keys(), label(at));
        let sealed = Sealed::seal(&keys, &label, &secret()).await.unwrap();
    } sealed.open(&keys, &label);
    "src/vault/sealed.rs rewrap" (at, who) {
        let label = label(at);
        let sealed = Sealed::seal(&LocalKeys::parse(OLD).unwrap(), &label, &secret()).await.unwrap();
        let keys = keys();
    } sealed.rewrap(&keys, &label);
    "src/vault/keys.rs newest" (at, who) { let keys = keys(); } KeyProvider::newest(&keys);
    "src/vault/keys.rs wrap" (at, who) {
        let keys = keys();
        let with = KeyProvider::newest(&keys).await.unwrap();
        let key = onramp::vault::DataKey::from_bytes(vec![7; 32]).unwrap();
    } keys.wrap(&with, &key, b"bound");
    "src/vault/keys.rs unwrap" (at, who) {
        let keys = keys();
        let with = KeyProvider::newest(&keys).await.unwrap();
        let key = onramp::vault::DataKey::from_bytes(vec![7; 32]).unwrap();
        let wrapped = keys.wrap(&with, &key, b"bound").await.unwrap();
    } keys.unwrap(&with, &wrapped, b"bound");
};
