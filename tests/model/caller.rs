//! A host's process that acts for people: it loads a handle, and commits on it later.

use crate::model::guard::Guards;
use crate::model::rules::{RowId, Rules};
use crate::model::store::Outcome;
use crate::model::wishes::Wish;
use crate::model::world::{By, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    /// How many commands it has issued.
    pub(crate) issued: u16,
    pub(crate) at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum At {
    Idle,
    /// Has a handle.
    Holding(RowId, Wish),
    /// Does not know whether the commit was stored: it sends the very same again.
    InDoubt(RowId, Wish),
}

impl Caller {
    pub(crate) const fn new() -> Self {
        Self {
            issued: 0,
            at: At::Idle,
        }
    }
}

/// Commits on the handle; on what it is now, when somebody else was first and it still may.
pub(crate) fn commit(world: &mut World, rules: &Rules, guards: Guards, which: usize, heard: bool) {
    let caller = world.callers[which];
    let (At::Holding(row, wish) | At::InDoubt(row, wish)) = caller.at else {
        return;
    };
    let Some(decided) = rules.decide(row, wish) else {
        world.callers[which].at = At::Idle;
        return;
    };
    let by = By {
        fence: None,
        command: Some(which as u16 * 16 + caller.issued),
        heard,
    };
    let outcome = world.send(rules, guards, (row, wish, decided), by);
    world.callers[which].at = match outcome {
        _ if !heard => At::InDoubt(row, wish),
        Outcome::Conflict { current } => match rules.decide(current, wish) {
            Some(_) => At::Holding(current, wish),
            None => At::Idle,
        },
        Outcome::Committed | Outcome::Replayed { .. } | Outcome::Fenced => At::Idle,
    };
}
