//! The text of every statement, once for all databases. Each argument occurs once, in textual
//! order, so that `$n` and `?` agree; a text for which that is not so does not compile.

/// Defines a set of statements: each a text.
macro_rules! define {
    ($all:ident { $($(#[doc = $doc:literal])* $name:ident),* $(,)? }) => {
        /// Statements of a dialect.
        #[derive(Debug)]
        pub struct $all {
            $($(#[doc = $doc])* pub $name: &'static str),*
        }

        impl $all {
            /// The same, each text changed.
            pub(in crate::store::sql) fn map(self, change: impl Fn(&'static str) -> &'static str) -> Self {
                Self {
                    $($name: change(self.$name)),*
                }
            }
        }
    };
}

pub(super) use define;

define! {
    Statements {
        // Onboardings.
        row_by_id,
        row_by_key,
        /// Several at once: `$1` those by identity (place, tenant, id), `$2` those by key (place, tenant,
        /// flow, subject), as JSON. Besides the row it gives the place. Nothing where each is looked up
        /// by itself.
        rows_wanted,
        rows_of_subject,
        /// One range of the unique key. What is left out of it is in a CASE, so that nothing but the
        /// range and its order is asked of an index.
        rows_of_tenant,
        rows_after,
        /// What narrows the range is in a CASE, so that no other index than that of the identities
        /// serves it: each page would sort all of a tenant's.
        scan,
        insert_onboarding,
        advance_onboarding,
        delete_onboarding,
        keep_fence,
        /// What a commit is checked against, as of one moment. Locks nothing: the statements that
        /// follow name what was seen here, and begin again when it has changed meanwhile.
        look,
        /// The same, in a transaction of the host's: what it sees stays as it is.
        look_locked,
        // Facts.
        facts,
        put_fact,
        remove_fact,
        delete_facts,
        // Reservations.
        holder,
        reserve,
        free,
        delete_reservations,
        // The journal.
        committed,
        journal,
        insert_journal,
        delete_journal,
        // The queue. Every change of an entry names its fence and whether it is leased.
        enqueue,
        confirm,
        wake,
        hold,
        hand_back,
        rest,
        dequeue,
        delete_queued,
        renew,
        release,
        report,
        progress,
        // The outbox.
        // The outbox. A dead message is due at 2^62 microseconds and since when it is dead: behind
        // all others in the one index, in the order of their deaths.
        insert_outbox,
        due_outbox,
        /// The oldest message of an onboarding that is not dead.
        first_outbox,
        hide_outbox,
        /// Moves one that waits to where the one it waits for is due.
        move_outbox,
        defer_outbox,
        bury_outbox,
        delete_outbox,
        /// Makes those due that waited. Names no time they are due at, so that one whom somebody is
        /// just moving is waited for and made due after all.
        wake_outbox,
        next_outbox,
        dead_outbox,
        revive_outbox,
        oldest_outbox,
        count_dead_outbox,
        // The schema.
        has_schema,
        create_schema,
        schema_version,
        insert_schema,
    }
}

/// The statements of a database.
///
/// `$form`: how arguments are written, [`dollars`] or [`questions`]. `$now`: microseconds since 1970
/// on the database's clock, the same throughout a statement. `$lock`: how rows that were read are
/// locked, passing over those that others hold. `$hold`: how they are locked, waiting for others. `$conflict`, `$new`, `$end`: how a row replaces the
/// one with its key, and how its columns are named there. `$is`: how the tenant of a row that is found
/// by its identity is compared; on PostgreSQL so that no index serves it, or what is planned while
/// nothing is known of the table would walk through all of the tenant's. `$wanted`: see `rows_wanted`.
/// `$has_schema`: a query that gives a row when `onramp_schema` exists.
#[rustfmt::skip] // It would pull the texts apart.
macro_rules! statements {
    (
        form: $form:ident,
        now: $now:literal,
        lock: $lock:literal,
        hold: $hold:literal,
        upsert: $conflict:literal $new:literal $end:literal,
        is: $is:literal,
        wanted: $wanted:expr,
        has_schema: $has_schema:literal
    ) => {
        $crate::store::sql::statements::texts! {
            $form;
            row_by_id: concat!("SELECT id, revision, head, state FROM onramp_onboarding \
                WHERE tenant", $is, "$1 AND id = $2"),
            row_by_key: "SELECT id, revision, head, state FROM onramp_onboarding \
                WHERE tenant = $1 AND flow = $2 AND subject = $3 AND active = 1",
            rows_wanted: $wanted,
            rows_of_subject: "SELECT id, tenant, flow, subject, revision, stage, updated_at \
                FROM onramp_onboarding WHERE tenant = $1 AND subject = $2",
            rows_of_tenant: "SELECT id, tenant, flow, subject, revision, stage, updated_at \
                FROM onramp_onboarding WHERE tenant = $1 AND subject >= $2 \
                AND CASE WHEN subject = $3 AND flow <= $4 THEN 0 \
                WHEN $5 = 1 AND flow <> $6 THEN 0 ELSE 1 END = 1 \
                ORDER BY subject, flow LIMIT $7",
            rows_after: "SELECT id, tenant, flow, subject, revision, stage, updated_at \
                FROM onramp_onboarding WHERE id > $1 ORDER BY id LIMIT $2",
            scan: "SELECT id, revision, head, state FROM onramp_onboarding \
                WHERE id >= $1 AND id < $2 AND CASE WHEN flow <> $3 THEN 0 \
                WHEN $4 = 1 AND tenant <> $5 THEN 0 WHEN $6 = 1 AND stage <> $7 THEN 0 \
                ELSE 1 END = 1 ORDER BY id LIMIT $8",
            insert_onboarding: "INSERT INTO onramp_onboarding (id, tenant, flow, subject, \
                revision, stage, state, head, created_at, updated_at, active, fence) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 0)",
            advance_onboarding: concat!("UPDATE onramp_onboarding \
                SET revision = $1, stage = $2, fence = $3, state = $4, head = $5, updated_at = $6 \
                WHERE id = $7 AND tenant", $is, "$8 AND revision = $9 AND fence = $10"),
            delete_onboarding: concat!("DELETE FROM onramp_onboarding \
                WHERE id = $1 AND tenant", $is, "$2 AND revision = $3"),
            keep_fence: concat!("UPDATE onramp_onboarding SET fence = $1 \
                WHERE id = $2 AND tenant", $is, "$3 AND revision = $4"),
            look: concat!("SELECT o.revision, o.fence, q.fence, q.leased, \
                (SELECT j.revision FROM onramp_journal j \
                 WHERE j.onboarding = o.id AND j.command = $1) \
                FROM onramp_onboarding o LEFT JOIN onramp_queue q ON q.onboarding = o.id \
                WHERE o.tenant", $is, "$2 AND o.id = $3"),
            look_locked: concat!("SELECT o.revision, o.fence, q.fence, q.leased, \
                (SELECT j.revision FROM onramp_journal j \
                 WHERE j.onboarding = o.id AND j.command = $1) \
                FROM onramp_onboarding o LEFT JOIN onramp_queue q ON q.onboarding = o.id \
                WHERE o.tenant", $is, "$2 AND o.id = $3", $hold),
            facts: concat!("SELECT f.step, f.version, f.payload, f.salt, f.given_by, f.at \
                FROM onramp_onboarding o JOIN onramp_fact f ON f.onboarding = o.id \
                WHERE o.tenant", $is, "$1 AND o.id = $2"),
            put_fact: concat!(
                "INSERT INTO onramp_fact \
                (onboarding, step, version, payload, salt, given_by, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7) ", $conflict,
                " version = ", $new, "version", $end, ", payload = ", $new, "payload", $end,
                ", salt = ", $new, "salt", $end, ", given_by = ", $new, "given_by", $end,
                ", at = ", $new, "at", $end
            ),
            remove_fact: "DELETE FROM onramp_fact WHERE onboarding = $1 AND step = $2",
            delete_facts: "DELETE FROM onramp_fact WHERE onboarding = $1",
            holder: "SELECT onboarding, step FROM onramp_reservation WHERE held = $1",
            reserve: "INSERT INTO onramp_reservation (held, onboarding, step) VALUES ($1, $2, $3)",
            free: "DELETE FROM onramp_reservation WHERE onboarding = $1 AND step = $2",
            delete_reservations: "DELETE FROM onramp_reservation WHERE onboarding = $1",
            committed: concat!("SELECT j.revision \
                FROM onramp_onboarding o JOIN onramp_journal j ON j.onboarding = o.id \
                WHERE o.tenant", $is, "$1 AND o.id = $2 AND j.command = $3"),
            journal: concat!("SELECT j.revision, j.command, j.given_by, j.at, j.events, j.hash \
                FROM onramp_onboarding o JOIN onramp_journal j ON j.onboarding = o.id \
                WHERE o.tenant", $is, "$1 AND o.id = $2 AND j.revision > $3 \
                ORDER BY j.revision LIMIT $4"),
            insert_journal: "INSERT INTO onramp_journal \
                (onboarding, revision, command, given_by, at, events, hash) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)",
            delete_journal: "DELETE FROM onramp_journal WHERE onboarding = $1",
            delete_queued: "DELETE FROM onramp_queue WHERE onboarding = $1",
            enqueue: concat!(
                "INSERT INTO onramp_queue \
                (onboarding, tenant, flow, fence, due_at, leased, lease_us, attempt) \
                VALUES ($1, $2, $3, $4, ", $now, " + $5, 0, 0, 0)"
            ),
            confirm: "UPDATE onramp_queue SET leased = 1 \
                WHERE onboarding = $1 AND fence = $2 AND leased = $3",
            wake: concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " + $1, attempt = 0, worker = NULL \
                WHERE onboarding = $2 AND fence = $3 AND leased = $4"
            ),
            hold: "UPDATE onramp_queue SET attempt = 1 \
                WHERE onboarding = $1 AND fence = $2 AND leased = $3",
            hand_back: concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " + $1, leased = 0, worker = NULL \
                WHERE onboarding = $2 AND fence = $3 AND leased = $4"
            ),
            rest: concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " + $1, leased = 0, worker = NULL, \
                attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END \
                WHERE onboarding = $2 AND fence = $3 AND leased = $4"
            ),
            dequeue: "DELETE FROM onramp_queue \
                WHERE onboarding = $1 AND fence = $2 AND leased = $3",
            renew: concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " + $1, lease_us = $2 \
                WHERE onboarding = $3 AND tenant = $4 AND fence = $5 AND leased = 1"
            ),
            release: concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " + $1, leased = 0, worker = NULL, \
                attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END \
                WHERE onboarding = $2 AND tenant = $3 AND fence = $4 AND leased = 1"
            ),
            report: "UPDATE onramp_queue SET progress = $1 \
                WHERE onboarding = $2 AND tenant = $3 AND fence = $4 AND leased = 1",
            progress: "SELECT q.progress \
                FROM onramp_onboarding o JOIN onramp_queue q ON q.onboarding = o.id \
                WHERE o.tenant = $1 AND o.id = $2 AND q.progress IS NOT NULL",
            insert_outbox: concat!(
                "INSERT INTO onramp_outbox (id, tenant, flow, subject, onboarding, revision, \
                place, topic, at, stored_at, due_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ", $now, ", ", $now, ")"
            ),
            due_outbox: concat!(
                "SELECT id, place, tenant, flow, subject, onboarding, revision, topic, at, \
                fence, attempt, due_at FROM onramp_outbox WHERE due_at <= ", $now,
                " ORDER BY due_at, stored_at LIMIT $1",
                $lock
            ),
            first_outbox: "SELECT revision, place, due_at FROM onramp_outbox \
                WHERE onboarding = $1 AND due_at < 4611686018427387904 \
                ORDER BY revision, place LIMIT 1",
            hide_outbox: concat!(
                "UPDATE onramp_outbox SET due_at = ", $now, " + $1, fence = fence + 1, \
                attempt = attempt + 1 \
                WHERE onboarding = $2 AND revision = $3 AND place = $4 AND fence = $5"
            ),
            move_outbox: "UPDATE onramp_outbox SET due_at = $1 \
                WHERE onboarding = $2 AND revision = $3 AND place = $4 AND fence = $5",
            defer_outbox: concat!(
                "UPDATE onramp_outbox SET due_at = ", $now, " + $1 \
                WHERE onboarding = $2 AND revision = $3 AND place = $4 AND fence = $5 \
                AND due_at < 4611686018427387904"
            ),
            bury_outbox: concat!(
                "UPDATE onramp_outbox SET due_at = 4611686018427387904 + ", $now, ", reason = $1 \
                WHERE onboarding = $2 AND revision = $3 AND place = $4 AND fence = $5 \
                AND due_at < 4611686018427387904"
            ),
            delete_outbox: "DELETE FROM onramp_outbox \
                WHERE onboarding = $1 AND revision = $2 AND place = $3 AND fence = $4 \
                AND due_at < 4611686018427387904",
            wake_outbox: concat!(
                "UPDATE onramp_outbox SET due_at = ", $now, " \
                WHERE onboarding = $1 AND attempt = 0 AND due_at < 4611686018427387904"
            ),
            next_outbox: concat!(
                "SELECT MIN(due_at), ", $now, " FROM onramp_outbox \
                WHERE due_at < 4611686018427387904"
            ),
            dead_outbox: "SELECT id, place, tenant, flow, subject, onboarding, revision, topic, at, \
                attempt, reason, due_at - 4611686018427387904 \
                FROM onramp_outbox WHERE due_at >= 4611686018427387904 \
                ORDER BY due_at, stored_at LIMIT $1",
            revive_outbox: concat!(
                "UPDATE onramp_outbox SET due_at = ", $now, ", attempt = 0, reason = NULL \
                WHERE id = $1 AND due_at >= 4611686018427387904"
            ),
            oldest_outbox: concat!(
                "SELECT ", $now, ", MIN(w.stored_at) FROM (SELECT stored_at FROM onramp_outbox \
                WHERE due_at < 4611686018427387904 ORDER BY due_at, stored_at LIMIT $1) w"
            ),
            count_dead_outbox: "SELECT COUNT(*) FROM (SELECT due_at FROM onramp_outbox \
                WHERE due_at >= 4611686018427387904 LIMIT $1) d",
            has_schema: $has_schema,
            create_schema: "CREATE TABLE IF NOT EXISTS onramp_schema \
                (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)",
            schema_version: "SELECT MAX(version) FROM onramp_schema",
            insert_schema: concat!(
                "INSERT INTO onramp_schema (version, applied_at) VALUES ($1, ", $now, ")"
            ),
        }
    };
}

/// The statements, each in a form.
macro_rules! texts {
    ($form:ident; $($name:ident: $sql:expr),* $(,)?) => {
        $crate::store::sql::statements::Statements {
            $($name: $crate::store::sql::statements::$form!($sql)),*
        }
    };
}

/// A text whose database takes `$n`.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! dollars {
    ($sql:expr) => {{
        const SQL: &str = $sql;
        const _: usize = $crate::store::sql::statements::length(SQL);
        SQL
    }};
}

