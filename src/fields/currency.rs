//! A currency people pay with.

use super::invalid::{FieldError, Problem, excerpt};
use super::text::text_field;

/// A currency by its alphabetic code of ISO 4217, such as `INR`.
///
/// The code is kept in upper case; lower case and white space around it are accepted. There is no
/// default: a missing currency stays missing.
///
/// Codes that were replaced in recent years (`HRK`) are accepted, since facts stored before the
/// change must still be readable.
///
/// # Errors
///
/// [`new`](Self::new) refuses with the code
///
/// - `currency_unknown`: not in the table of ISO 4217;
/// - `currency_not_money`: in the table, but nobody can be billed in it. These are funds codes
///   (`CHE`), metals and units of account (`XAU`, `XDR`), and `XTS` and `XXX`, which stand for a
///   test and for no currency.
///
/// ```
/// use onramp::fields::Currency;
///
/// assert_eq!(Currency::new("inr")?.as_str(), "INR");
/// assert_eq!(Currency::new("JPY")?.minor_digits(), 0);
/// assert_eq!(Currency::new("XXX").unwrap_err().code(), "currency_not_money");
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Checks a code and puts it into upper case. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `currency`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let given = text.trim();
        // Three bytes are compared before upper-casing, which could be long or change the length.
        let entry = (given.len() == 3)
            .then(|| iso_currency::Currency::from_code(&given.to_ascii_uppercase()))
            .flatten()
            .ok_or_else(|| Problem::CurrencyUnknown(excerpt(given)))?;
        if entry.is_fund() || entry.is_special() {
            return Err(Problem::CurrencyNotMoney(entry.code()).into());
        }
        Ok(Self(entry))
    }

    /// The code of three upper-case letters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0.code()
    }

    /// The currency's name in English, such as "Indian rupee".
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// How many decimal digits an amount has: 2 for `EUR`, 0 for `JPY`, 3 for `KWD`.
    #[must_use]
    pub fn minor_digits(&self) -> u16 {
        // Only special entries lack the number, and `new` has refused those.
        self.0.exponent().unwrap_or(0)
    }
}

text_field!(Currency);

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        match Currency::new(text) {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn case_and_surrounding_space_do_not_matter() {
        assert_eq!(Currency::new(" inR\n").unwrap().as_str(), "INR");
    }

    #[test]
    fn funds_metals_and_test_codes_are_not_money() {
        for text in ["XXX", "XTS", "XAU", "XDR", "CHE", "BOV", "USN", "xxx"] {
            assert_eq!(code(text), "currency_not_money", "{text}");
        }
        for text in ["XAF", "XOF", "XPF", "XCD", "CHF", "USD"] {
            assert_eq!(code(text), "accepted", "{text}");
        }
    }

    #[test]
    fn anything_else_is_unknown() {
        for text in ["", "ZZZ", "EURO", "E R", "€", "ıNR", "356"] {
            assert_eq!(code(text), "currency_unknown", "{text}");
        }
    }

    #[test]
    fn minor_digits_follow_the_table() {
        for (text, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3)] {
            assert_eq!(
                Currency::new(text).unwrap().minor_digits(),
                digits,
                "{text}"
            );
        }
    }

    #[test]
    fn every_accepted_currency_has_its_number_of_digits() {
        let letters = b'A'..=b'Z';
        for a in letters.clone() {
            for b in letters.clone() {
                for c in letters.clone() {
                    let text = String::from_utf8(vec![a, b, c]).unwrap();
                    if let Ok(currency) = Currency::new(&text) {
                        assert!(currency.0.exponent().is_some(), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn long_input_is_cut_in_the_message() {
        let message = Currency::new(&"Z".repeat(10_000)).unwrap_err().to_string();
        assert!(message.len() < 150, "{message}");
    }
}
