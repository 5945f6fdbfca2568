//! What people type in: every field type takes a text or refuses it, and what it takes is canonical.

use std::fmt::Debug;
use std::str::FromStr;

use onramp::fields::{
    CompanyName, Currency, Email, FieldError, Locale, Phone, Region, Slug, SlugPolicy,
    SlugSeparator, TimeZone,
};
use onramp::{Actor, Reason, SecretName, SubjectId, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dice::{Dice, Hunt};
use super::mutate;

const VALID: &[&str] = &[
    "Café Zürich & Söhne GmbH",
    "株式会社サンプル",
    "شركة مثال",
    "acme-robots-7",
    "ann.o'neil+tag@mail.example.co.uk",
    "ann@xn--bcher-kva.example",
    "+49 (151) 234-56789",
    "zh-Hant-TW-u-ca-chinese-x-private",
    "sl-Latn-IT-nedis",
    "INR",
    "Asia/Kolkata",
    "eu-west-1",
    "acme",
    "operator:ann",
];

/// Holds that what is taken is taken again as it is, also by serde, and that nothing else is.
fn canonical<T>(text: &str)
where
    T: FromStr<Err = FieldError> + PartialEq + Debug + Serialize + DeserializeOwned + ToString,
{
    let stored = serde_json::to_string(text).unwrap();
    let read = serde_json::from_str::<T>(&stored);
    match text.parse::<T>() {
        Ok(taken) => {
            assert_eq!(taken.to_string().parse::<T>().as_ref(), Ok(&taken));
            assert_eq!(read.unwrap(), taken);
        }
        Err(refused) => {
            assert!(!refused.code().is_empty() && !refused.to_string().is_empty());
            assert!(read.is_err());
        }
    }
}

#[test]
fn no_text_breaks_a_field() {
    let hunt = Hunt::named("no_text_breaks_a_field");
    hunt.run(async |dice: &mut Dice| {
        let valid = *dice.pick(VALID);
        let text = mutate::text(dice, valid);
        canonical::<CompanyName>(&text);
        canonical::<Currency>(&text);
        canonical::<Email>(&text);
        canonical::<Locale>(&text);
        canonical::<Phone>(&text);
        canonical::<Region>(&text);
        canonical::<Slug>(&text);
        canonical::<TimeZone>(&text);
        if let Ok(address) = Email::new(&text) {
            assert!(address.as_str().ends_with(address.domain()));
        }
        if let Ok(locale) = Locale::new(&text) {
            let parts = [Some(locale.language()), locale.script(), locale.region()];
            assert!(parts.iter().flatten().all(|part| !part.is_empty()));
        }
    });
}

#[test]
fn any_text_gives_a_slug_under_any_policy() {
    let hunt = Hunt::named("any_text_gives_a_slug_under_any_policy");
    hunt.run(async |dice: &mut Dice| {
        let valid = *dice.pick(VALID);
        let text = mutate::text(dice, valid);
        let separator = *dice.pick(&[SlugSeparator::Hyphen, SlugSeparator::Underscore]);
        let policy = SlugPolicy::default()
            .with_separator(separator)
            .with_max_len(dice.below(200))
            .with_reserved([text.as_str(), "acme"]);
        let seed = u128::from(dice.number()) << 64 | u128::from(dice.number());
        let slug = policy.slug(&text);
        assert_eq!(policy.accept(slug.as_str()), Ok(slug));
        let round = dice.number() as u32;
        let other = policy.candidate(&text, seed, round);
        assert_eq!(policy.accept(other.as_str()), Ok(other));
        let _ = policy.accept(&text);
    });
}

#[test]
fn no_text_breaks_an_identity() {
    let hunt = Hunt::named("no_text_breaks_an_identity");
    hunt.run(async |dice: &mut Dice| {
        let valid = *dice.pick(VALID);
        let text = mutate::text(dice, valid);
        let stored = serde_json::to_string(&text).unwrap();
        if let Ok(tenant) = TenantId::new(text.as_str()) {
            assert_eq!(tenant.as_str(), text);
        }
        assert_eq!(
            SubjectId::new(text.as_str()).is_ok(),
            serde_json::from_str::<SubjectId>(&stored).is_ok()
        );
        let _ = Reason::new(text.as_str());
        let _ = SecretName::new(text.as_str());
        if let Ok(actor) = text.parse::<Actor>() {
            assert_eq!(actor.to_string(), text);
        }
    });
}
