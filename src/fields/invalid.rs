//! The one error of the field types.

use thiserror::Error;

/// Why a text is not a valid field, what to change, and a stable code for programs.
///
/// `Display` is a lower-case fragment that says what is wrong and what to do about it. It can be
/// shown to the person who typed the text: it never repeats an e-mail address, a phone number or a
/// company name, and of anything else at most 40 characters, escaped.
///
/// ```
/// use onramp::fields::Currency;
///
/// let refused = Currency::new("ZZZ").unwrap_err();
/// assert_eq!(refused.field(), "currency");
/// assert_eq!(refused.code(), "currency_unknown");
/// assert_eq!(
///     refused.to_string(),
///     r#"unknown currency "ZZZ": use an ISO 4217 code such as "EUR""#
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FieldError(Problem);

impl FieldError {
    /// Every value [`code`](Self::code) can return in this version, in the order of the fields.
    ///
    /// Codes are never renamed; new ones may be added. A catalogue of translations can be checked
    /// against this list.
    pub const CODES: &'static [&'static str] = &[
        "company_name_empty",
        "company_name_too_long",
        "company_name_control_character",
        "company_name_bidi_control",
        "slug_empty",
        "slug_too_long",
        "slug_character",
        "slug_separator",
        "slug_digits_only",
        "slug_punycode",
        "slug_reserved",
        "currency_unknown",
        "currency_not_money",
        "time_zone_unknown",
        "region_invalid",
        "locale_invalid",
        "email_invalid",
        "email_too_long",
        "phone_invalid",
    ];

    /// The field's name in snake case, such as `"time_zone"`.
    #[must_use]
    pub fn field(&self) -> &'static str {
        use Problem as P;
        match self.0 {
            P::NameEmpty | P::NameTooLong { .. } | P::NameControl(_) | P::NameBidi(_) => {
                "company_name"
            }
            P::SlugEmpty
            | P::SlugTooLong { .. }
            | P::SlugCharacter(_)
            | P::SlugSeparator(_)
            | P::SlugDigitsOnly(_)
            | P::SlugPunycode
            | P::SlugReserved(_) => "slug",
            P::CurrencyUnknown(_) | P::CurrencyNotMoney(_) => "currency",
            P::TimeZoneUnknown { .. } => "time_zone",
            P::RegionInvalid(_) => "region",
            P::LocaleInvalid { .. } => "locale",
            P::EmailInvalid | P::EmailTooLong { .. } => "email",
            P::PhoneInvalid => "phone",
        }
    }

    /// The stable code, such as `"currency_unknown"`: one of [`CODES`](Self::CODES).
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.0 {
            Problem::NameEmpty => "company_name_empty",
            Problem::NameTooLong { .. } => "company_name_too_long",
            Problem::NameControl(_) => "company_name_control_character",
            Problem::NameBidi(_) => "company_name_bidi_control",
            Problem::SlugEmpty => "slug_empty",
            Problem::SlugTooLong { .. } => "slug_too_long",
            Problem::SlugCharacter(_) => "slug_character",
            Problem::SlugSeparator(_) => "slug_separator",
            Problem::SlugDigitsOnly(_) => "slug_digits_only",
            Problem::SlugPunycode => "slug_punycode",
            Problem::SlugReserved(_) => "slug_reserved",
            Problem::CurrencyUnknown(_) => "currency_unknown",
            Problem::CurrencyNotMoney(_) => "currency_not_money",
            Problem::TimeZoneUnknown { .. } => "time_zone_unknown",
            Problem::RegionInvalid(_) => "region_invalid",
            Problem::LocaleInvalid { .. } => "locale_invalid",
            Problem::EmailInvalid => "email_invalid",
            Problem::EmailTooLong { .. } => "email_too_long",
            Problem::PhoneInvalid => "phone_invalid",
        }
    }
}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// The reasons. Private, so that texts reach it only through [`excerpt`] and it can grow freely.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Problem {
    #[error("the company name shows nothing: give at least one visible character")]
    NameEmpty,
    #[error("the company name is too long: use at most {max} characters")]
    NameTooLong { max: usize },
    #[error("the company name contains the control character U+{0:04X}: remove it")]
    NameControl(u32),
    #[error("the company name contains the text direction override U+{0:04X}: remove it")]
    NameBidi(u32),

    #[error("the slug is empty: give at least one letter")]
    SlugEmpty,
    #[error("the slug is too long: use at most {max} characters")]
    SlugTooLong { max: usize },
    #[error("slug {0:?} contains a forbidden character: use only a-z, 0-9 and a separator")]
    SlugCharacter(String),
    #[error(
        "slug {0:?} has a misplaced separator: put one \"-\" (or one \"_\", not both kinds) \
         between words and none at the ends"
    )]
    SlugSeparator(String),
    #[error("slug {0:?} is a number: add a letter")]
    SlugDigitsOnly(String),
    #[error("the slug starts with \"xn--\", which DNS keeps for encoded names: remove the prefix")]
    SlugPunycode,
    #[error("slug {0:?} is reserved: choose another")]
    SlugReserved(String),

    #[error("unknown currency {0:?}: use an ISO 4217 code such as \"EUR\"")]
    CurrencyUnknown(String),
    #[error("currency {0:?} is not money in circulation: use a country's currency such as \"EUR\"")]
    CurrencyNotMoney(&'static str),
    #[error("unknown time zone {given:?}: {}", zone_advice(.meant))]
    TimeZoneUnknown {
        given: String,
        meant: Option<&'static str>,
    },
    #[error(
        "invalid region {0:?}: use up to 32 of a-z, 0-9 and single \"-\" between words, starting \
         with a letter, such as \"eu\" or \"us-east-1\""
    )]
    RegionInvalid(String),
    #[error("invalid locale {given:?}: {}", locale_advice(.meant.as_deref()))]
    LocaleInvalid {
        given: String,
        meant: Option<String>,
    },

    // E-mail addresses and phone numbers are personal data: neither is repeated.
    #[error("invalid e-mail address: use one like \"name@example.com\"")]
    EmailInvalid,
    #[error("the e-mail address is too long: use at most {max} bytes")]
    EmailTooLong { max: usize },
    #[error("invalid phone number: start with \"+\" and the country code, as in \"+14155550100\"")]
    PhoneInvalid,
}

