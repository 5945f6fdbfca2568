//! What a text identity, or a name, must be to be stored alike everywhere.

/// The longest tenant or subject identity, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 128;

/// A tenant or subject identity that cannot be stored. Says what, how much of it, and the limit; never
/// the text itself.
///
/// ```
/// use onramp::SubjectId;
/// let error = SubjectId::new("org 1 ").unwrap_err();
/// assert_eq!(error.to_string(), "subject id starts or ends with white space: trim it");
/// let error = SubjectId::new("x".repeat(200)).unwrap_err();
/// assert_eq!(error.to_string(), "subject id is 200 bytes long: use 128 at most");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidId {
    what: &'static str,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("is empty: give at least one character")]
    Empty,
    #[error("is {0} bytes long: use {MAX_ID_BYTES} at most")]
    TooLong(usize),
    #[error("contains the control character U+{:04X}: remove it", u32::from(*.0))]
    Control(char),
    #[error("starts or ends with white space: trim it")]
    Padded,
    #[error("is no name: use 1 to 64 of a-z, 0-9 and _, a letter first")]
    NoName,
}

pub(super) fn check_id(what: &'static str, text: &str) -> Result<(), InvalidId> {
    let fail = |problem| Err(InvalidId { what, problem });
    if text.is_empty() {
        return fail(Problem::Empty);
    }
    check_label(what, text)?;
    if text.trim() != text {
        return fail(Problem::Padded);
    }
    Ok(())
}

/// A text that nothing is found by, for operators: it may be empty, or padded.
pub(crate) fn check_label(what: &'static str, text: &str) -> Result<(), InvalidId> {
    let fail = |problem| Err(InvalidId { what, problem });
    if text.len() > MAX_ID_BYTES {
        return fail(Problem::TooLong(text.len()));
    }
    match text.chars().find(|c| breaks_lines(*c)) {
        Some(control) => fail(Problem::Control(control)),
        None => Ok(()),
    }
}

/// The name of a flow or a step that came as text, and so was not looked at before.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), InvalidId> {
    match super::is_valid_name(name) {
        true => Ok(()),
        false => Err(InvalidId {
            what,
            problem: Problem::NoName,
        }),
    }
}

/// NUL, which PostgreSQL cannot store, and whatever else can forge a line in a log: Unicode has two
/// separators of lines that it does not count among the control characters.
fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_how_much_and_the_limit() {
        let said = |text: &str| check_id("tenant id", text).unwrap_err().to_string();
        assert!(said("").ends_with("is empty: give at least one character"));
        assert!(said(&"é".repeat(65)).ends_with("is 130 bytes long: use 128 at most"));
        assert!(said("a\0b").ends_with("the control character U+0000: remove it"));
        assert!(said("a\u{2028}b").contains("U+2028"));
        for padded in [" a", "a ", "a\u{a0}", "\u{3000}a"] {
            assert!(said(padded).ends_with("trim it"), "{padded:?}");
        }
        assert!(check_id("tenant id", &"é".repeat(64)).is_ok());
    }

    #[test]
    fn a_label_may_be_anything_that_is_short_and_of_one_line() {
        for good in ["", " ann ", "אן", "🚀"] {
            check_label("operator", good).unwrap();
        }
        for bad in ["a\nb", "\0", "a\u{85}", &"a".repeat(129)] {
            check_label("operator", bad).unwrap_err();
        }
    }
}
