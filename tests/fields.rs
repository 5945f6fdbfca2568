//! Properties of the field types over all of Unicode and over whole tables, and the example data
//! held to them.
#![cfg(feature = "fields")]
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use onramp::fields::{
    CompanyName, Currency, Email, FieldError, Locale, Phone, Region, Slug, SlugPolicy,
    SlugSeparator, TimeZone,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Texts of any code points, some of them put together of what names really consist of.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(any::<char>(), 0..60).prop_map(String::from_iter),
        "\\PC{0,60}",
        "[ -~]{0,60}",
        "[0-9 ._-]{0,60}",
        proptest::sample::select(vec![
            "admin",
            "Sign In",
            "API",
            "xn--caf-dma",
            "ＷＷＷ",
            "4711",
            "🚀",
            "™",
            "ﷺ",
            "org",
        ])
        .prop_map(str::to_owned),
    ]
}

/// Texts that are nearly tags.
fn any_tag() -> impl Strategy<Value = String> {
    "[a-zA-Z]{2,4}(-[A-Za-z]{4})?(-([A-Z]{2}|[0-9]{3}))?(-[0-9][a-z0-9]{3})?(-x-[a-z]{1,9})?"
}

/// Texts that are nearly phone numbers.
fn any_number() -> impl Strategy<Value = String> {
    "\\+?[0-9() .-]{5,20}"
}

/// What was accepted is accepted again and stays as it is, by JSON too.
fn fixed<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    field: Result<T, FieldError>,
    as_str: fn(&T) -> &str,
) {
    if let Ok(field) = field {
        round_trip(&field, as_str(&field));
    }
}

