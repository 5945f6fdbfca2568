//! The statements of a group commit. Each dialect has one of three forms; the fields that its form
//! does not use are empty.

use crate::store::sql::statements::define;

define! {
    Texts {
        /// One statement that does everything, and commits; and smaller ones for what comes most.
        fused,
        fused_answer,
        fused_checkpoint,
        fused_host,
        fused_creation,
        fused_hosts,
        fused_workers,
        fused_commits,
        fused_creations,
        /// As a script: a transaction of one member, that puts a fact, posts a message, does both, or
        /// puts a fact under a lease; and a creation.
        one_put,
        one_post,
        one_put_post,
        one_checkpoint,
        one_creation,
        /// What commits are checked against, as of now; locks what it finds. In the form of scripts
        /// it begins the transaction, and gives which creations exist, too.
        look,
        /// In the form of scripts: everything that is written, and COMMIT.
        write,
        /// Which creations exist.
        finds,
        insert,
        advance,
        journal,
        put,
        remove,
        enqueue,
        wake,
        hold,
        hand_back,
        dequeue,
        post,
    }
}

impl Texts {
    /// No statement.
    pub(in crate::store::sql) const NONE: Self = Self {
        fused: "",
        fused_answer: "",
        fused_checkpoint: "",
        fused_host: "",
        fused_creation: "",
        fused_hosts: "",
        fused_workers: "",
        fused_commits: "",
        fused_creations: "",
        one_put: "",
        one_post: "",
        one_put_post: "",
        one_checkpoint: "",
        one_creation: "",
        look: "",
        write: "",
        finds: "",
        insert: "",
        advance: "",
        journal: "",
        put: "",
        remove: "",
        enqueue: "",
        wake: "",
        hold: "",
        hand_back: "",
        dequeue: "",
        post: "",
    };
}

/// Rows that come as one argument of JSON: an array of arrays, whose columns are `$name`, of a kind:
/// `bytes` (in hexadecimal digits), `int` or `text`. To be selected from, as `i`, with their `place`
/// from 1.
#[cfg(feature = "sqlite")]
macro_rules! json_each {
    ($arg:literal; $($at:literal $name:ident $kind:ident),+) => {
        concat!(
            "(SELECT key + 1 AS place",
            $(", ", $crate::store::sql::group::texts::json_each!(@ $at $kind), " AS ", stringify!($name),)+
            " FROM json_each(", $arg, ")) i"
        )
    };
    (@ $at:literal bytes) => { concat!("unhex(value ->> ", $at, ")") };
    (@ $at:literal $kind:ident) => { concat!("value ->> ", $at) };
    (update $table:literal, $key:literal, $rows:expr, $set:expr, $when:literal) => {
        concat!("UPDATE ", $table, " AS t SET ", $set, " FROM ", $rows,
            " WHERE t.", $key, " = i.id AND ", $when)
    };
    (delete $table:literal, $rows:expr, $other:literal) => {
        concat!("DELETE FROM ", $table, " WHERE (onboarding, ", $other, ") IN (SELECT i.id, i.", $other,
            " FROM ", $rows, ")")
    };
}