/// At most 40 characters of a text, for an error message. Messages show it with `{:?}`, which
/// escapes control characters and direction overrides.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(EXCERPT_CHARS - 1).chain(['…']).collect(),
    }
}

fn zone_advice(meant: &Option<&'static str>) -> String {
    match meant {
        Some(name) => format!("did you mean {name:?}?"),
        None => "use an IANA name such as \"Europe/Berlin\"".to_owned(),
    }
}

fn locale_advice(meant: Option<&str>) -> String {
    match meant {
        Some(tag) => format!("did you mean {tag:?}?"),
        None => "use a BCP 47 tag such as \"en\" or \"pt-BR\"".to_owned(),
    }
}

const EXCERPT_CHARS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn one_of_each() -> Vec<FieldError> {
        let text = || "x".to_owned();
        [
            Problem::NameEmpty,
            Problem::NameTooLong { max: 1 },
            Problem::NameControl(0),
            Problem::NameBidi(0x202E),
            Problem::SlugEmpty,
            Problem::SlugTooLong { max: 1 },
            Problem::SlugCharacter(text()),
            Problem::SlugSeparator(text()),
            Problem::SlugDigitsOnly(text()),
            Problem::SlugPunycode,
            Problem::SlugReserved(text()),
            Problem::CurrencyUnknown(text()),
            Problem::CurrencyNotMoney("XXX"),
            Problem::TimeZoneUnknown {
                given: text(),
                meant: None,
            },
            Problem::RegionInvalid(text()),
            Problem::LocaleInvalid {
                given: text(),
                meant: None,
            },
            Problem::EmailInvalid,
            Problem::EmailTooLong { max: 1 },
            Problem::PhoneInvalid,
        ]
        .map(FieldError::from)
        .into()
    }

    #[test]
    fn the_list_of_codes_is_complete_and_each_starts_with_its_field() {
        let codes: Vec<_> = one_of_each().iter().map(FieldError::code).collect();
        assert_eq!(codes, FieldError::CODES);
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        for error in one_of_each() {
            assert!(error.code().starts_with(error.field()), "{error:?}");
        }
    }

    #[test]
    fn messages_are_lower_case_fragments() {
        for error in one_of_each() {
            let message = error.to_string();
            assert!(
                message.starts_with(|c: char| c.is_ascii_lowercase()),
                "{message}"
            );
            assert!(!message.ends_with('.'), "{message}");
            assert!(!message.contains("  "), "{message}");
        }
    }

    #[test]
    fn an_excerpt_never_exceeds_forty_characters() {
        assert_eq!(excerpt(&"é".repeat(40)), "é".repeat(40));
        let cut = excerpt(&"é".repeat(41));
        assert_eq!(cut.chars().count(), 40);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn control_characters_are_escaped_in_messages() {
        let message = FieldError(Problem::SlugCharacter(excerpt("a\0\u{202e}b"))).to_string();
        assert!(message.contains(r"a\0\u{202e}b"), "{message}");
    }
}