/// A text whose database takes `?`.
#[cfg(feature = "mysql")]
macro_rules! questions {
    ($sql:expr) => {{
        const SQL: &str = $sql;
        const LENGTH: usize = $crate::store::sql::statements::length(SQL);
        const TEXT: [u8; LENGTH] = $crate::store::sql::statements::with_questions(SQL);
        match std::str::from_utf8(&TEXT) {
            Ok(text) => text,
            Err(_) => SQL,
        }
    }};
}

/// How long a text is with `?` in place of every `$n`.
pub(super) const fn length(sql: &str) -> usize {
    let sql = sql.as_bytes();
    let (mut at, mut length, mut arguments) = (0, 0, 0);
    while at < sql.len() {
        if sql[at] == b'$' {
            arguments += 1;
            at = after_argument(sql, at, arguments);
        } else {
            at += 1;
        }
        length += 1;
    }
    length
}

/// A text with `?` in place of every `$n`.
#[cfg(feature = "mysql")]
pub(super) const fn with_questions<const LENGTH: usize>(sql: &str) -> [u8; LENGTH] {
    let sql = sql.as_bytes();
    let mut text = [0; LENGTH];
    let (mut at, mut to, mut arguments) = (0, 0, 0);
    while at < sql.len() {
        if sql[at] == b'$' {
            arguments += 1;
            text[to] = b'?';
            at = after_argument(sql, at, arguments);
        } else {
            text[to] = sql[at];
            at += 1;
        }
        to += 1;
    }
    text
}

/// Where the text goes on after the `$n` at a place, which must be the `expected` one.
const fn after_argument(sql: &[u8], at: usize, expected: usize) -> usize {
    let (mut at, mut number) = (at + 1, 0);
    while at < sql.len() && sql[at].is_ascii_digit() {
        number = number * 10 + (sql[at] - b'0') as usize;
        at += 1;
    }
    assert!(
        number == expected,
        "arguments are $1, $2 and so on, once each"
    );
    at
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) use dollars;
#[cfg(feature = "mysql")]
pub(super) use questions;
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(unused_imports, reason = "used by dialects")
)]
pub(super) use {statements, texts};