/// The same where JSON becomes a table. It comes first in every join: nothing is known of its size.
#[cfg(feature = "mysql")]
macro_rules! json_table {
    ($arg:literal; $($at:literal $name:ident $kind:ident),+) => {
        concat!(
            "(SELECT place",
            $(", ", $crate::store::sql::group::texts::json_table!(@ $at $kind), " AS ", stringify!($name),)+
            " FROM JSON_TABLE(", $arg, ", '$[*]' COLUMNS (place FOR ORDINALITY",
            $(", c", $at, " ", $crate::store::sql::group::texts::json_table!(# $kind), " PATH '$[", $at, "]'",)+
            ")) j) i"
        )
    };
    (@ $at:literal bytes) => { concat!("UNHEX(c", $at, ")") };
    (@ $at:literal $kind:ident) => { concat!("c", $at) };
    (# bytes) => { "VARCHAR(512)" };
    (# int) => { "BIGINT" };
    // Its own encoding, whatever the database's default is.
    (# text) => { "LONGTEXT CHARACTER SET utf8mb4" };
    (update $table:literal, $key:literal, $rows:expr, $set:expr, $when:literal) => {
        concat!("UPDATE ", $rows, " STRAIGHT_JOIN ", $table, " t ON t.", $key, " = i.id SET ", $set,
            " WHERE ", $when)
    };
    (delete $table:literal, $rows:expr, $other:literal) => {
        concat!("DELETE t FROM ", $rows, " STRAIGHT_JOIN ", $table, " t ON t.onboarding = i.id AND t.",
            $other, " = i.", $other)
    };
}

/// What is written to a table, of the rows in an argument. `$source`: one of the two above.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
macro_rules! part {
    ($source:ident insert $arg:literal) => {
        concat!("INSERT INTO onramp_onboarding (id, tenant, flow, subject, revision, stage, state, \
            head, created_at, updated_at, active, fence) \
            SELECT i.id, i.tenant, i.flow, i.subject, i.revision, i.stage, i.state, i.head, i.created_at, \
            i.updated_at, 1, 0 FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 tenant text, 2 flow text,
                3 subject text, 4 revision int, 5 stage text, 6 state text, 7 head bytes,
                8 created_at int, 9 updated_at int))
    };
    ($source:ident advance $arg:literal) => {
        $crate::store::sql::group::texts::$source!(update "onramp_onboarding", "id",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 expected int, 2 next int,
                3 new_stage text, 4 new_fence int, 5 new_state text, 6 new_head bytes, 7 new_at int),
            "revision = i.next, stage = i.new_stage, fence = i.new_fence, state = i.new_state, \
            head = i.new_head, updated_at = i.new_at",
            "t.revision = i.expected")
    };
    // Where an UPDATE of many rows writes them to a temporary table first. Each row is there, and
    // locked: it is always the second half that happens, and the count of rows says so.
    ($source:ident replace $arg:literal) => {
        concat!("INSERT INTO onramp_onboarding (id, tenant, flow, subject, revision, stage, fence, state, \
            head, created_at, updated_at) \
            SELECT i.id, '', '', '', i.next, i.new_stage, i.new_fence, i.new_state, i.new_head, 0, \
            i.new_at FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 expected int, 2 next int,
                3 new_stage text, 4 new_fence int, 5 new_state text, 6 new_head bytes, 7 new_at int),
            " ON DUPLICATE KEY UPDATE revision = VALUES(revision), stage = VALUES(stage), \
            fence = VALUES(fence), state = VALUES(state), head = VALUES(head), \
            updated_at = VALUES(updated_at)")
    };
    ($source:ident journal $arg:literal) => {
        concat!("INSERT INTO onramp_journal (onboarding, revision, command, given_by, at, events, hash) \
            SELECT i.id, i.revision, i.command, i.given_by, i.at, i.events, i.hash FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 revision int,
                2 command bytes, 3 given_by text, 4 at int, 5 events text, 6 hash bytes))
    };
    ($source:ident put $arg:literal $conflict:literal $new:literal $end:literal) => {
        concat!("INSERT INTO onramp_fact (onboarding, step, version, payload, salt, given_by, at) \
            SELECT i.id, i.step, i.version, i.payload, i.salt, i.given_by, i.at FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 step text, 2 version int,
                3 payload text, 4 salt bytes, 5 given_by text, 6 at int),
            // Without a condition, SQLite would read what follows as part of the FROM.
            " WHERE 1 = 1 ", $conflict,
            " version = ", $new, "version", $end, ", payload = ", $new, "payload", $end,
            ", salt = ", $new, "salt", $end, ", given_by = ", $new, "given_by", $end,
            ", at = ", $new, "at", $end)
    };
    ($source:ident remove $arg:literal) => {
        $crate::store::sql::group::texts::$source!(delete "onramp_fact",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 step text), "step")
    };
    ($source:ident enqueue $arg:literal $now:literal) => {
        concat!("INSERT INTO onramp_queue (onboarding, tenant, flow, fence, due_at, leased, lease_us, \
            attempt) SELECT i.id, i.tenant, i.flow, i.fence, ", $now, " + i.later, 0, 0, 0 FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 tenant text, 2 flow text,
                3 fence int, 4 later int))
    };
    ($source:ident wake $arg:literal $now:literal) => {
        $crate::store::sql::group::texts::$source!(update "onramp_queue", "onboarding",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 seen int, 2 later int),
            concat!("due_at = ", $now, " + i.later, attempt = 0, worker = NULL"),
            "t.fence = i.seen AND t.leased = 0")
    };
    ($source:ident hold $arg:literal) => {
        $crate::store::sql::group::texts::$source!(update "onramp_queue", "onboarding",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 seen int),
            "attempt = 1", "t.fence = i.seen AND t.leased = 1")
    };
    ($source:ident hand_back $arg:literal $now:literal) => {
        $crate::store::sql::group::texts::$source!(update "onramp_queue", "onboarding",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 seen int, 2 later int),
            concat!("due_at = ", $now, " + i.later, leased = 0, worker = NULL"),
            "t.fence = i.seen AND t.leased = 1")
    };
    ($source:ident dequeue $arg:literal) => {
        $crate::store::sql::group::texts::$source!(delete "onramp_queue",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 fence int), "fence")
    };
    ($source:ident post $arg:literal $now:literal) => {
        concat!("INSERT INTO onramp_outbox (id, tenant, flow, subject, onboarding, revision, place, \
            topic, at, stored_at, due_at) \
            SELECT i.id, i.tenant, i.flow, i.subject, i.onboarding, i.revision, i.nth, i.topic, i.at, ",
            $now, ", ", $now, " FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 tenant text, 2 flow text,
                3 subject text, 4 onboarding bytes, 5 revision int, 6 nth int, 7 topic text, 8 at int))
    };
    // What a commit is checked against.
    ($source:ident look $arg:literal $join:literal) => {
        concat!("SELECT i.place, o.tenant, o.revision, o.fence, q.fence, q.leased, \
            (SELECT j.revision FROM onramp_journal j \
            WHERE j.onboarding = o.id AND j.command = i.command) FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 id bytes, 1 command bytes),
            $join, "onramp_onboarding o ON o.id = i.id \
            LEFT JOIN onramp_queue q ON q.onboarding = o.id")
    };
    ($source:ident finds $arg:literal $join:literal) => {
        concat!("SELECT -i.place, '', 0, 0, NULL, NULL, NULL FROM ",
            $crate::store::sql::group::texts::$source!($arg; 0 tenant text, 1 flow text, 2 subject text),
            $join, "onramp_onboarding o ON o.tenant = i.tenant AND o.flow = i.flow \
            AND o.subject = i.subject AND o.active = 1")
    };
}

#[cfg(feature = "sqlite")]
pub(in crate::store::sql) use json_each;
#[cfg(feature = "mysql")]
pub(in crate::store::sql) use json_table;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(in crate::store::sql) use part;
