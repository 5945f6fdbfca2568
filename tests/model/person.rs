//! Somebody with a token, right or wrong, and the vault that looks at it.

use crate::model::guard::{Guard, Guards};
use crate::model::rules::{RowId, Rules};
use crate::model::store::Outcome;
use crate::model::wishes::Wish;
use crate::model::world::{By, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Person {
    Idle,
    /// The row was read, and the token compared with what it names.
    Asking {
        row: RowId,
        token: u8,
        right: bool,
    },
}

/// Whether there is something to compare this token with: it is of the offer that is open.
pub(crate) fn is_meant(rules: &Rules, row: RowId, token: u8) -> bool {
    let offer = rules.look(row).offer;
    offer.is_some_and(|offer| offer.token == Some(token))
}

/// Reads the row. What the vault would show first, without the guard, it shows here.
pub(crate) fn ask(
    world: &mut World,
    rules: &Rules,
    guards: Guards,
    token: u8,
    right: bool,
) -> Person {
    if right && !guards.hold(Guard::JournalFirst) {
        world.show(rules);
    }
    let row = world.kept.row;
    Person::Asking { row, token, right }
}

/// Commits that the token was right, or wrong; only then the secret comes out.
pub(crate) fn answer(
    world: &mut World,
    rules: &Rules,
    guards: Guards,
    (row, token, right): (RowId, u8, bool),
    heard: bool,
) -> Person {
    let late = world.late;
    let wish = match right {
        true => Wish::Reveal { late },
        false => Wish::Refuse { late },
    };
    let Some(decided) = rules.decide(row, wish) else {
        return Person::Idle;
    };
    let by = By {
        fence: None,
        command: None,
        heard,
    };
    match world.send(rules, guards, (row, wish, decided), by) {
        Outcome::Committed if right => {
            if heard && guards.hold(Guard::JournalFirst) {
                world.show(rules);
            }
            Person::Idle
        }
        Outcome::Committed => {
            world.refused += 1;
            Person::Idle
        }
        Outcome::Conflict { current: row } if heard && is_meant(rules, row, token) => {
            Person::Asking { row, token, right }
        }
        _ => Person::Idle,
    }
}
