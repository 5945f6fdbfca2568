//! The statements of a claim. PostgreSQL claims by one; the others find, then take in another.

use crate::store::sql::statements::define;

define! {
    ClaimTexts {
        /// Finds and takes what is due longest, in one statement. Nothing where there is none.
        oldest,
        /// The same, tenants taking turns. Besides what it took it gives the tenants it looked at.
        in_turn,
        /// What is due longest, locked, passing over what others hold.
        due,
        /// The same, locking nothing.
        window,
        /// The next tenant in turn, with what is due soonest of its own, due or not. One step down
        /// the index, however much lies between.
        probe,
        /// What is due of a tenant, so many places behind what is due longest.
        behind,
        /// Locks what was found, as far as it is still as it was. Nothing where writers exclude each
        /// other anyway.
        pin,
        /// Takes what was found.
        take,
        /// Takes one, if it is still as it was found.
        compete,
        /// Undoes the taking of one.
        give_up,
        /// Ends a lease that ran out, so that it cannot be renewed.
        expire,
        /// What is due last, for a look at leases that a clock set back has left too long.
        furthest,
        next_due,
        /// The same of several flows.
        next_due_in,
        // Slots.
        slots,
        take_slot,
        new_slot,
    }
}

/// How many flows a statement asks about when it asks about several. There are few in a program.
pub(super) const FLOWS: usize = 8;

/// When the next of a flow is due, or nothing.
macro_rules! due_in_flow {
    ($now:literal $flow:literal $span:literal) => {
        concat!(
            "SELECT (SELECT due_at - ",
            $now,
            " FROM onramp_queue WHERE flow = ",
            $flow,
            " AND due_at > ",
            $now,
            " - ",
            $span,
            " ORDER BY due_at LIMIT 1)"
        )
    };
}
pub(in crate::store::sql) use due_in_flow;

/// The statements of a database. `$form`, `$now`, `$lock`: as for `statements!`. `$insert`, `$end`:
/// how a row is inserted unless its key exists. The rest are texts of the dialect's own.
#[rustfmt::skip] // It would pull the texts apart.
macro_rules! claims {
    (
        form: $form:ident,
        now: $now:literal,
        lock: $lock:literal,
        insert: $insert:literal $end:literal,
        oldest: $oldest:expr,
        in_turn: $in_turn:expr,
        pin: $pin:expr,
        take: $take:expr $(,)?
    ) => {
        $crate::store::sql::claim::ClaimTexts {
            oldest: $oldest,
            in_turn: $in_turn,
            due: $crate::store::sql::statements::$form!(concat!(
                "SELECT onboarding, tenant, fence, attempt, ", $now, " - due_at FROM onramp_queue \
                WHERE flow = $1 AND due_at > ", $now, " - $2 AND due_at <= ", $now,
                " ORDER BY due_at, onboarding LIMIT $3", $lock
            )),
            window: $crate::store::sql::statements::$form!(concat!(
                "SELECT onboarding, tenant, fence, attempt, ", $now, " - due_at FROM onramp_queue \
                WHERE flow = $1 AND due_at > ", $now, " - $2 AND due_at <= ", $now,
                " ORDER BY due_at, onboarding LIMIT $3"
            )),
            probe: $crate::store::sql::statements::$form!(concat!(
                "SELECT onboarding, tenant, fence, attempt, ", $now, " - due_at FROM onramp_queue \
                WHERE flow = $1 AND tenant > $2 ORDER BY tenant, due_at, onboarding LIMIT 1"
            )),
            behind: $crate::store::sql::statements::$form!(concat!(
                "SELECT onboarding, tenant, fence, attempt, ", $now, " - due_at FROM onramp_queue \
                WHERE flow = $1 AND tenant = $2 AND due_at <= ", $now,
                " ORDER BY due_at, onboarding LIMIT 1 OFFSET $3"
            )),
            pin: $pin,
            take: $take,
            compete: $crate::store::sql::statements::$form!(concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " + $1, fence = fence + 1, leased = 1, \
                lease_us = $2, attempt = attempt + 1, worker = $3 \
                WHERE onboarding = $4 AND fence = $5 AND due_at <= ", $now
            )),
            give_up: $crate::store::sql::statements::$form!(concat!(
                "UPDATE onramp_queue SET due_at = ", $now, " - $1, leased = 0, worker = NULL, \
                attempt = attempt - 1 WHERE onboarding = $2 AND fence = $3 AND leased = 1"
            )),
            expire: $crate::store::sql::statements::$form!(concat!(
                "UPDATE onramp_queue SET leased = 0, worker = NULL \
                WHERE onboarding = $1 AND fence = $2 AND leased = 1 AND due_at <= ", $now
            )),
            furthest: $crate::store::sql::statements::$form!(concat!(
                "SELECT onboarding, fence, leased, lease_us, due_at - ", $now, " \
                FROM onramp_queue WHERE flow = $1 AND due_at > ", $now, " \
                ORDER BY due_at DESC LIMIT 16"
            )),
            next_due: $crate::store::sql::statements::$form!(
                $crate::store::sql::claim::texts::due_in_flow!($now "$1" "$2")
            ),
            // Each a walk of one step in the index, whether there is such a flow or not.
            next_due_in: $crate::store::sql::statements::$form!(concat!(
                "SELECT min(due) FROM (",
                $crate::store::sql::claim::texts::due_in_flow!($now "$1" "$2"), " AS due UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$3" "$4"), " UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$5" "$6"), " UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$7" "$8"), " UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$9" "$10"), " UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$11" "$12"), " UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$13" "$14"), " UNION ALL ",
                $crate::store::sql::claim::texts::due_in_flow!($now "$15" "$16"), ") AS flows",
            )),
            // As of one moment, with what the queue says of the lease that each names.
            slots: $crate::store::sql::statements::$form!(concat!(
                "SELECT s.slot, s.onboarding, s.fence, q.due_at - ", $now, " \
                FROM onramp_slot s LEFT JOIN onramp_queue q \
                ON q.onboarding = s.onboarding AND q.fence = s.fence AND q.leased = 1 \
                WHERE s.flow = $1 AND s.tenant = $2 AND s.slot < $3 ORDER BY s.slot"
            )),
            take_slot: $crate::store::sql::statements::$form!(
                "UPDATE onramp_slot SET onboarding = $1, fence = $2 \
                WHERE flow = $3 AND tenant = $4 AND slot = $5 AND onboarding = $6 AND fence = $7"
            ),
            new_slot: $crate::store::sql::statements::$form!(concat!(
                $insert, " INTO onramp_slot (onboarding, fence, flow, tenant, slot) \
                VALUES ($1, $2, $3, $4, $5)", $end
            )),
        }
    };
}
pub(in crate::store::sql) use claims;
