//! Tables as text (RFC 4180), safe to open in a spreadsheet. By hand: it is thirty lines.

use std::borrow::Cow;

/// One cell.
pub(super) enum Cell<'a> {
    Text(Cow<'a, str>),
    Count(u64),
    Number(f64),
    Empty,
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Cell<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Empty, Into::into)
    }
}

/// Lines under a head.
pub(super) struct Table {
    text: String,
}

impl Table {
    pub(super) fn new<const N: usize>(head: &[&str; N]) -> Self {
        let mut table = Self {
            text: String::new(),
        };
        table.line(head.map(Cell::from));
        table
    }

    pub(super) fn line<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            match cell {
                Cell::Text(text) => self.quoted(&text),
                Cell::Count(count) => self.text += &count.to_string(),
                Cell::Number(number) => self.text += &number.to_string(),
                Cell::Empty => {}
            }
        }
        self.text += "\r\n";
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn quoted(&mut self, text: &str) {
        // A spreadsheet would run what begins like this (OWASP, CSV injection); the apostrophe, which
        // it does not show, makes it text.
        let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        let guard = if runs { "'" } else { "" };
        if runs || text.contains([',', '"', '\r', '\n']) {
            let text = text.replace('"', "\"\"");
            self.text += &format!("\"{guard}{text}\"");
        } else {
            self.text += text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_would_stumble_over_is_quoted() {
        let mut table = Table::new(&["a", "b"]);
        table.line(["plain".into(), "1,5 \"m\"\r\nlong".into()]);
        table.line([Cell::from(7), Cell::from(None::<f64>)]);
        assert_eq!(
            table.into_text(),
            "a,b\r\nplain,\"1,5 \"\"m\"\"\r\nlong\"\r\n7,\r\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for text in ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "\n=1", "＝1"] {
            let mut table = Table::new(&["a"]);
            table.line([text.into()]);
            assert_eq!(table.into_text(), format!("a\r\n\"'{text}\"\r\n"));
        }
        let mut table = Table::new(&["a"]);
        table.line([Cell::from(-1.5)]);
        assert_eq!(table.into_text(), "a\r\n-1.5\r\n", "a number is one");
    }
}
