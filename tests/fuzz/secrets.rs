//! Tokens, keys and sealed records: what was changed does not open, and never panics.

use onramp::SecretName;
use onramp::prelude::*;
use onramp::vault::{
    ApiKey, ApiKeyHash, KeyId, KeyPrefix, Label, LocalKeys, RevealToken, Sealed, Secret,
};

use super::dice::{Dice, Hunt};
use super::mutate;

const KEYS: &str = "old = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa\n\
                    new = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=\n";

fn label(of: &str) -> Label {
    let tenant = TenantId::new(of).unwrap();
    let id = OnboardingId::from_uuid(uuid::Uuid::from_u128(7));
    Label::new(tenant, id, SecretName::from_static("api_key"))
}

#[test]
fn a_sealed_record_that_was_changed_does_not_open_as_something_else() {
    let hunt = Hunt::named("a_sealed_record_that_was_changed_does_not_open_as_something_else");
    let keys = LocalKeys::parse(KEYS).unwrap();
    let (mine, other) = (label("acme"), label("globex"));
    let secret = Secret::from("sk-live-canary".to_owned());
    let seal = async || Sealed::seal(&keys, &mine, &secret).await.unwrap();
    let sealed = hunt.runtime.block_on(seal());
    let stored = serde_json::to_string(&sealed).unwrap();
    hunt.run(async |dice: &mut Dice| {
        let text = mutate::json(dice, &stored);
        let Ok(read) = serde_json::from_str::<Sealed>(&text) else {
            return;
        };
        assert!(read.open(&keys, &other).await.is_err());
        match read.open(&keys, &mine).await {
            Ok(opened) => {
                assert!(read == sealed, "something else opens: {text}");
                assert_eq!(opened.expose(), secret.expose());
            }
            Err(error) => assert!(!error.to_string().contains("canary")),
        }
        let _ = read.rewrap(&keys, &mine).await;
    });
}

#[test]
fn a_reveal_token_is_read_as_it_is_or_not_at_all() {
    let hunt = Hunt::named("a_reveal_token_is_read_as_it_is_or_not_at_all");
    let valid = "rvl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v";
    RevealToken::parse(valid).unwrap();
    hunt.run(async |dice: &mut Dice| {
        let text = mutate::text(dice, valid);
        if let Ok(token) = RevealToken::parse(&text) {
            assert_eq!(token.expose(), text);
        }
    });
}

#[test]
fn an_api_key_that_was_changed_is_none() {
    let hunt = Hunt::named("an_api_key_that_was_changed_is_none");
    let prefix = KeyPrefix::new("acme_live").unwrap();
    let key = ApiKey::generate(&prefix).unwrap();
    let (valid, hash) = (key.expose().to_owned(), key.hash());
    hunt.run(async |dice: &mut Dice| {
        let text = mutate::text(dice, &valid);
        match ApiKey::parse(&prefix, &text) {
            Ok(read) => assert_eq!(hash.is_of(&read), text == valid),
            Err(why) => assert!(!why.to_string().is_empty()),
        }
        if let Ok(prefix) = KeyPrefix::new(mutate::text(dice, "acme_live")) {
            let _ = ApiKey::parse(&prefix, &text);
        }
        let written = mutate::text(dice, &hash.to_string());
        if let Ok(read) = written.parse::<ApiKeyHash>() {
            assert_eq!(read.to_string(), written);
        }
    });
}

#[test]
fn a_file_of_keys_is_read_or_refused_without_telling_of_them() {
    let hunt = Hunt::named("a_file_of_keys_is_read_or_refused_without_telling_of_them");
    hunt.run(async |dice: &mut Dice| {
        let text = mutate::text(dice, KEYS);
        if let Err(why) = LocalKeys::parse(&text) {
            let why = format!("{why} {why:?}");
            let key = KEYS.split_whitespace().nth(2).unwrap();
            assert!(!why.contains(&key[8..24]), "{why}");
        }
        let _ = KeyId::new(mutate::text(dice, "old"));
    });
}
