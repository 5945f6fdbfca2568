//! Where a customer's data is kept.

use super::invalid::{FieldError, Problem, excerpt};
use super::text::text_field;

/// Where a customer's data is kept, as a lower-case token such as `eu` or `us-east-1`.
///
/// Only the shape is checked. Which regions exist is for the host to say: a list in this library
/// would be wrong for everybody. Upper case and white space around the token are accepted and
/// canonicalised, so that `EU` and `eu` are not two places. There is no default.
///
/// # Errors
///
/// [`new`](Self::new) refuses with `region_invalid` whatever is not 1 to
/// [`MAX_LEN`](Self::MAX_LEN) of `a-z`, `0-9` and single `-` between words, starting with a
/// letter.
///
/// ```
/// use onramp::fields::Region;
///
/// assert_eq!(Region::new("EU")?.as_str(), "eu");
/// assert_eq!(Region::new("us-east-1")?.as_str(), "us-east-1");
/// assert_eq!(Region::new("the moon").unwrap_err().code(), "region_invalid");
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// The most characters a region may have.
    pub const MAX_LEN: usize = 32;

    /// Checks a token and puts it into lower case. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `region`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let given = text.trim();
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let well_formed = given.len() <= Self::MAX_LEN
            && given.starts_with(|c: char| c.is_ascii_alphabetic())
            && given.split('-').all(is_word);
        if !well_formed {
            return Err(Problem::RegionInvalid(excerpt(given)).into());
        }
        Ok(Self(given.to_ascii_lowercase()))
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_field!(Region);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_accepted_and_put_into_lower_case() {
        for (text, region) in [("eu", "eu"), (" US-East-1 ", "us-east-1"), ("a", "a")] {
            assert_eq!(Region::new(text).unwrap().as_str(), region);
        }
        assert!(Region::new(&"r".repeat(32)).is_ok());
    }

    #[test]
    fn everything_else_is_refused() {
        let long = "r".repeat(33);
        for text in [
            "", " ", "1eu", "-eu", "eu-", "eu--1", "eu_1", "eu 1", "ευ", "eu.1", &long,
        ] {
            assert_eq!(
                Region::new(text).unwrap_err().code(),
                "region_invalid",
                "{text:?}"
            );
        }
    }
}
