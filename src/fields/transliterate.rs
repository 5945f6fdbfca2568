//! Text of any script in ASCII words. Steps 1 to 4 of [`SlugPolicy`](super::SlugPolicy).

use deunicode::deunicode_char;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::invisible::is_ignorable;

/// Spells a text in words of `a-z` and `0-9`, `separator` between them, at most `max_len` bytes.
/// Empty when nothing in the text can be spelled.
pub(super) fn spell(text: &str, separator: char, max_len: usize) -> String {
    let letters = spell_chars(text, separator, max_len, letter);
    if letters.is_empty() {
        spell_chars(text, separator, max_len, sign)
    } else {
        letters
    }
}

/// What one character adds to the words.
enum Spelling {
    /// Nothing, and the word goes on.
    Silent,
    /// Nothing, and the word ends.
    Gap,
    /// Letters and digits; spaces among them end a word, other signs are silent.
    Text(&'static str),
    /// An ASCII letter or digit.
    Itself(char),
}

/// Letters, digits and the marks on them; all else ends a word.
fn letter(c: char) -> Spelling {
    if c.is_ascii_alphanumeric() {
        Spelling::Itself(c)
    } else if is_ignorable(c) || is_apostrophe(c) {
        Spelling::Silent
    } else if is_combining_mark(c) {
        deunicode_char(c).map_or(Spelling::Silent, Spelling::Text)
    } else if c.is_alphanumeric() {
        deunicode_char(c).map_or(Spelling::Gap, Spelling::Text)
    } else {
        Spelling::Gap
    }
}

/// Signs and emoji by their names. Only for texts without letters and digits.
fn sign(c: char) -> Spelling {
    if c.is_ascii() {
        Spelling::Gap
    } else {
        deunicode_char(c).map_or(Spelling::Gap, Spelling::Text)
    }
}

fn spell_chars(
    text: &str,
    separator: char,
    max_len: usize,
    spelling: impl Fn(char) -> Spelling,
) -> String {
    let mut words = Words {
        text: String::new(),
        separator,
        at_gap: false,
    };
    // NFKC would turn "™" into "TM", so these go first.
    let unmarked = text.chars().map(|c| if is_legal_mark(c) { ' ' } else { c });
    for c in unmarked.nfkc() {
        match spelling(c) {
            Spelling::Silent => {}
            Spelling::Gap => words.at_gap = true,
            Spelling::Itself(c) => words.push(c),
            Spelling::Text(text) => text.chars().for_each(|c| words.push(c)),
        }
        if words.text.len() >= max_len {
            break;
        }
    }
    // ASCII: every place is a boundary.
    words.text.truncate(max_len);
    while words.text.ends_with(separator) {
        words.text.pop();
    }
    words.text
}

struct Words {
    text: String,
    separator: char,
    at_gap: bool,
}

impl Words {
    fn push(&mut self, c: char) {
        if c.is_ascii_alphanumeric() {
            if self.at_gap && !self.text.is_empty() {
                self.text.push(self.separator);
            }
            self.at_gap = false;
            self.text.push(c.to_ascii_lowercase());
        } else if c == ' ' {
            self.at_gap = true;
        }
    }
}

/// Trade mark, registered, copyright, service mark, recording, and the raised MC, MD and MR.
fn is_legal_mark(c: char) -> bool {
    matches!(c, '™' | '®' | '©' | '℠' | '℗' | '\u{1F16A}'..='\u{1F16C}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '＇')
}

#[cfg(test)]
mod tests {
    use super::spell;

    #[test]
    fn names_are_spelled_in_ascii() {
        for (name, words) in [
            ("Acme™ Inc. 🚀", "acme-inc"),
            ("Acme®Tools©2024", "acme-tools-2024"),
            ("Café Zürich", "cafe-zurich"),
            ("Cafe\u{301} Zu\u{308}rich", "cafe-zurich"),
            ("Joe's Pizza", "joes-pizza"),
            ("L’Été d’Alix", "lete-dalix"),
            ("Smith & Sons", "smith-sons"),
            ("Ａｃｍｅ　①", "acme-1"),
            ("İstanbul Işık", "istanbul-isik"),
            ("Straße", "strasse"),
            ("Москва", "moskva"),
            ("Объединение", "obedinenie"),
            ("北京", "bei-jing"),
            ("ヤマト", "yamato"),
            ("शक्ति", "shkti"),
            ("Soft\u{ad}ware zero\u{200b}width", "software-zerowidth"),
            ("a/b\\c_d", "a-b-c-d"),
            ("--a--", "a"),
        ] {
            assert_eq!(spell(name, '-', 63), words, "{name}");
        }
    }

    #[test]
    fn signs_alone_are_spelled_by_name() {
        for (name, words) in [
            ("🚀", "rocket"),
            ("🚀🚀", "rocket-rocket"),
            ("☕\u{fe0f} ⚡", "coffee-zap"),
            ("🇯🇵", "jp"),
            ("™®©", ""),
            ("!?", ""),
            ("", ""),
        ] {
            assert_eq!(spell(name, '-', 63), words, "{name}");
        }
    }

    #[test]
    fn a_cut_never_leaves_a_separator_at_the_end() {
        assert_eq!(spell("abc def", '_', 4), "abc");
        assert_eq!(spell("abc def", '_', 5), "abc_d");
        assert_eq!(spell("ﷺﷺ", '-', 10).len(), 10);
    }
}
