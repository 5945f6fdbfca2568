//! A company's name in any script.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::invalid::{FieldError, Problem};
use super::invisible::{is_bidi_override, is_blank, is_ignorable};
use super::text::text_field;

/// A company's name as people write it: any script, either direction, emoji too.
///
/// The text is composed to Unicode NFC (UAX #15), so that "é" typed in one or in two code points
/// gives equal names; it is trimmed, and every run of white space inside (tabs, line ends,
/// no-break and ideographic spaces included) becomes one space.
///
/// Between 1 and [`MAX_CHARS`](Self::MAX_CHARS) characters are allowed. Combining marks and
/// characters that show nothing (joiners, variation selectors) do not count, yet at most
/// [`MAX_CODE_POINTS`](Self::MAX_CODE_POINTS) code points are kept in all, so that marks cannot be
/// stacked without end.
///
/// # Errors
///
/// [`new`](Self::new) refuses with the code
///
/// - `company_name_empty`: no character is visible (white space and zero-width characters only);
/// - `company_name_too_long`;
/// - `company_name_control_character`: a control that is not white space, such as NUL;
/// - `company_name_bidi_control`: a direction override (U+202A to U+202E, U+2066 to U+2069), by
///   which a name could be made to read as another.
///
/// ```
/// use onramp::fields::CompanyName;
///
/// let name = CompanyName::new("  Acme™\u{a0} Inc. 🚀\n")?;
/// assert_eq!(name.as_str(), "Acme™ Inc. 🚀");
/// assert_eq!(CompanyName::new("Cafe\u{301}")?, CompanyName::new("Caf\u{e9}")?);
/// assert!(CompanyName::new("שלום בע״מ").is_ok());
/// assert_eq!(CompanyName::new("\u{200b} ").unwrap_err().code(), "company_name_empty");
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompanyName(String);

impl CompanyName {
    /// The most characters a name may show.
    pub const MAX_CHARS: usize = 120;

    /// The most code points a name may consist of, whether they show or not.
    pub const MAX_CODE_POINTS: usize = 480;

    /// Checks a name and puts it into canonical form. The type's description has the rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `company_name`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        const TOO_LONG: Problem = Problem::NameTooLong {
            max: CompanyName::MAX_CHARS,
        };
        if text.len() > MAX_RAW_BYTES {
            return Err(TOO_LONG.into());
        }
        for c in text.chars() {
            if is_bidi_override(c) {
                return Err(Problem::NameBidi(u32::from(c)).into());
            }
            if c.is_control() && !c.is_whitespace() {
                return Err(Problem::NameControl(u32::from(c)).into());
            }
        }

        let name = composed(text);
        if !name.chars().any(is_visible) {
            return Err(Problem::NameEmpty.into());
        }
        let shown = name.chars().filter(|&c| takes_room(c)).count();
        if shown > Self::MAX_CHARS || name.chars().count() > Self::MAX_CODE_POINTS {
            return Err(TOO_LONG.into());
        }
        Ok(Self(name))
    }

    /// The canonical name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_field!(CompanyName);

/// NFC, trimmed, with single spaces inside.
fn composed(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.trim_matches(is_blank).nfc() {
        if !c.is_whitespace() {
            name.push(c);
        } else if !name.ends_with(' ') {
            name.push(' ');
        }
    }
    name
}

fn is_visible(c: char) -> bool {
    takes_room(c) && !is_blank(c)
}

/// Whether a character advances the text: neither put onto the one before it nor shown as nothing.
fn takes_room(c: char) -> bool {
    !is_combining_mark(c) && !is_ignorable(c)
}

/// Input beyond this is refused unread: 480 code points never need as much.
const MAX_RAW_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        match CompanyName::new(text) {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        }
    }

    fn canonical(text: &str) -> String {
        CompanyName::new(text).unwrap().into()
    }

    #[test]
    fn white_space_of_every_kind_is_trimmed_and_collapsed() {
        assert_eq!(
            canonical("\u{feff} Acme \t\r\n\u{3000} Ltd \u{200b}"),
            "Acme Ltd"
        );
        assert_eq!(canonical("株式会社\u{3000}山田"), "株式会社 山田");
    }

    #[test]
    fn two_spellings_of_an_accent_are_one_name() {
        assert_eq!(canonical("Zu\u{308}rich"), "Z\u{fc}rich");
    }

    #[test]
    fn names_of_many_scripts_pass_unchanged() {
        for name in [
            "🚀",
            "👨‍👩‍👧",
            "❤\u{fe0f}",
            "شركة النور",
            "ישראל בע״מ",
            "आरंभ",
            "Ωmega",
            "می‌خواهم",
        ] {
            assert_eq!(canonical(name), name);
        }
    }

    #[test]
    fn names_that_show_nothing_are_refused() {
        for name in [
            "",
            " \t\n",
            "\u{200b}\u{200d}\u{2060}",
            "\u{3164}",
            "\u{3164} \u{3164}",
            "\u{2800}x".trim_end_matches('x'),
            "\u{fe0f}\u{2800}\u{fe0f}",
            "\u{301}",
        ] {
            assert_eq!(code(name), "company_name_empty", "{name:?}");
        }
    }

    #[test]
    fn controls_are_refused_wherever_they_stand() {
        for name in ["\0", "Ac\0me", "Acme\u{7}", "\u{1b}[31mAcme", "Acme\u{9f}"] {
            assert_eq!(code(name), "company_name_control_character", "{name:?}");
        }
    }

    #[test]
    fn direction_overrides_are_refused_and_direction_marks_are_not() {
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            assert_eq!(
                code(&format!("Acme{c}cni")),
                "company_name_bidi_control",
                "{c:?}"
            );
        }
        assert_eq!(code("שלום\u{200f} Ltd"), "accepted");
    }

    #[test]
    fn the_length_counts_what_shows() {
        assert_eq!(code(&"n".repeat(120)), "accepted");
        assert_eq!(code(&"n".repeat(121)), "company_name_too_long");
        assert_eq!(code(&"x\u{323}\u{300}".repeat(120)), "accepted");
        assert_eq!(code(&format!("x{}", "\u{300}".repeat(479))), "accepted");
        assert_eq!(
            code(&format!("x{}", "\u{300}".repeat(480))),
            "company_name_too_long"
        );
        assert_eq!(
            code(&" ".repeat(MAX_RAW_BYTES + 1)),
            "company_name_too_long"
        );
    }
}
