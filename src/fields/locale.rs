//! A language, and where it is spoken.

use icu_locale_core::Locale as Tag;

use super::invalid::{FieldError, Problem, excerpt};
use super::text::text_field;

/// A locale as a tag of BCP 47 (RFC 5646, in the form of Unicode's UTS #35), such as `en`, `pt-BR` or
/// `zh-Hant-TW`.
///
/// The tag is kept in canonical case and order; any case and white space around it are accepted.
/// There is no default: a locale nobody gave is not "en".
///
/// Only the form is checked. Which languages a service speaks is for the host to say.
///
/// # Errors
///
/// [`new`](Self::new) refuses with `locale_invalid` what is not a tag of at most
/// [`MAX_LEN`](Self::MAX_LEN) characters, and a tag that names no language (`und`). One as POSIX
/// writes it (`en_US.UTF-8`) is refused as well, and the message says which tag it would be.
///
/// ```
/// use onramp::fields::Locale;
///
/// let locale = Locale::new("ZH-hant-tw")?;
/// assert_eq!(locale.as_str(), "zh-Hant-TW");
/// assert_eq!((locale.language(), locale.script(), locale.region()), ("zh", Some("Hant"), Some("TW")));
/// assert_eq!(
///     Locale::new("en_US.UTF-8").unwrap_err().to_string(),
///     r#"invalid locale "en_US.UTF-8": did you mean "en-US"?"#
/// );
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale(String);

impl Locale {
    /// The most characters a tag may have.
    pub const MAX_LEN: usize = 64;

    /// Checks a tag and puts it into canonical form. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `locale`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let given = text.trim();
        let tag = canonical(given);
        tag.map(Self).ok_or_else(|| {
            let meant = meant(given);
            let given = excerpt(given);
            Problem::LocaleInvalid { given, meant }.into()
        })
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language: two or three lower-case letters of ISO 639.
    #[must_use]
    pub fn language(&self) -> &str {
        self.subtags().next().unwrap_or_default()
    }

    /// How it is written, where the tag says so: four letters of ISO 15924, the first in upper case.
    #[must_use]
    pub fn script(&self) -> Option<&str> {
        self.subtags().nth(1).filter(|subtag| is_script(subtag))
    }

    /// Where it is spoken, where the tag says so: two letters of ISO 3166 or three digits of UN M.49.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let mut rest = self
            .subtags()
            .skip(1)
            .skip_while(|subtag| is_script(subtag));
        rest.next().filter(|subtag| matches!(subtag.len(), 2 | 3))
    }

    fn subtags(&self) -> impl Iterator<Item = &str> {
        self.0.split('-')
    }
}

text_field!(Locale);

fn canonical(given: &str) -> Option<String> {
    if given.len() > Locale::MAX_LEN {
        return None;
    }
    let tag = Tag::try_from_str(given).ok()?;
    // Longer ones are reserved, and people write "english".
    let named = !tag.id.language.is_unknown() && tag.id.language.as_str().len() <= 3;
    named.then(|| tag.to_string())
}

/// What a POSIX name is as a tag.
fn meant(given: &str) -> Option<String> {
    let name = given.split(['.', '@']).next()?;
    canonical(&name.replace('_', "-"))
}

/// A variant of four characters begins with a digit.
fn is_script(subtag: &str) -> bool {
    subtag.len() == 4 && subtag.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_put_into_canonical_form() {
        for (text, tag) in [
            ("en", "en"),
            (" EN-us ", "en-US"),
            ("pt-br", "pt-BR"),
            ("zh-HANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("haw", "haw"),
            ("de-ch-1901", "de-CH-1901"),
            ("sl-ROZAJ-biske", "sl-biske-rozaj"),
            ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
            ("en-x-Acme", "en-x-acme"),
        ] {
            assert_eq!(Locale::new(text).unwrap().as_str(), tag);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = format!("en-x-{}", ["abcdefgh"; 8].join("-"));
        for text in [
            "",
            " ",
            "e",
            "english",
            "en-",
            "-en",
            "en--US",
            "en US",
            "und",
            "und-US",
            "x-acme",
            "*",
            "en-US-US",
            "de-1901-1901",
            "en-ü",
            "root",
            "C",
            &long,
        ] {
            let refused = Locale::new(text).unwrap_err();
            assert_eq!(refused.code(), "locale_invalid", "{text:?}");
            assert!(
                refused.to_string().ends_with(r#"such as "en" or "pt-BR""#),
                "{refused}"
            );
        }
    }

    #[test]
    fn advice_is_given_where_it_is_clear_what_was_meant() {
        for (text, tag) in [
            ("en_US", "en-US"),
            ("pt_BR.UTF-8", "pt-BR"),
            ("de_AT@euro", "de-AT"),
            ("en.UTF-8", "en"),
        ] {
            let message = Locale::new(text).unwrap_err().to_string();
            assert!(
                message.ends_with(&format!("did you mean {tag:?}?")),
                "{message}"
            );
        }
    }

    #[test]
    fn the_parts_are_told_apart() {
        let parts = |tag| {
            let locale = Locale::new(tag).unwrap();
            let own = |part: Option<&str>| part.map(str::to_owned);
            (own(locale.script()), own(locale.region()))
        };
        let some = |part: &str| Some(part.to_owned());
        assert_eq!(parts("en"), (None, None));
        assert_eq!(parts("sr-Latn"), (some("Latn"), None));
        assert_eq!(parts("es-419"), (None, some("419")));
        assert_eq!(parts("de-1901"), (None, None));
        assert_eq!(parts("de-u-co-phonebk"), (None, None));
        assert_eq!(parts("zh-Hant-TW-x-ab"), (some("Hant"), some("TW")));
    }
}