fn any_policy() -> impl Strategy<Value = SlugPolicy> {
    let separators = [SlugSeparator::Hyphen, SlugSeparator::Underscore];
    (
        proptest::sample::select(separators.to_vec()),
        0..80usize,
        proptest::collection::vec("[a-z]{1,3}", 0..40),
    )
        .prop_map(|(separator, max_len, reserved)| {
            SlugPolicy::default()
                .with_separator(separator)
                .with_max_len(max_len)
                .with_reserved(reserved)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_gives_a_slug_its_own_policy_accepts(policy in any_policy(), text in any_text()) {
        // Accepting covers the shape, the limit, the separator and the reserved names.
        let slug = policy.slug(&text);
        prop_assert_eq!(policy.accept(slug.as_str()), Ok(slug));
    }

    #[test]
    fn a_slug_is_its_own_slug(policy in any_policy(), text in any_text()) {
        let slug = policy.slug(&text);
        prop_assert_eq!(policy.slug(slug.as_str()), slug);
    }

    #[test]
    fn candidates_are_accepted_and_repeatable(
        policy in any_policy(),
        text in any_text(),
        seed in any::<u128>(),
        round in any::<u32>(),
    ) {
        let candidate = policy.candidate(&text, seed, round);
        prop_assert_eq!(&policy.candidate(&text, seed, round), &candidate);
        prop_assert_eq!(policy.accept(candidate.as_str()), Ok(candidate));
    }

    #[test]
    fn a_company_name_is_canonical_once_checked(text in any_text()) {
        if let Ok(name) = CompanyName::new(&text) {
            prop_assert_eq!(CompanyName::new(name.as_str()), Ok(name.clone()));
            prop_assert_eq!(name.as_str().trim(), name.as_str());
            prop_assert!(!name.as_str().contains(|c: char| c.is_control()));
        }
    }

    #[test]
    fn whatever_is_accepted_is_canonical_once_checked(text in any_text(), tag in any_tag(), number in any_number()) {
        for text in [&text, &tag, &number] {
            fixed(Region::new(text), Region::as_str);
            fixed(Locale::new(text), Locale::as_str);
            fixed(Email::new(text), Email::as_str);
            fixed(Phone::new(text), Phone::as_str);
        }
    }

    #[test]
    fn a_locale_is_what_its_parts_say(tag in any_tag()) {
        if let Ok(locale) = Locale::new(&tag) {
            let parts = [Some(locale.language()), locale.script(), locale.region()];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            prop_assert!(locale.as_str().starts_with(&parts.join("-")), "{locale}");
            prop_assert_eq!(Locale::new(&tag.to_uppercase()), Ok(locale));
        }
    }
}

#[test]
fn no_text_gives_a_long_message() {
    for c in ["Z", "9", "-", "é", "🚀", "\u{202e}", "\0", " x"] {
        for error in refusals(&c.repeat(5_000)) {
            // 40 characters escaped as \u{10ffff}, and the sentence around them.
            let message = error.to_string();
            assert!(message.chars().count() < 40 * 10 + 160, "{message}");
        }
    }
}

fn refusals(text: &str) -> Vec<FieldError> {
    [
        CompanyName::new(text).err(),
        Slug::new(text).err(),
        Currency::new(text).err(),
        TimeZone::new(text).err(),
        Region::new(text).err(),
        Locale::new(text).err(),
        Email::new(text).err(),
        Phone::new(text).err(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn a_thousand_customers_of_one_name_try_a_thousand_slugs() {
    let policy = SlugPolicy::default();
    let slugs: BTreeSet<Slug> = (0..1_000)
        .map(|seed| policy.candidate("Acme™ Inc. 🚀", seed, 1))
        .collect();
    assert_eq!(slugs.len(), 1_000);
    assert!(
        slugs
            .iter()
            .all(|slug| slug.as_str().starts_with("acme-inc-"))
    );
}

#[test]
fn the_rounds_of_one_customer_differ_too() {
    let policy = SlugPolicy::default();
    let slugs: BTreeSet<Slug> = (0..1_000)
        .map(|round| policy.candidate("Acme", 42, round))
        .collect();
    assert_eq!(slugs.len(), 1_000);
    assert!(slugs.contains(&Slug::new("acme").unwrap()));
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(field: &T, text: &str) {
    let json = serde_json::to_string(field).unwrap();
    assert_eq!(json, format!("{text:?}"));
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), field);
}

#[test]
fn every_currency_survives_serde() {
    let mut accepted = 0;
    let letters = 'A'..='Z';
    for a in letters.clone() {
        for b in letters.clone() {
            for c in letters.clone() {
                let code = format!("{a}{b}{c}");
                if let Ok(currency) = Currency::new(&code) {
                    round_trip(&currency, &code);
                    assert_eq!(Currency::new(&code.to_lowercase()), Ok(currency));
                    accepted += 1;
                }
            }
        }
    }
    // ISO 4217 has some 155 currencies in circulation; the table adds a few lately replaced.
    assert!((150..=170).contains(&accepted), "{accepted} currencies");
}

#[test]
fn every_time_zone_survives_serde_in_its_own_spelling() {
    for zone in chrono_tz::TZ_VARIANTS {
        round_trip(&TimeZone::new(zone.name()).unwrap(), zone.name());
    }
    assert!(chrono_tz::TZ_VARIANTS.len() > 500);
}

#[test]
fn json_goes_through_the_check() {
    fn message<T: DeserializeOwned + Debug>(json: &str) -> String {
        serde_json::from_str::<T>(json).unwrap_err().to_string()
    }
    assert!(message::<Currency>(r#""ZZZ""#).contains(r#"unknown currency "ZZZ": use an ISO 4217"#));
    assert!(message::<CompanyName>(r#""a\u0000b""#).contains("control character U+0000"));
    assert!(message::<TimeZone>(r#""utc""#).contains(r#"did you mean "UTC"?"#));
    assert!(message::<Region>(r#""""#).contains("invalid region"));
    assert!(message::<Locale>(r#""en_US""#).contains(r#"did you mean "en-US"?"#));
    assert!(message::<Email>(r#""x""#).contains("invalid e-mail address"));
    assert!(message::<Phone>(r#""555-0100""#).contains("invalid phone number"));
    assert!(message::<Slug>(r#""A""#).contains("forbidden character"));
    assert!(message::<Currency>("978").contains("expected a string"));
}

#[test]
fn json_is_canonical_after_reading() {
    let email: Email = serde_json::from_str(r#"" Jane@EXAMPLE.com""#).unwrap();
    round_trip(&email, "Jane@example.com");
    let phone: Phone = serde_json::from_str(r#""+1 415-555-0100""#).unwrap();
    round_trip(&phone, "+14155550100");
}

/// One line of `examples/data`, as far as this test looks.
type Row = serde_json::Map<String, serde_json::Value>;

fn field_problem(row: &Row) -> Option<FieldError> {
    fn check<T: std::str::FromStr<Err = FieldError>>(row: &Row, key: &str) -> Option<FieldError> {
        row.get(key)?.as_str()?.parse::<T>().err()
    }
    check::<CompanyName>(row, "company_name")
        .or_else(|| check::<Email>(row, "email"))
        .or_else(|| check::<Phone>(row, "phone"))
        .or_else(|| check::<Currency>(row, "currency"))
        .or_else(|| check::<TimeZone>(row, "timezone"))
        .or_else(|| check::<Region>(row, "region"))
}

#[test]
fn the_example_signups_are_well_formed_and_as_varied_as_they_claim() {
    let rows: Vec<Row> = include_str!("../examples/data/signups.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(rows.len() >= 66, "{} rows", rows.len());
    for row in &rows {
        assert_eq!(field_problem(row), None, "{row:?}");
        for key in [
            "tenant",
            "subject",
            "company_name",
            "email",
            "region",
            "plan",
            "payment",
        ] {
            assert!(row[key].is_string(), "{key} of {row:?}");
        }
        let domain = row["email"].as_str().unwrap().rsplit('@').next().unwrap();
        assert!(
            ["example.com", "example.org", "example.net"].contains(&domain),
            "{domain}"
        );
    }

    let key = |row: &Row, name: &str| row[name].as_str().unwrap().to_owned();
    let subjects: BTreeSet<_> = rows
        .iter()
        .map(|row| (key(row, "tenant"), key(row, "subject")))
        .collect();
    assert_eq!(
        subjects.len(),
        rows.len(),
        "a subject appears twice in a tenant"
    );

    let mut names = BTreeMap::<String, usize>::new();
    let mut slugs = BTreeMap::<Slug, BTreeSet<String>>::new();
    for row in &rows {
        let name = key(row, "company_name");
        *names.entry(name.clone()).or_default() += 1;
        slugs
            .entry(SlugPolicy::default().slug(&name))
            .or_default()
            .insert(name);
    }
    assert!(
        names.values().any(|&times| times >= 6),
        "no name appears six times"
    );
    assert!(
        slugs.values().any(|names| names.len() >= 2),
        "no two names share a slug"
    );

    let count = |condition: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| condition(row)).count();
    assert_eq!(count(&|row| row["payment"] != "confirmed"), 5);
    assert_eq!(count(&|row| row.contains_key("fault")), 6);
    assert_eq!(
        count(&|row| !row.contains_key("currency") || !row.contains_key("timezone")),
        2
    );
}

#[test]
fn the_awkward_lines_hit_every_refusal_they_are_there_for() {
    let text = include_str!("../examples/data/awkward.jsonl");
    let codes: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Row>(line).ok())
        .filter_map(|row| field_problem(&row))
        .map(|error| error.code())
        .collect();
    for code in [
        "company_name_empty",
        "company_name_too_long",
        "company_name_control_character",
        "company_name_bidi_control",
        "currency_unknown",
        "currency_not_money",
        "time_zone_unknown",
        "region_invalid",
        "email_invalid",
        "phone_invalid",
    ] {
        assert!(codes.contains(code), "no line is refused as {code}");
    }
    let malformed = |line: &&str| serde_json::from_str::<Row>(line).is_err();
    assert!(text.lines().filter(malformed).count() >= 3);
}
