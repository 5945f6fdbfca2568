//! The statements of a group commit on SQLite: two calls of several statements each, because every
//! call is a way to the thread of its connection and back.

use crate::store::sql::group::texts::{Texts, part};

/// The texts.
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const TEXTS: Texts = Texts {
    look: concat!(
        "BEGIN IMMEDIATE; ",
        part!(json_each look "$1" " CROSS JOIN "), " UNION ALL ",
        part!(json_each finds "$2" " CROSS JOIN "),
    ),
    write: concat!(
        part!(json_each insert "$1"), "; ",
        part!(json_each advance "$2"), "; ",
        part!(json_each journal "$3"), "; ",
        part!(json_each put "$4" "ON CONFLICT (onboarding, step) DO UPDATE SET" "excluded." ""), "; ",
        part!(json_each remove "$5"), "; ",
        part!(json_each enqueue "$6" "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"), "; ",
        part!(json_each wake "$7" "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"), "; ",
        part!(json_each hold "$8"), "; ",
        part!(json_each hand_back "$9" "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"), "; ",
        part!(json_each dequeue "$10"), "; ",
        part!(json_each post "$11" "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"), "; ",
        "COMMIT",
    ),
    ..Texts::NONE
};
