//! Tables for people: as wide as the terminal, plain columns where there is none.

use std::io::{self, IsTerminal};

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};

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
        let terminal = !as_json && io::stdout().is_terminal();
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let colour = terminal && set("NO_COLOR").is_none() && !dumb;
        Self { terminal, colour }
    }

    pub(super) fn table(self, head: &[&str]) -> Grid {
        let mut table = Table::new();
        if self.terminal {
            table
                .load_style(presets::UTF8_FULL_CONDENSED)
                .set_content_arrangement(ContentArrangement::Dynamic);
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

    pub(super) fn into_text(self) -> String {
        self.table.trim_fmt()
    }
}

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
