//! The statements of a group commit on MySQL and MariaDB: one for each table.

use crate::store::sql::group::texts::{Texts, part};

/// The texts.
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const TEXTS: Texts = Texts {
    // What others hold is passed over, and tried alone.
    look: concat!(part!(json_table look "?" " STRAIGHT_JOIN "), " FOR UPDATE SKIP LOCKED"),
    finds: part!(json_table finds "?" " STRAIGHT_JOIN "),
    insert: part!(json_table insert "?"),
    advance: part!(json_table replace "?"),
    journal: part!(json_table journal "?"),
    put: part!(json_table put "?" "ON DUPLICATE KEY UPDATE" "VALUES(" ")"),
    remove: part!(json_table remove "?"),
    enqueue: part!(json_table enqueue "?" "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"),
    wake: part!(json_table wake "?" "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"),
    hold: part!(json_table hold "?"),
    hand_back: part!(json_table hand_back "?" "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"),
    dequeue: part!(json_table dequeue "?"),
    post: part!(json_table post "?" "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"),
    ..Texts::NONE
};
