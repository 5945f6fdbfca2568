//! Claims on SQLite, MySQL and MariaDB: what was found is taken in one statement, whose rows are one
//! argument of JSON.

use crate::store::sql::claim::texts::{ClaimTexts, claims};
#[cfg(feature = "sqlite")]
use crate::store::sql::group::texts::json_each;
#[cfg(feature = "mysql")]
use crate::store::sql::group::texts::json_table;

/// The statement that takes. `$source`: how JSON becomes rows.
#[rustfmt::skip] // It would pull the text apart.
macro_rules! taking {
    ($source:ident $arg:literal $now:literal) => {
        $source!(update "onramp_queue", "onboarding",
            $source!($arg; 0 id bytes, 1 seen int, 2 lease int, 3 taker text),
            concat!("due_at = ", $now, " + i.lease, fence = t.fence + 1, leased = 1, \
                lease_us = i.lease, attempt = t.attempt + 1, worker = i.taker"),
            "t.fence = i.seen")
    };
}

/// SQLite: whoever writes excludes all others, so nothing has to be locked.
#[cfg(feature = "sqlite")]
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const SQLITE: ClaimTexts = claims! {
    form: dollars,
    now: "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)",
    lock: "",
    insert: "INSERT OR IGNORE" "",
    oldest: "",
    in_turn: "",
    pin: "",
    take: taking!(json_each "$1" "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"),
};

/// MySQL and MariaDB.
#[cfg(feature = "mysql")]
#[rustfmt::skip] // It would pull the texts apart.
pub(in crate::store::sql) const MYSQL: ClaimTexts = claims! {
    form: questions,
    now: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
    lock: " FOR UPDATE SKIP LOCKED",
    insert: "INSERT IGNORE" "",
    oldest: "",
    in_turn: "",
    pin: concat!(
        "SELECT t.onboarding FROM ",
        json_table!("?"; 0 id bytes, 1 seen int),
        " STRAIGHT_JOIN onramp_queue t ON t.onboarding = i.id WHERE t.fence = i.seen \
        AND t.due_at <= TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) \
        FOR UPDATE SKIP LOCKED"
    ),
    take: taking!(json_table "?" "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"),
};
