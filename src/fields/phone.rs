//! A phone number.

use std::fmt;

use super::invalid::{FieldError, Problem};
use super::text::text_field;

/// One phone number in the international form of ITU-T E.164: `+`, country code, number.
///
/// Spaces and the visual separators of RFC 3966 (`-`, `.`, parentheses) are accepted and dropped.
/// A number without its country code is refused, never completed: which country was meant is a
/// guess.
///
/// The check is of E.164's syntax: a first digit from 1 to 9 and [`MIN_DIGITS`](Self::MIN_DIGITS)
/// to [`MAX_DIGITS`](Self::MAX_DIGITS) digits. It does not know the number plans of the countries;
/// they change often, and only a message to the number shows that somebody has it.
///
/// **`Debug` shows `Phone(+1*******90)`**, always with seven stars.
/// `Display`, `as_str` and serde show the whole number.
///
/// # Errors
///
/// [`new`](Self::new) refuses with `phone_invalid`.
///
/// ```
/// use onramp::fields::Phone;
///
/// let phone = Phone::new("+1 (415) 555-0190")?;
/// assert_eq!(phone.as_str(), "+14155550190");
/// assert_eq!(format!("{phone:?}"), "Phone(+1*******90)");
/// assert_eq!(Phone::new("(415) 555-0190").unwrap_err().code(), "phone_invalid");
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

impl Phone {
    /// The fewest digits: three of the country and four of the number, as on Niue.
    pub const MIN_DIGITS: usize = 7;

    /// The most digits, by E.164.
    pub const MAX_DIGITS: usize = 15;

    /// Checks a number and drops its separators. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `phone`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let given = text.trim().strip_prefix('+').ok_or(Problem::PhoneInvalid)?;
        let mut number = String::from("+");
        for c in given.chars() {
            match c {
                '0'..='9' if number.len() <= Self::MAX_DIGITS => number.push(c),
                ' ' | '-' | '.' | '(' | ')' => {}
                _ => return Err(Problem::PhoneInvalid.into()),
            }
        }
        if number.len() <= Self::MIN_DIGITS || number.starts_with("+0") {
            return Err(Problem::PhoneInvalid.into());
        }
        Ok(Self(number))
    }

    /// The number as `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Redacted: the first digit and the last two.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ASCII, and eight bytes at least: the two parts cannot meet.
        let (head, tail) = (&self.0[..2], &self.0[self.0.len() - 2..]);
        write!(f, "Phone({head}*******{tail})")
    }
}

text_field!(Phone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_dropped() {
        for text in [
            "+442079460958",
            " +44 20 7946 0958 ",
            "+44 (20) 7946-0958",
            "+44.20.79460958",
        ] {
            assert_eq!(Phone::new(text).unwrap().as_str(), "+442079460958");
        }
    }

    #[test]
    fn the_limits_are_seven_and_fifteen_digits() {
        for (digits, accepted) in [(6, false), (7, true), (15, true), (16, false)] {
            let text = format!("+{}", "9".repeat(digits));
            assert_eq!(Phone::new(&text).is_ok(), accepted, "{digits} digits");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "+",
            "14155550100",
            "0041446681800",
            "+04155550100",
            "++14155550100",
            "+1415+5550100",
            "+1415555CALL",
            "+1415555010x",
            "+1 415 555 0100 ext. 5",
            "+١٤١٥٥٥٥٠١٠٠",
            "+1415\t5550100",
        ] {
            assert_eq!(
                Phone::new(text).unwrap_err().code(),
                "phone_invalid",
                "{text:?}"
            );
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_the_number() {
        let phone = Phone::new("+14155550190").unwrap();
        assert_eq!(format!("{phone:?}"), "Phone(+1*******90)");
        assert_eq!(phone.to_string(), "+14155550190");
        let error = Phone::new("4155550190").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("0190"), "{error:?}");
    }
}
