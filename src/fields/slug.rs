//! A name for URLs, and the suffix that tells two of the same name apart.

use uuid::Uuid;

use super::invalid::{FieldError, Problem, excerpt};
use super::text::text_field;

/// A name that can stand in a URL path or be a host's label: `acme-inc`.
///
/// It consists of words of `a-z` and `0-9` with one separator between them, either `-` or `_` but
/// not both kinds; it is at most [`MAX_LEN`](Self::MAX_LEN) characters long, the limit of a DNS
/// label (RFC 1035); it is not a number, so that it cannot be taken for an identity; and it does
/// not start with `xn--`, which DNS keeps for encoded names (RFC 5890).
///
/// [`new`](Self::new) checks a slug as it is and changes nothing. To make one out of a company's
/// name use [`SlugPolicy::slug`]. To check one that a customer chose use [`SlugPolicy::accept`],
/// which also knows the reserved names. `new` does not: if it did, adding a reserved name would
/// make stored slugs unreadable.
///
/// # Errors
///
/// [`new`](Self::new) refuses with one of the codes `slug_empty`, `slug_too_long`,
/// `slug_character`, `slug_separator`, `slug_digits_only` and `slug_punycode`.
///
/// ```
/// use onramp::fields::Slug;
///
/// assert_eq!(Slug::new("acme-inc")?.as_str(), "acme-inc");
/// assert_eq!(Slug::new("Acme Inc").unwrap_err().code(), "slug_character");
/// assert_eq!(Slug::new("acme--inc").unwrap_err().code(), "slug_separator");
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
///
/// [`SlugPolicy::slug`]: super::SlugPolicy::slug
/// [`SlugPolicy::accept`]: super::SlugPolicy::accept
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// The most characters a slug may have: those of a DNS label.
    pub const MAX_LEN: usize = 63;

    /// Checks a slug. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `slug`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        if let Some(problem) = problem_of(text) {
            return Err(problem.into());
        }
        Ok(Self(text.to_owned()))
    }

    /// A slug put together by [`SlugPolicy`](super::SlugPolicy), which keeps the rules itself.
    pub(super) fn from_policy(text: String) -> Self {
        debug_assert_eq!(problem_of(&text), None);
        Self(text)
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_field!(Slug);

fn problem_of(text: &str) -> Option<Problem> {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |c: char| matches!(c, '-' | '_');
    if text.is_empty() {
        Some(Problem::SlugEmpty)
    } else if text.len() > Slug::MAX_LEN {
        Some(Problem::SlugTooLong { max: Slug::MAX_LEN })
    } else if text.starts_with("xn--") {
        Some(Problem::SlugPunycode)
    } else if !text.chars().all(|c| is_alphanumeric(c) || is_separator(c)) {
        Some(Problem::SlugCharacter(excerpt(text)))
    } else if text.split(is_separator).any(str::is_empty)
        || (text.contains('-') && text.contains('_'))
    {
        Some(Problem::SlugSeparator(excerpt(text)))
    } else if text.chars().all(|c| c.is_ascii_digit()) {
        Some(Problem::SlugDigitsOnly(excerpt(text)))
    } else {
        None
    }
}

/// A short opaque token that is put behind a slug when the plain one is taken: `acme-7k2m9x4q`.
///
/// Eight lower-case characters of Crockford's base 32 (no `i`, `l`, `o`, `u`), 40 bits that say
/// nothing about the customer, nor how many others have the name.
///
/// ```
/// use onramp::fields::SlugSuffix;
///
/// let suffix = SlugSuffix::derive(42, 1);
/// assert_eq!(suffix, SlugSuffix::derive(42, 1));
/// assert_ne!(suffix, SlugSuffix::derive(42, 2));
/// assert_ne!(suffix, SlugSuffix::derive(43, 1));
/// assert_eq!(suffix.as_str().len(), SlugSuffix::LEN);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlugSuffix(String);

impl SlugSuffix {
    /// How many characters a suffix has.
    pub const LEN: usize = 8;

    /// The suffix of a round: a stable function of its arguments, in every version of this
    /// library.
    ///
    /// `seed` is the customer's own number, such as `uuid.as_u128()` of its identity; with it, two
    /// customers of one name try different suffixes. `round` counts the attempts. A process that
    /// crashed and starts again with both tries the same suffixes in the same order.
    #[must_use]
    pub fn derive(seed: u128, round: u32) -> Self {
        Self::derive_again(seed, round, 0)
    }

    /// `again` above 0 gives further suffixes of one round, for the case that the host has
    /// reserved the first.
    pub(super) fn derive_again(seed: u128, round: u32, again: u32) -> Self {
        let mut name = [0; 24];
        name[..16].copy_from_slice(&seed.to_be_bytes());
        name[16..20].copy_from_slice(&round.to_be_bytes());
        name[20..].copy_from_slice(&again.to_be_bytes());
        // A version 5 UUID is SHA-1 of the name. Its first 48 bits carry no version or variant.
        let hash = Uuid::new_v5(&NAMESPACE, &name).as_u128();
        let token = (1..=Self::LEN)
            .map(|place| {
                let digit = (hash >> (128 - 5 * place)) & 0b1_1111;
                char::from(CROCKFORD[digit as usize])
            })
            .collect();
        Self(token)
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Douglas Crockford's base 32 in lower case.
const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Sets these hashes apart from all others made by version 5 UUIDs. Never to change: slugs that
/// were proposed before a crash would not be proposed again.
const NAMESPACE: Uuid = Uuid::from_u128(0x4cf1_0c5e_5f0b_4d1e_9a53_6f6e_7261_6d70);

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        match Slug::new(text) {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn well_formed_slugs_are_kept_as_they_are() {
        for text in [
            "a", "acme", "acme-inc", "acme_inc", "4711-x", "2024-25", "xn-acme",
        ] {
            assert_eq!(Slug::new(text).unwrap().as_str(), text);
        }
        assert_eq!(code(&"s".repeat(63)), "accepted");
    }

    #[test]
    fn each_rule_has_its_code() {
        let long = "s".repeat(64);
        for (text, expected) in [
            ("", "slug_empty"),
            (long.as_str(), "slug_too_long"),
            ("Acme", "slug_character"),
            ("acme inc", "slug_character"),
            (" acme", "slug_character"),
            ("café", "slug_character"),
            ("acme.inc", "slug_character"),
            ("-acme", "slug_separator"),
            ("acme_", "slug_separator"),
            ("acme--inc", "slug_separator"),
            ("acme-_inc", "slug_separator"),
            ("acme-inc_eu", "slug_separator"),
            ("-", "slug_separator"),
            ("4711", "slug_digits_only"),
            ("xn--caf-dma", "slug_punycode"),
        ] {
            assert_eq!(code(text), expected, "{text:?}");
        }
    }

    #[test]
    fn suffixes_never_change() {
        // Computed apart from this code, from SHA-1 itself. A retry by a newer version must propose
        // what the older one did.
        let suffixes = [(0, 0), (0, 1), (u128::MAX, 7)].map(|(s, r)| SlugSuffix::derive(s, r).0);
        assert_eq!(suffixes, ["0ctdsymf", "phfjnw5w", "4qrwnppa"]);
    }

    #[test]
    fn suffixes_use_the_whole_alphabet_and_nothing_else() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..1_000 {
            let suffix = SlugSuffix::derive(seed, 1);
            assert_eq!(suffix.as_str().len(), SlugSuffix::LEN);
            seen.extend(suffix.as_str().bytes());
        }
        assert!(seen.iter().eq(CROCKFORD.iter()), "{seen:?}");
    }
}
