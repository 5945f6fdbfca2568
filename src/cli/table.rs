//! Tables for people: framed and folded on a terminal, plain columns where there is none.

use std::io::{self, IsTerminal};

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};

use crate::lifecycle::StageKind;

/// How things are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    terminal: bool,
    colour: bool,
}

impl Look {
    /// As standard output and the environment say (<https://no-color.org>).
    pub(super) fn new(as_json: bool) -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let plain = set("NO_COLOR").is_some() || dumb;
        Self::of(!as_json && io::stdout().is_terminal(), plain)
    }

    fn of(terminal: bool, plain: bool) -> Self {
        let colour = terminal && !plain;
        Self { terminal, colour }
    }

    pub(super) fn table(self, head: &[&str]) -> Grid {
        let mut table = Table::new();
        if self.terminal {
            table.load_style(presets::UTF8_FULL_CONDENSED);
        } else {
            table.force_no_tty().load_style(presets::NOTHING);
        }
        if !head.is_empty() {
            table.set_header(head.iter().map(Cell::new));
        }
        let colour = self.colour;
        Grid { table, colour }
    }
}

/// A table that is being filled.
pub(super) struct Grid {
    table: Table,
    colour: bool,
}

impl Grid {
    pub(super) fn row<const N: usize>(&mut self, cells: [Shown; N]) {
        let colour = self.colour;
        let cells = cells.into_iter().map(|shown| {
            let cell = Cell::new(shown.text);
            match shown.colour.filter(|_| colour) {
                Some(colour) => cell.fg(colour),
                None => cell,
            }
        });
        self.table.add_row(cells.collect::<Vec<_>>());
    }

    pub(super) fn into_text(mut self) -> String {
        self.fold();
        self.table.trim_fmt()
    }

    /// Folds long texts where the terminal is wide enough for that to be read. Names and identities
    /// stay in one piece, to be copied.
    fn fold(&mut self) {
        let Some(terminal) = self.table.width() else {
            return;
        };
        let widths = self.table.column_max_content_widths();
        let (long, short): (Vec<u16>, Vec<u16>) = widths.iter().partition(|width| **width > LONG);
        // Each column has a blank on both sides and a line.
        let taken: u16 = short.iter().map(|width| width + 3).sum();
        let needed = long.len().saturating_mul(usize::from(READABLE));
        if long.is_empty() || usize::from(terminal.saturating_sub(taken)) < needed {
            return;
        }
        let dynamic = ContentArrangement::Dynamic;
        self.table.set_content_arrangement(dynamic);
        for (place, width) in widths.into_iter().enumerate() {
            if let Some(column) = self.table.column_mut(place).filter(|_| width <= LONG) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
}

/// Wider than any identity.
const LONG: u16 = 40;

/// Narrower than this nobody reads a text.
const READABLE: u16 = 30;

/// What a cell shows.
pub(super) struct Shown {
    text: String,
    colour: Option<Color>,
}

impl<T: ToString> From<T> for Shown {
    fn from(value: T) -> Self {
        // What is stored must not steer the terminal.
        let text = value.to_string();
        let text = text.chars().map(|c| match c {
            '\n' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        });
        let text = text.collect();
        Self { text, colour: None }
    }
}

/// Nothing where there is none.
pub(super) fn maybe<T: ToString>(value: Option<T>) -> Shown {
    Shown::from(value.map_or_else(String::new, |value| value.to_string()))
}

pub(super) fn stage(stage: StageKind) -> Shown {
    let colour = match stage {
        StageKind::Completed => Color::Green,
        StageKind::Failed => Color::Red,
        StageKind::InProgress => Color::Yellow,
        _ => return Shown::from(stage),
    };
    Shown {
        colour: Some(colour),
        ..Shown::from(stage)
    }
}

/// Something that is wrong.
pub(super) fn bad(value: impl ToString) -> Shown {
    Shown {
        colour: Some(Color::Red),
        ..Shown::from(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: u16) -> String {
        let look = Look::of(true, true);
        let mut table = look.table(&["ID", "TEXT"]);
        table.row([Shown::from("x".repeat(36)), bad("word ".repeat(20))]);
        table.table.set_width(width);
        table.into_text()
    }

    #[test]
    fn long_texts_are_folded_and_identities_are_not() {
        let wide = shown(100);
        assert!(
            wide.lines().all(|line| line.chars().count() <= 100),
            "{wide}"
        );
        assert!(
            wide.contains(&"x".repeat(36)) && wide.lines().count() > 5,
            "{wide}"
        );
        for narrow in [0, 50] {
            let text = shown(narrow);
            assert!(text.contains(&"word ".repeat(19)), "as it is: {text}");
        }
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let coloured = |look: Look| {
            let mut table = look.table(&[]);
            table.row([bad("x")]);
            // There is none under this test.
            table.table.enforce_styling();
            table.into_text().contains('\u{1b}')
        };
        assert!(coloured(Look::of(true, false)));
        assert!(!coloured(Look::of(true, true)), "NO_COLOR");
        assert!(!coloured(Look::of(false, false)), "a pipe");
    }

    #[test]
    fn what_is_stored_does_not_steer_the_terminal() {
        let shown = Shown::from("a\u{1b}[2Jb\nc");
        assert_eq!(shown.text, "a\u{fffd}[2Jb c");
    }
}
