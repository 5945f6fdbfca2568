//! What a fact must be to be stored alike everywhere.

/// The largest fact, in bytes of JSON.
pub const MAX_FACT_BYTES: usize = 256 * 1024;

/// How deep the arrays and objects of a fact may be nested.
pub const MAX_FACT_DEPTH: usize = 32;

/// Why a fact is not stored. Says what, how much of it, and the limit; never the fact itself.
///
/// ```
/// use onramp::flow::{EncodedFact, MAX_FACT_BYTES, Unstorable};
///
/// let large = format!("\"{}\"", "x".repeat(300_000));
/// let fact = EncodedFact::from_stored("company".into(), 1, large)?;
/// let error = fact.check().unwrap_err();
/// let why = Unstorable::TooLarge { bytes: 300_002, limit: MAX_FACT_BYTES };
/// assert_eq!(error.unstorable(), Some(&why));
/// assert_eq!(
///     error.to_string(),
///     "fact of step \"company\" is 300002 bytes of JSON: at most 262144 are stored",
/// );
/// # Ok::<(), onramp::flow::FactError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unstorable {
    /// Its JSON is too large.
    #[error("is {bytes} bytes of JSON: at most {limit} are stored")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// [`MAX_FACT_BYTES`].
        limit: usize,
    },
    /// Its arrays and objects are nested too deep.
    #[error("is nested {levels} levels deep: at most {limit} are stored")]
    TooDeep {
        /// What it has.
        levels: usize,
        /// [`MAX_FACT_DEPTH`].
        limit: usize,
    },
    /// A text in it has a NUL, which not every database keeps.
    #[error("contains a NUL character: remove it")]
    Nul,
    /// A text in it has one half of a character that UTF-16 writes as two: no text, so that it could
    /// not be read again.
    #[error("contains half of a character (an unpaired surrogate): remove it")]
    HalfCharacter,
}

/// Whether a JSON text can be stored.
pub(crate) fn check(json: &str) -> Result<(), Unstorable> {
    let bytes = json.len();
    if bytes > MAX_FACT_BYTES {
        let limit = MAX_FACT_BYTES;
        return Err(Unstorable::TooLarge { bytes, limit });
    }
    let mut rest = json.as_bytes();
    let (mut level, mut levels) = (0_usize, 0);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'[' | b'{' => {
                level += 1;
                levels = levels.max(level);
            }
            b']' | b'}' => level = level.saturating_sub(1),
            b'"' => rest = after_text(after)?,
            _ => {}
        }
    }
    if levels > MAX_FACT_DEPTH {
        let limit = MAX_FACT_DEPTH;
        return Err(Unstorable::TooDeep { levels, limit });
    }
    Ok(())
}

/// What follows a text whose opening quote was read.
fn after_text(mut rest: &[u8]) -> Result<&[u8], Unstorable> {
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => return Ok(after),
            b'\\' => match unit(rest) {
                Some(0) => return Err(Unstorable::Nul),
                Some(0xd800..=0xdbff) => match unit(&rest[6..]) {
                    Some(0xdc00..=0xdfff) => &rest[12..],
                    _ => return Err(Unstorable::HalfCharacter),
                },
                Some(0xdc00..=0xdfff) => return Err(Unstorable::HalfCharacter),
                // Of any other escape the first two bytes are passed over: the second may be a quote.
                _ => after.get(1..).unwrap_or_default(),
            },
            0 => return Err(Unstorable::Nul),
            _ => after,
        };
    }
    Ok(rest)
}

/// The number of an escape such as `\u00e9` that these bytes begin with.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(br"\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_told_from_text_that_looks_like_it() {
        for (text, nul) in [
            ("a\0b", true),
            ("a\\\0", true),
            ("\"\0", true),
            ("a\\u0000", false),
            ("\\\\u0000", false),
            ("\"", false),
            ("\u{1}\u{e000}🚀", false),
        ] {
            for json in [
                serde_json::to_string(text).unwrap(),
                serde_json::json!({ text: 1 }).to_string(),
            ] {
                let expected = if nul { Err(Unstorable::Nul) } else { Ok(()) };
                assert_eq!(check(&json), expected, "{json}");
            }
        }
    }

    #[test]
    fn characters_are_whole() {
        for whole in [r#""\ud83d\ude80""#, r#""\uD83D\uDE80x""#, r#""\\ud83d""#] {
            assert_eq!(check(whole), Ok(()), "{whole}");
            serde_json::from_str::<String>(whole).unwrap();
        }
        for half in [
            r#""\ud83d""#,
            r#""\ude80""#,
            r#""\ud83d\n""#,
            r#""\ud83d\ud83d""#,
            r#""\ud83dx""#,
            r#"{"\ude80": 1}"#,
        ] {
            assert_eq!(check(half), Err(Unstorable::HalfCharacter), "{half}");
            assert!(serde_json::from_str::<serde_json::Value>(half).is_err());
        }
    }

    #[test]
    fn levels_are_counted_outside_of_texts() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let objects = |levels| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        for make in [&nested as &dyn Fn(usize) -> String, &objects] {
            assert_eq!(check(&make(MAX_FACT_DEPTH)), Ok(()));
            for levels in [MAX_FACT_DEPTH + 1, 5_000] {
                let limit = MAX_FACT_DEPTH;
                let expected = Err(Unstorable::TooDeep { levels, limit });
                assert_eq!(check(&make(levels)), expected);
            }
        }
        let flat = format!("[{}]", vec![nested(31); 9].join(","));
        assert_eq!(check(&flat), Ok(()), "beside each other is not inside");
        let text = serde_json::to_string(&format!("\\\"{}", "[{".repeat(99))).unwrap();
        assert_eq!(check(&text), Ok(()));
    }

    #[test]
    fn bytes_are_counted_as_stored() {
        let of = |bytes: usize| format!("\"{}\"", "é".repeat((bytes - 2) / 2));
        assert_eq!(check(&of(MAX_FACT_BYTES)), Ok(()));
        let (bytes, limit) = (MAX_FACT_BYTES + 2, MAX_FACT_BYTES);
        assert_eq!(
            check(&of(bytes)),
            Err(Unstorable::TooLarge { bytes, limit })
        );
    }

    #[test]
    fn what_is_no_json_is_looked_at_without_harm() {
        for odd in [
            "",
            "\"",
            "\"\\",
            "\"\\u",
            "\"\\ud83d",
            "\"\\ud83d\\",
            "]]",
            "\"\\u+123\"",
        ] {
            let _ = check(odd);
        }
    }
}
